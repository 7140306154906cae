// Accesses through pointers that programs see become accesses to the kernel's own structures.
import type { Insn } from '../../isa/insn.ts';
import { ALU, CLASS, insnClass, insnMode, insnSize, MODE, SIZE, SRC, sizeBytes } from '../../isa/opcode.ts';
import type { VerifierEnv } from '../verifier/env.ts';
import { FLAG, type InsnAux, REG } from '../verifier/types.ts';
import { verifierBug } from '../verifier/verifier-bug.ts';
import { aluImm, nospec } from './build.ts';
import { type ContextRules, Conversion, convertAccess } from './ctx/conversion.ts';
import { contextRules } from './ctx/index.ts';
import { SOCK_CONTEXT, TCP_SOCK_CONTEXT, XDP_SOCK_CONTEXT } from './ctx/sock.ts';
import { Expansion } from './expand.ts';
import { addPrologue } from './prologue.ts';

/** One replacement may not be longer than this. */
const MAX_PATCH = 32;

/** Pointers whose memory may be gone: reads that fault give 0. */
const FAULTING: ReadonlySet<number> = new Set([
  REG.BTF_ID,
  REG.BTF_ID | FLAG.UNTRUSTED,
  REG.BTF_ID | FLAG.ALLOC | FLAG.UNTRUSTED,
  REG.MEM | FLAG.RDONLY | FLAG.UNTRUSTED,
]);

const isLoad = ({ code }: Insn): boolean =>
  insnClass(code) === CLASS.LDX && (insnMode(code) === MODE.MEM || insnMode(code) === MODE.MEMSX);
const isStore = ({ code }: Insn): boolean =>
  (insnClass(code) === CLASS.STX || insnClass(code) === CLASS.ST) && insnMode(code) === MODE.MEM;
const isAtomic = ({ code }: Insn): boolean => insnClass(code) === CLASS.STX && insnMode(code) === MODE.ATOMIC;

const withMode = ({ code }: Insn, mode: number): number => insnClass(code) | insnSize(code) | mode;

/** Sign-extending move of a register to itself. */
const signExtend = (reg: number, bits: number): Insn => ({
  code: CLASS.ALU64 | ALU.MOV | SRC.X,
  dst: reg,
  src: reg,
  off: bits,
  imm: 0,
});

/** Size bits of a load of the whole of a field that may be read in parts. */
function wholeSize(bytes: number): number {
  if (bytes === 8) return SIZE.DW;
  return bytes === 4 ? SIZE.W : SIZE.H;
}

/** The part of the whole field, loaded in `targetSize` bytes, that the program asked for. */
function narrow(insn: Insn, size: number, fieldSize: number): Insn[] {
  const shift = (insn.off & (fieldSize - 1)) * 8;
  const mask = size === 4 ? -1 : 2 ** (size * 8) - 1;
  const shifted = shift === 0 ? [] : [aluImm(ALU.RSH, insn.dst, shift, fieldSize <= 4 ? 32 : 64)];
  return [...shifted, aluImm(ALU.AND, insn.dst, mask, 32)];
}

/** The replacement of one access, or a negative errno. */
function convertOne(env: VerifierEnv, rules: ContextRules, insn: Insn, fieldSize: number, write: boolean) {
  const size = sizeBytes(insn.code);
  const mode = insnMode(insn.code);
  const narrower = size < fieldSize;
  if (narrower && write) return verifierBug(env, 'narrow ctx access misconfigured');
  const access: Insn = narrower
    ? { ...insn, off: insn.off & ~(fieldSize - 1), code: CLASS.LDX | MODE.MEM | wholeSize(fieldSize) }
    : insn;
  const conversion = new Conversion(env.image, access, write, env.progFlags);
  convertAccess(rules, conversion);
  const { out, targetSize } = conversion;
  if (out.length === 0 || out.length >= MAX_PATCH || (fieldSize !== 0 && targetSize === 0)) {
    return verifierBug(env, `error during ctx access conversion (${out.length})`);
  }
  if (narrower && size < targetSize) out.push(...narrow(insn, size, fieldSize));
  if (mode === MODE.MEMSX) out.push(signExtend(insn.dst, size * 8));
  return out;
}

/** Rules for the pointer that an access goes through; undefined: the access stays as it is. */
function rulesFor(env: VerifierEnv, { ptrType }: InsnAux): ContextRules | undefined {
  switch (ptrType) {
    case REG.CTX:
      return contextRules(env.progType);
    case REG.SOCKET:
    case REG.SOCK_COMMON:
      return SOCK_CONTEXT;
    case REG.TCP_SOCK:
      return TCP_SOCK_CONTEXT;
    case REG.XDP_SOCK:
      return XDP_SOCK_CONTEXT;
    default:
      return undefined;
  }
}

/** Loads and stores that may fault get modes of their own. */
function markFaulting(insn: Insn, { ptrType }: InsnAux, write: boolean): void {
  const signed = insnMode(insn.code) === MODE.MEMSX;
  if (ptrType === REG.ARENA) insn.code = withMode(insn, signed ? MODE.PROBE_MEM32SX : MODE.PROBE_MEM32);
  else if (!write && FAULTING.has(ptrType)) insn.code = withMode(insn, signed ? MODE.PROBE_MEMSX : MODE.PROBE_MEM);
}

/**
 * Puts the program type's prologue in front, converts accesses to contexts and sockets, gives accesses that may fault
 * their own modes and puts speculation barriers where the verifier asks for them. 0 or a negative errno.
 * rule: convert_ctx_accesses, 6.18
 */
export function convertCtxAccesses(env: VerifierEnv): number {
  const skipped = addPrologue(env);
  if (skipped < 0) return skipped;
  const expansion = new Expansion(env);
  for (let i = 0; i < env.insns.length; i++) {
    if (i < skipped) {
      expansion.keep(i);
      continue;
    }
    const err = convertAt(env, expansion, i);
    if (err !== 0) return err;
  }
  return expansion.finish();
}

function convertAt(env: VerifierEnv, expansion: Expansion, i: number): number {
  const aux = env.aux[i];
  const insn = expansion.take(i);
  const before = aux.nospec ? [nospec()] : [];
  const write = isStore(insn);
  let patch: readonly Insn[] = [insn];
  if (isAtomic(insn)) {
    if (aux.ptrType === REG.ARENA) insn.code = withMode(insn, MODE.PROBE_ATOMIC);
  } else if (write && aux.nospecResult) {
    patch = [insn, nospec()];
  } else if (write || isLoad(insn)) {
    const rules = rulesFor(env, aux);
    if (rules === undefined) {
      markFaulting(insn, aux, write);
    } else {
      const converted = convertOne(env, rules, insn, aux.ctxFieldSize, write);
      if (typeof converted === 'number') return converted;
      patch = converted;
    }
  }
  if (before.length === 0 && patch.length === 1 && patch[0] === insn) expansion.keep(i);
  else expansion.replace(i, [...before, ...patch]);
  return 0;
}
