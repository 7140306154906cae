// Comparisons of two scalars: whether the outcome is certain, and what each outcome teaches. Rule:
// is_scalar_branch_taken, regs_refine_cond_op and reg_set_min_max, verifier.c, 6.18.
import { JMP, SRC } from '../../isa/opcode.ts';
import { regBoundsSanityCheck, regBoundsSync } from './bounds-sync.ts';
import type { VerifierEnv } from './env.ts';
import { isRegConst, markRegUnbounded, regConst } from './scalar-marks.ts';
import { tnumAnd, tnumConst, tnumIntersect, tnumOr, tnumOverlap, tnumSubreg, tnumWithSubreg } from './tnum.ts';
import { REG, type RegState } from './types.ts';

const TAKEN = 1;
const NOT_TAKEN = 0;
const UNKNOWN = -1;

/** JSET has no opposite in the instruction set: this stands for "no bit in common". */
const NOT_JSET = JMP.JSET | SRC.X;

/** `a op b` written as `b op' a`. */
const FLIPPED: Readonly<Record<number, number>> = {
  [JMP.JGE]: JMP.JLE,
  [JMP.JGT]: JMP.JLT,
  [JMP.JLE]: JMP.JGE,
  [JMP.JLT]: JMP.JGT,
  [JMP.JSGE]: JMP.JSLE,
  [JMP.JSGT]: JMP.JSLT,
  [JMP.JSLE]: JMP.JSGE,
  [JMP.JSLT]: JMP.JSGT,
};

export const flipComparison = (op: number): number => FLIPPED[op] ?? op;

/** What holds where `op` does not. */
const OPPOSITE: Readonly<Record<number, number>> = {
  [JMP.JEQ]: JMP.JNE,
  [JMP.JNE]: JMP.JEQ,
  [JMP.JSET]: NOT_JSET,
  [JMP.JGE]: JMP.JLT,
  [JMP.JGT]: JMP.JLE,
  [JMP.JLE]: JMP.JGT,
  [JMP.JLT]: JMP.JGE,
  [JMP.JSGE]: JMP.JSLT,
  [JMP.JSGT]: JMP.JSLE,
  [JMP.JSLE]: JMP.JSGT,
  [JMP.JSLT]: JMP.JSGE,
};

const isKnown = (reg: RegState, narrow: boolean): boolean =>
  (narrow ? BigInt.asUintN(32, reg.varOff.mask) : reg.varOff.mask) === 0n;
const knownValue = (reg: RegState, narrow: boolean): bigint =>
  narrow ? BigInt.asUintN(32, reg.varOff.value) : reg.varOff.value;

/** No value is possible for both. */
function neverEqual(a: RegState, b: RegState, narrow: boolean): boolean {
  const bitsA = narrow ? tnumSubreg(a.varOff) : a.varOff;
  const bitsB = narrow ? tnumSubreg(b.varOff) : b.varOff;
  if (!tnumOverlap(bitsA, bitsB)) return true;
  if (!narrow && (a.umin > b.umax || a.umax < b.umin || a.smin > b.smax || a.smax < b.smin)) return true;
  // Equal numbers have equal low halves, so these count in either case.
  return a.u32min > b.u32max || a.u32max < b.u32min || a.s32min > b.s32max || a.s32max < b.s32min;
}

function equalTaken(a: RegState, b: RegState, narrow: boolean): number {
  if (isKnown(a, narrow) && isKnown(b, narrow)) {
    return knownValue(a, narrow) === knownValue(b, narrow) ? TAKEN : NOT_TAKEN;
  }
  return neverEqual(a, b, narrow) ? NOT_TAKEN : UNKNOWN;
}

function bitsTaken(a: RegState, b: RegState, narrow: boolean): number {
  const [reg, constant] = isRegConst(b, narrow) ? [a, b] : [b, a];
  if (!isRegConst(constant, narrow)) return UNKNOWN;
  const bits = regConst(constant, narrow);
  const known = narrow ? tnumSubreg(reg.varOff) : reg.varOff;
  if ((known.value & bits) !== 0n) return TAKEN;
  return ((known.value | known.mask) & bits) === 0n ? NOT_TAKEN : UNKNOWN;
}

/** Signed comparisons and their unsigned counterparts. */
const UNSIGNED_OF: Readonly<Record<number, number>> = {
  [JMP.JSGT]: JMP.JGT,
  [JMP.JSGE]: JMP.JGE,
  [JMP.JSLT]: JMP.JLT,
  [JMP.JSLE]: JMP.JLE,
};

/** Outcome of JGT, JGE, JLT or JLE between numbers of two ranges. */
function orderTaken<T extends bigint | number>(op: number, aMin: T, aMax: T, bMin: T, bMax: T): number {
  switch (op) {
    case JMP.JGT:
      return aMin > bMax ? TAKEN : aMax <= bMin ? NOT_TAKEN : UNKNOWN;
    case JMP.JGE:
      return aMin >= bMax ? TAKEN : aMax < bMin ? NOT_TAKEN : UNKNOWN;
    case JMP.JLT:
      return aMax < bMin ? TAKEN : aMin >= bMax ? NOT_TAKEN : UNKNOWN;
    case JMP.JLE:
      return aMax <= bMin ? TAKEN : aMin > bMax ? NOT_TAKEN : UNKNOWN;
    default:
      return UNKNOWN;
  }
}

/** 1 if `a op b` is certain, 0 if it is certainly not, -1 if unknown. With `narrow` the low halves are compared. */
export function scalarBranchTaken(a: RegState, b: RegState, op: number, narrow: boolean): number {
  if (op === JMP.JEQ) return equalTaken(a, b, narrow);
  if (op === JMP.JNE) {
    const equal = equalTaken(a, b, narrow);
    return equal === UNKNOWN ? UNKNOWN : 1 - equal;
  }
  if (op === JMP.JSET) return bitsTaken(a, b, narrow);
  const signed = UNSIGNED_OF[op];
  if (signed !== undefined) {
    return narrow
      ? orderTaken(signed, a.s32min, a.s32max, b.s32min, b.s32max)
      : orderTaken(signed, a.smin, a.smax, b.smin, b.smax);
  }
  return narrow
    ? orderTaken(op, a.u32min, a.u32max, b.u32min, b.u32max)
    : orderTaken(op, a.umin, a.umax, b.umin, b.umax);
}

const minOf = (a: bigint, b: bigint): bigint => (a < b ? a : b);
const maxOf = (a: bigint, b: bigint): bigint => (a > b ? a : b);
const u64 = (x: bigint): bigint => BigInt.asUintN(64, x);
const s64 = (x: bigint): bigint => BigInt.asIntN(64, x);

/** Both are the same number: each gets the intersection. */
function refineEqual(a: RegState, b: RegState, narrow: boolean): void {
  if (narrow) {
    a.u32min = b.u32min = Math.max(a.u32min, b.u32min);
    a.u32max = b.u32max = Math.min(a.u32max, b.u32max);
    a.s32min = b.s32min = Math.max(a.s32min, b.s32min);
    a.s32max = b.s32max = Math.min(a.s32max, b.s32max);
    const low = tnumIntersect(tnumSubreg(a.varOff), tnumSubreg(b.varOff));
    a.varOff = tnumWithSubreg(a.varOff, low);
    b.varOff = tnumWithSubreg(b.varOff, low);
    return;
  }
  a.umin = b.umin = maxOf(a.umin, b.umin);
  a.umax = b.umax = minOf(a.umax, b.umax);
  a.smin = b.smin = maxOf(a.smin, b.smin);
  a.smax = b.smax = minOf(a.smax, b.smax);
  a.varOff = b.varOff = tnumIntersect(a.varOff, b.varOff);
}

/** `reg` is not `value`: helps where that is one end of a range. */
function refineUnequal(reg: RegState, value: bigint, narrow: boolean): void {
  if (narrow) {
    const u = Number(value);
    const s = u | 0;
    if (reg.u32min === u) reg.u32min = (reg.u32min + 1) >>> 0;
    if (reg.u32max === u) reg.u32max = (reg.u32max - 1) >>> 0;
    if (reg.s32min === s) reg.s32min = (reg.s32min + 1) | 0;
    if (reg.s32max === s) reg.s32max = (reg.s32max - 1) | 0;
    return;
  }
  const s = s64(value);
  if (reg.umin === value) reg.umin = u64(reg.umin + 1n);
  if (reg.umax === value) reg.umax = u64(reg.umax - 1n);
  if (reg.smin === s) reg.smin = s64(reg.smin + 1n);
  if (reg.smax === s) reg.smax = s64(reg.smax - 1n);
}

const isPowerOf2 = (x: bigint): boolean => x !== 0n && (x & (x - 1n)) === 0n;

/** `reg & bits` is not zero: says something of a single bit only. */
function refineBitSet(reg: RegState, bits: bigint, narrow: boolean): void {
  if (!isPowerOf2(bits)) return;
  const set = tnumConst(bits);
  reg.varOff = narrow ? tnumWithSubreg(reg.varOff, tnumOr(tnumSubreg(reg.varOff), set)) : tnumOr(reg.varOff, set);
}

/** `reg & bits` is zero. Ranges are forgotten first: on a dead branch they might contradict the bits. */
function refineBitsClear(reg: RegState, bits: bigint, narrow: boolean): void {
  markRegUnbounded(reg);
  const kept = tnumConst(u64(~bits));
  reg.varOff = narrow ? tnumWithSubreg(reg.varOff, tnumAnd(tnumSubreg(reg.varOff), kept)) : tnumAnd(reg.varOff, kept);
}

/** a <= b, or a < b if `strict` */
function refineLess(a: RegState, b: RegState, strict: boolean, signed: boolean, narrow: boolean): void {
  const by = strict ? 1 : 0;
  if (narrow && signed) {
    a.s32max = Math.min(a.s32max, (b.s32max - by) | 0);
    b.s32min = Math.max((a.s32min + by) | 0, b.s32min);
  } else if (narrow) {
    a.u32max = Math.min(a.u32max, (b.u32max - by) >>> 0);
    b.u32min = Math.max((a.u32min + by) >>> 0, b.u32min);
  } else if (signed) {
    a.smax = minOf(a.smax, s64(b.smax - BigInt(by)));
    b.smin = maxOf(s64(a.smin + BigInt(by)), b.smin);
  } else {
    a.umax = minOf(a.umax, u64(b.umax - BigInt(by)));
    b.umin = maxOf(u64(a.umin + BigInt(by)), b.umin);
  }
}

/** Narrows both scalars by the knowledge that `a op b`. */
function refine(a: RegState, b: RegState, op: number, narrow: boolean): void {
  switch (op) {
    case JMP.JGE:
    case JMP.JGT:
    case JMP.JSGE:
    case JMP.JSGT:
      refine(b, a, FLIPPED[op], narrow);
      return;
    case JMP.JEQ:
      refineEqual(a, b, narrow);
      return;
    case JMP.JLE:
    case JMP.JLT:
      refineLess(a, b, op === JMP.JLT, false, narrow);
      return;
    case JMP.JSLE:
    case JMP.JSLT:
      refineLess(a, b, op === JMP.JSLT, true, narrow);
      return;
  }
  // The others need one side to be a constant.
  const [reg, constant] = isRegConst(b, narrow) ? [a, b] : [b, a];
  if (!isRegConst(constant, narrow)) return;
  const value = regConst(constant, narrow);
  if (op === JMP.JNE) refineUnequal(reg, value, narrow);
  else if (op === JMP.JSET) refineBitSet(reg, value, narrow);
  else if (op === NOT_JSET) refineBitsClear(reg, value, narrow);
}

/**
 * After an undecided `a op b`: narrows the operands of the path that jumps and of the one that goes on. Pointers are
 * left alone. 0, or -EFAULT where contradictions are refused.
 */
export function refineBranches(
  env: VerifierEnv,
  jumpA: RegState,
  jumpB: RegState,
  onA: RegState,
  onB: RegState,
  op: number,
  narrow: boolean,
): number {
  if (onA.type !== REG.SCALAR || onB.type !== REG.SCALAR) return 0;
  refine(onA, onB, OPPOSITE[op] ?? 0, narrow);
  regBoundsSync(onA);
  regBoundsSync(onB);
  refine(jumpA, jumpB, op, narrow);
  regBoundsSync(jumpA);
  regBoundsSync(jumpB);
  return (
    regBoundsSanityCheck(env, jumpA, 'true_reg1') ||
    regBoundsSanityCheck(env, jumpB, 'true_reg2') ||
    regBoundsSanityCheck(env, onA, 'false_reg1') ||
    regBoundsSanityCheck(env, onB, 'false_reg2')
  );
}
