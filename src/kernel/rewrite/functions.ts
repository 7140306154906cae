// Programs of several functions: each becomes code of its own.

import { ERRNO, SysError } from '../../errno.ts';
import type { Insn } from '../../isa/insn.ts';
import { type JitFunctionInput, type JitInput, jitProgram } from '../jit/jit.ts';
import type { VerifierEnv } from '../verifier/env.ts';
import { isPseudoCall, isPseudoFunc } from '../verifier/insn-kinds.ts';
import { findSubprog } from '../verifier/subprogs.ts';
import { programTag } from '../verifier/tag.ts';
import { PRIV_STACK } from '../verifier/types.ts';
import { verifierBug } from '../verifier/verifier-bug.ts';
import { jitHardening } from './hardening.ts';
import { rewriteState } from './state.ts';

/** Placeholder for the address of a function: the start of the area that code lives in. */
const CODE_AREA = 0xffffffffc0000000n;

/** Start of an arena's pages for the kernel, where the map does not say. */
const ARENA_START = 0xffffc90000008000n;

const randomU32 = (): number => Math.floor(Math.random() * 0x1_0000_0000);

/** What all functions of the program share for the JIT. */
function jitInput(env: VerifierEnv, functions: JitFunctionInput[]): JitInput {
  const { tailCalls } = rewriteState(env);
  const { arena, request } = env;
  return {
    functions,
    image: env.image,
    allocate: request.allocateCode?.bind(request),
    pokeTable: tailCalls.map(({ map, key }) => ({ target: map.programAt?.(key) })),
    arena:
      arena === undefined ? undefined : { kernStart: arena.valueAddress ?? ARENA_START, userStart: arena.mapExtra },
    blinding: jitHardening(env),
    random: randomU32,
  };
}

/** Compiles; a negative errno where Linux would not. */
function compile(env: VerifierEnv, functions: JitFunctionInput[]): number {
  try {
    const state = rewriteState(env);
    const input = jitInput(env, functions);
    state.jited = jitProgram(input);
    state.shapes = functions.map(({ insns, ...shape }) => ({
      ...shape,
      length: insns.length,
      blinded: input.blinding ?? false,
    }));
    return 0;
  } catch (error) {
    if (error instanceof SysError) return -error.errno;
    throw error;
  }
}

/** Compiles a program that is one function. 0 or a negative errno. rule: bpf_prog_select_runtime, 6.18 */
export function compileSingle(env: VerifierEnv): number {
  return compile(env, [
    {
      insns: env.insns,
      stackDepth: env.subprogs[0].stackDepth,
      isSubprog: false,
      tailCallReachable: env.tailCallReachable,
      exceptionCallback: false,
      exceptionBoundary: false,
      privateStack: env.usesPrivateStack,
    },
  ]);
}

/** A function's instructions as the JIT sees them before addresses are known: references name the function. */
function forJit(insns: readonly Insn[], callees: ReadonlyMap<number, number>, start: number, end: number): Insn[] {
  const seen = insns.slice(start, end);
  for (let i = start; i < end; i++) {
    const off = callees.get(i);
    if (off === undefined) continue;
    const insn = insns[i];
    if (isPseudoFunc(insn)) {
      seen[i - start] = { ...insn, off, imm: Number(BigInt.asIntN(32, CODE_AREA)) };
      seen[i - start + 1] = { ...insns[i + 1], imm: Number(CODE_AREA >> 32n) | 0 };
    } else {
      seen[i - start] = { ...insn, off, imm: 1 };
    }
  }
  return seen;
}

/**
 * Compiles the functions of a program that has more than one, and leaves references between them in the form that user
 * space is shown. 0 or a negative errno.
 * rule: jit_subprogs, 6.18
 */
export function fixupCallArgs(env: VerifierEnv): number {
  const { insns, subprogs } = env;
  if (subprogs.length <= 1) return 0;
  const callees = new Map<number, number>();
  for (const [i, insn] of insns.entries()) {
    if (!isPseudoCall(insn) && !isPseudoFunc(insn)) continue;
    const target = i + insn.imm + 1;
    const callee = findSubprog(env, target);
    if (callee < 0) return verifierBug(env, `No program to jit at insn ${target}`, 'subprog < 0');
    callees.set(i, callee);
  }
  const functions = subprogs.map((subprog, s) => ({
    insns: forJit(insns, callees, subprog.start, env.subprogEnd(s)),
    stackDepth: subprog.stackDepth,
    isSubprog: s > 0,
    tailCallReachable: subprog.tailCallReachable,
    exceptionCallback: subprog.isExceptionCb,
    exceptionBoundary: s === 0 && env.seenException,
    privateStack: subprog.privStackMode === PRIV_STACK.ADAPTIVE,
  }));
  const state = rewriteState(env);
  state.functionTags = functions.map((f) => programTag(f.insns));
  const err = compile(env, functions);
  if (err !== 0) return err === -ERRNO.EFAULT ? err : -ERRNO.ENOTSUPP;
  for (const [i, callee] of callees) {
    const insn = insns[i];
    if (isPseudoFunc(insn)) {
      insns[i + 1].imm = callee;
    } else {
      // The distance has 16 bits here, and the callee is looked up by what is left of it: far ones are not found.
      insn.off = (insn.imm << 16) >> 16;
      insn.imm = findSubprog(env, i + insn.off + 1);
    }
  }
  return 0;
}
