// The text of an instruction as the kernel's verifier log and bpftool print it.
import type { Insn } from './insn.ts';
import {
  ALU,
  ATOMIC,
  CALL_KIND,
  CLASS,
  insnClass,
  insnMode,
  insnOp,
  insnSize,
  insnSrc,
  JMP,
  MODE,
  PSEUDO,
  SIZE,
  SRC,
} from './opcode.ts';
import { HELPERS } from './uapi.ts';

/** What the caller knows of names; each function may return undefined for "print it the plain way". */
export interface DisasmOptions {
  /** Name of a call's target; asked for calls that are not a known helper number. Of a pseudo call: what follows `pc`. */
  callName?(insn: Insn): string | undefined;
  /** Text of a 64-bit immediate; `value` is already hidden (0) where `allowPtrLeaks` demands it. */
  immName?(insn: Insn, next: Insn, value: bigint): string | undefined;
  /** False: addresses of maps print as 0. Default true. */
  allowPtrLeaks?: boolean;
}

const NO_NAME = '(null)';

/** Operators of ALU operations: "+=" of ADD. */
export const ALU_SIGN: Readonly<Record<number, string>> = {
  [ALU.ADD]: '+=',
  [ALU.SUB]: '-=',
  [ALU.MUL]: '*=',
  [ALU.DIV]: '/=',
  [ALU.OR]: '|=',
  [ALU.AND]: '&=',
  [ALU.LSH]: '<<=',
  [ALU.RSH]: '>>=',
  [ALU.NEG]: 'neg',
  [ALU.MOD]: '%=',
  [ALU.XOR]: '^=',
  [ALU.MOV]: '=',
  [ALU.ARSH]: 's>>=',
  [ALU.END]: 'endian',
};
const SIGNED_DIVISION: Readonly<Record<number, string>> = { [ALU.DIV]: 's/=', [ALU.MOD]: 's%=' };
const MOVE_SIGNED: Readonly<Record<number, string>> = { 8: '(s8)', 16: '(s16)', 32: '(s32)' };
const ATOMIC_NAME: Readonly<Record<number, string>> = {
  [ATOMIC.ADD]: 'add',
  [ATOMIC.AND]: 'and',
  [ATOMIC.OR]: 'or',
  [ATOMIC.XOR]: 'xor',
};
const UNSIGNED: Readonly<Record<number, string>> = {
  [SIZE.W]: 'u32',
  [SIZE.H]: 'u16',
  [SIZE.B]: 'u8',
  [SIZE.DW]: 'u64',
};
const SIGNED: Readonly<Record<number, string>> = { [SIZE.W]: 's32', [SIZE.H]: 's16', [SIZE.B]: 's8' };
const COMPARE: Readonly<Record<number, string>> = {
  [JMP.JA]: 'jmp',
  [JMP.JEQ]: '==',
  [JMP.JGT]: '>',
  [JMP.JLT]: '<',
  [JMP.JGE]: '>=',
  [JMP.JLE]: '<=',
  [JMP.JSET]: '&',
  [JMP.JNE]: '!=',
  [JMP.JSGT]: 's>',
  [JMP.JSLT]: 's<',
  [JMP.JSGE]: 's>=',
  [JMP.JSLE]: 's<=',
  [JMP.CALL]: 'call',
  [JMP.EXIT]: 'exit',
};

/** `off` values that turn a 64-bit register move into something else. */
const MOV_ADDR_SPACE_CAST = 1;
const MOV_PERCPU = -1;

const hex2 = (n: number): string => n.toString(16).padStart(2, '0');
const signed = (n: number): string => (n < 0 ? String(n) : `+${n}`);

/** "bpf_map_lookup_elem" of 1; "unknown" of a number that is no helper. */
export const helperName = (id: number): string =>
  Number.isInteger(id) && id >= 0 && id < HELPERS.length ? `bpf_${HELPERS[id]}` : 'unknown';

/**
 * One instruction as text, without index and without newline: `(b7) r0 = 0`. `next` is the following slot, which
 * holds the upper half of a 64-bit immediate (taken as zero where the program ends early).
 * rule: print_bpf_insn, 6.18, and bpftool 7.8's copy of it (which alone ever meets `gotox`).
 */
export function disasmInsn(insn: Insn, next: Insn | undefined, options: DisasmOptions = {}): string {
  switch (insnClass(insn.code)) {
    case CLASS.ALU:
    case CLASS.ALU64:
      return aluText(insn);
    case CLASS.LD:
      return loadImmText(insn, next, options);
    case CLASS.LDX:
      return loadText(insn);
    case CLASS.ST:
      return storeImmText(insn);
    case CLASS.STX:
      return storeText(insn);
    default:
      return jumpText(insn, options);
  }
}

function aluText(insn: Insn): string {
  const { code, dst, src, off, imm } = insn;
  const head = `(${hex2(code)})`;
  const op = insnOp(code);
  const wide = insnClass(code) === CLASS.ALU64;
  const r = wide ? 'r' : 'w';
  if (op === ALU.END) {
    const name = wide ? 'bswap' : insnSrc(code) ? 'be' : 'le';
    return `${head} r${dst} = ${name}${imm} r${dst}`;
  }
  if (op === ALU.NEG) return `${head} ${r}${dst} = -${r}${dst}`;
  if (wide && op === ALU.MOV && insnSrc(code)) {
    if (off === MOV_ADDR_SPACE_CAST)
      return `${head} r${dst} = addr_space_cast(r${src}, ${imm >>> 16}, ${imm & 0xffff})`;
    if (off === MOV_PERCPU) return `${head} r${dst} = &(void __percpu *)(r${src})`;
  }
  const sign = ((off === 1 && SIGNED_DIVISION[op]) || ALU_SIGN[op]) ?? NO_NAME;
  if (insnSrc(code) === SRC.K) return `${head} ${r}${dst} ${sign} ${imm}`;
  const cast = op === ALU.MOV ? (MOVE_SIGNED[off] ?? '') : '';
  return `${head} ${r}${dst} ${sign} ${cast}${r}${src}`;
}

function loadImmText(insn: Insn, next: Insn | undefined, options: DisasmOptions): string {
  const { code, dst, src, imm } = insn;
  const size = UNSIGNED[insnSize(code)];
  switch (insnMode(code)) {
    case MODE.ABS:
      return `(${hex2(code)}) r0 = *(${size} *)skb[${imm}]`;
    case MODE.IND:
      return `(${hex2(code)}) r0 = *(${size} *)skb[r${src} + ${imm}]`;
    case MODE.IMM:
      if (insnSize(code) === SIZE.DW) break;
      return `BUG_ld_${hex2(code)}`;
    default:
      return `BUG_ld_${hex2(code)}`;
  }
  const hidden = options.allowPtrLeaks === false && (src === PSEUDO.MAP_FD || src === PSEUDO.MAP_VALUE);
  const high = next ?? { code: 0, dst: 0, src: 0, off: 0, imm: 0 };
  const value = hidden ? 0n : (BigInt(high.imm >>> 0) << 32n) | BigInt(imm >>> 0);
  return `(${hex2(code)}) r${dst} = ${options.immName?.(insn, high, value) ?? `0x${value.toString(16)}`}`;
}

function loadText({ code, dst, src, off }: Insn): string {
  const mode = insnMode(code);
  if (mode !== MODE.MEM && mode !== MODE.MEMSX) return `BUG_ldx_${hex2(code)}`;
  const size = (mode === MODE.MEM ? UNSIGNED : SIGNED)[insnSize(code)] ?? NO_NAME;
  return `(${hex2(code)}) r${dst} = *(${size} *)(r${src} ${signed(off)})`;
}

/** Mode of the speculation barrier, class ST; it has no name in the UAPI. */
const NOSPEC_MODE = 0xc0;

function storeImmText({ code, dst, off, imm }: Insn): string {
  const mode = insnMode(code);
  if (mode === MODE.MEM) return `(${hex2(code)}) *(${UNSIGNED[insnSize(code)]} *)(r${dst} ${signed(off)}) = ${imm}`;
  return mode === NOSPEC_MODE ? `(${hex2(code)}) nospec` : `BUG_st_${hex2(code)}`;
}

function storeText({ code, dst, src, off, imm }: Insn): string {
  const head = `(${hex2(code)})`;
  const size = UNSIGNED[insnSize(code)];
  const at = `(${size} *)(r${dst} ${signed(off)})`;
  const mode = insnMode(code);
  if (mode === MODE.MEM) return `${head} *${at} = r${src}`;
  if (mode !== MODE.ATOMIC) return `BUG_${hex2(code)}`;
  const wide = insnSize(code) === SIZE.DW ? '64' : '';
  switch (imm) {
    case ATOMIC.CMPXCHG:
      return `${head} r0 = atomic${wide}_cmpxchg(${at}, r0, r${src})`;
    case ATOMIC.XCHG:
      return `${head} r${src} = atomic${wide}_xchg(${at}, r${src})`;
    case ATOMIC.LOAD_ACQ:
      return `${head} r${dst} = load_acquire((${size} *)(r${src} ${signed(off)}))`;
    case ATOMIC.STORE_REL:
      return `${head} store_release(${at}, r${src})`;
  }
  const name = ATOMIC_NAME[imm & ~ATOMIC.FETCH];
  if (name === undefined) return `BUG_${hex2(code)}`;
  if (imm & ATOMIC.FETCH) return `${head} r${src} = atomic${wide}_fetch_${name}(${at}, r${src})`;
  return `${head} lock *${at} ${ALU_SIGN[imm]} r${src}`;
}

const GOTO = CLASS.JMP | JMP.JA;
const GOTO_LONG = CLASS.JMP32 | JMP.JA;
const GOTO_INDIRECT = CLASS.JMP | JMP.JA | SRC.X;
const MAY_GOTO = CLASS.JMP | JMP.JCOND;
const EXIT = CLASS.JMP | JMP.EXIT;

function jumpText(insn: Insn, options: DisasmOptions): string {
  const { code, dst, src, off, imm } = insn;
  const head = `(${hex2(code)})`;
  if (insnOp(code) === JMP.CALL) return callText(insn, options);
  switch (code) {
    case GOTO:
      return `${head} goto pc${signed(off)}`;
    case GOTO_LONG:
      return `${head} gotol pc${signed(imm)}`;
    case GOTO_INDIRECT:
      return `${head} gotox r${dst}`;
    case EXIT:
      return `${head} exit`;
    case MAY_GOTO:
      if (src === 0) return `${head} may_goto pc${signed(off)}`;
  }
  const r = insnClass(code) === CLASS.JMP32 ? 'w' : 'r';
  const other = insnSrc(code) === SRC.X ? `${r}${src}` : `0x${(imm >>> 0).toString(16)}`;
  return `${head} if ${r}${dst} ${COMPARE[insnOp(code)] ?? NO_NAME} ${other} goto pc${signed(off)}`;
}

function callText(insn: Insn, options: DisasmOptions): string {
  const { code, src, imm } = insn;
  const helper = src === CALL_KIND.HELPER && imm >= 0 && imm < HELPERS.length ? helperName(imm) : undefined;
  const name = helper ?? options.callName?.(insn);
  if (src === CALL_KIND.PSEUDO) return `(${hex2(code)}) call pc${name ?? signed(imm)}`;
  const plain = src === CALL_KIND.KFUNC ? 'kernel-function' : 'unknown';
  return `(${hex2(code)}) call ${name ?? plain}#${imm}`;
}
