// Loads and stores by what they access: context fields become fields of the kernel's structures, pointers that may be
// stale get guarded loads, and speculation barriers go where the verifier wants them.
import { ERRNO } from '../../errno.ts';
import { type Insn, insn } from '../../isa/insn.ts';
import { ALU, CLASS, insnClass, insnMode, insnSize, MODE, SIZE, SRC, sizeBytes } from '../../isa/opcode.ts';
import type { VerifierEnv } from '../verifier/env.ts';
import { FLAG, REG } from '../verifier/types.ts';
import { aluImm, nospec, sizeBits } from './build.ts';
import { type ContextRules, Conversion, convertAccess } from './ctx/conversion.ts';
import { contextKind } from './ctx/index.ts';
import { unclonePrologue } from './ctx/prologue.ts';
import { SOCK_CONTEXT, TCP_SOCK_CONTEXT, XDP_SOCK_CONTEXT } from './ctx/sock.ts';
import { Expansion } from './expand.ts';

/** Longest sequence that the kernel has room for. */
const BUFFER_INSNS = 32;

/** Pointer types whose loads may fault. */
const FAULTING: ReadonlySet<number> = new Set([
  REG.BTF_ID,
  REG.BTF_ID | FLAG.UNTRUSTED,
  REG.BTF_ID | FLAG.ALLOC | FLAG.UNTRUSTED,
  REG.MEM | FLAG.RDONLY | FLAG.UNTRUSTED,
]);

/** Pointers to sockets, whatever the program type. */
const SOCKETS: Readonly<Record<number, ContextRules>> = {
  [REG.SOCKET]: SOCK_CONTEXT,
  [REG.SOCK_COMMON]: SOCK_CONTEXT,
  [REG.TCP_SOCK]: TCP_SOCK_CONTEXT,
  [REG.XDP_SOCK]: XDP_SOCK_CONTEXT,
};

type Direction = 'read' | 'write' | 'atomic';

function direction({ code }: Insn): Direction | undefined {
  const mode = insnMode(code);
  switch (insnClass(code)) {
    case CLASS.LDX:
      return mode === MODE.MEM || (mode === MODE.MEMSX && insnSize(code) !== SIZE.DW) ? 'read' : undefined;
    case CLASS.ST:
      return mode === MODE.MEM ? 'write' : undefined;
    case CLASS.STX:
      if (mode === MODE.ATOMIC) return 'atomic';
      return mode === MODE.MEM ? 'write' : undefined;
    default:
      return undefined;
  }
}

/** Puts the prologue of the program type in front; jumps to the first instruction stay with it. */
function addPrologue(env: VerifierEnv): number {
  if (!env.seenDirectWrite) return 0;
  const { directWrite } = contextKind(env.progType);
  if (directWrite === undefined) return bug(env, 'gen_prologue is null');
  if (directWrite === 'none') return 0;
  const prologue = unclonePrologue(env.image, directWrite);
  const expansion = new Expansion(env, new Map([[0, prologue.length]]));
  expansion.replace(0, [...prologue, env.insns[0]]);
  for (let i = 1; i < env.insns.length; i++) expansion.keep(i);
  return expansion.finish();
}

function bug(env: VerifierEnv, text: string): number {
  env.log.write(`verifier bug: ${text}\n`);
  return -ERRNO.EFAULT;
}

/**
 * Converts all loads and stores, in one pass.
 * rule: convert_ctx_accesses, 6.18
 */
export function convertCtxAccesses(env: VerifierEnv): number {
  const error = addPrologue(env);
  if (error) return error;
  const pass = new AccessPass(env);
  // The prologue's instructions have no notes of the verifier, so nothing happens to them.
  for (let i = 0; i < env.insns.length; i++) {
    const failed = pass.visit(i);
    if (failed) return failed;
  }
  return pass.expansion.finish();
}

class AccessPass {
  readonly expansion: Expansion;
  private readonly env: VerifierEnv;
  private readonly contextRules: ContextRules | undefined;

  constructor(env: VerifierEnv) {
    this.env = env;
    this.expansion = new Expansion(env);
    this.contextRules = contextKind(env.progType).rules;
  }

  visit(i: number): number {
    const { env } = this;
    const access = env.insns[i];
    const aux = env.aux[i];
    const before = aux.nospec ? [nospec()] : [];
    const kind = direction(access);
    if (kind === 'write' && aux.nospecResult) return this.put(i, [...before, access, nospec()]);
    const rules = kind === undefined || kind === 'atomic' ? undefined : this.rulesFor(aux.ptrType);
    if (!rules) {
      if (kind) guard(access, kind, aux.ptrType);
      return this.put(i, [...before, access]);
    }
    const converted = this.convert(access, rules, kind === 'write', aux.ctxFieldSize);
    return typeof converted === 'number' ? converted : this.put(i, [...before, ...converted]);
  }

  private put(i: number, insns: readonly Insn[]): number {
    if (insns.length === 1 && insns[0] === this.env.insns[i]) this.expansion.keep(i);
    else this.expansion.replace(i, insns);
    return 0;
  }

  private rulesFor(ptrType: number): ContextRules | undefined {
    return ptrType === REG.CTX ? this.contextRules : SOCKETS[ptrType];
  }

  /** The sequence for one access to a context, or an error. */
  private convert(access: Insn, rules: ContextRules, write: boolean, fieldSize: number): Insn[] | number {
    const { env } = this;
    const { code, dst, src, off, imm } = access;
    const size = sizeBytes(code);
    const narrow = size < fieldSize;
    if (narrow && write) return bug(env, 'narrow ctx access misconfigured');
    // A part of a field is read as the whole field, then cut out.
    const whole = narrow
      ? insn(CLASS.LDX | MODE.MEM | sizeBits(fieldSize), dst, src, off & ~(fieldSize - 1), imm)
      : access;
    const c = new Conversion(env.image, whole, write, env.progFlags);
    convertAccess(rules, c);
    const { out, targetSize } = c;
    if (out.length === 0 || out.length >= BUFFER_INSNS || (fieldSize !== 0 && targetSize === 0))
      return bug(env, `error during ctx access conversion (${out.length})`);
    if (narrow && size < targetSize) {
      const shift = (off & (fieldSize - 1)) * 8;
      if (shift) out.push(aluImm(ALU.RSH, dst, shift, fieldSize <= 4 ? 32 : 64));
      out.push(aluImm(ALU.AND, dst, size === 4 ? -1 : (1 << (size * 8)) - 1, 32));
    }
    if (insnMode(code) === MODE.MEMSX) out.push(insn(CLASS.ALU64 | ALU.MOV | SRC.X, dst, dst, size * 8));
    return out;
  }
}

/** Accesses that may fault, and those of arenas, get modes of their own. */
function guard(access: Insn, kind: Direction, ptrType: number): void {
  const { code } = access;
  const size = insnSize(code);
  const signed = insnMode(code) === MODE.MEMSX;
  if (ptrType === REG.ARENA) {
    if (kind === 'atomic') access.code = CLASS.STX | MODE.PROBE_ATOMIC | size;
    else access.code = insnClass(code) | (signed ? MODE.PROBE_MEM32SX : MODE.PROBE_MEM32) | size;
  } else if (kind === 'read' && FAULTING.has(ptrType)) {
    access.code = CLASS.LDX | (signed ? MODE.PROBE_MEMSX : MODE.PROBE_MEM) | size;
  }
}
