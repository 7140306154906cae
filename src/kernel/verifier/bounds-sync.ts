// Lets the ways in which a value is bounded (known bits; signed and unsigned, 64 and 32 bits wide) learn from each
// other. Rule: reg_bounds_sync and its parts, verifier.c, 6.18.
import { ERRNO } from '../../errno.ts';
import type { VerifierEnv } from './env.ts';
import { markRegUnbounded, setKnownValue } from './scalar-marks.ts';
import { tnumIntersect, tnumRange, tnumStep } from './tnum.ts';
import {
  type RegState,
  S32_MAX,
  S32_MIN,
  S64_MAX,
  S64_MIN,
  TNUM_UNKNOWN,
  type Tnum,
  U32_MAX,
  U64_MAX,
} from './types.ts';

const LOW32 = 0xffffffffn;
const HIGH32 = 0xffffffff00000000n;
const SIGN64 = 0x8000000000000000n;
const S32_MIN_WIDE = BigInt(S32_MIN);
const S32_MAX_WIDE = BigInt(S32_MAX);

// Splits a 64-bit value into its halves without an allocation.
const wide = new BigInt64Array(1);
const words = new Uint32Array(wide.buffer);

/** Bounds that the known bits imply, low half. */
export function updateReg32Bounds(reg: RegState): void {
  wide[0] = reg.varOff.value;
  const value = words[0];
  wide[0] = reg.varOff.mask;
  const mask = words[0];
  const least = value | (mask & S32_MIN) | 0;
  const most = value | (mask & S32_MAX) | 0;
  if (least > reg.s32min) reg.s32min = least;
  if (most < reg.s32max) reg.s32max = most;
  if (value > reg.u32min) reg.u32min = value;
  const uMost = (value | mask) >>> 0;
  if (uMost < reg.u32max) reg.u32max = uMost;
}

/** Bounds that the known bits imply; a constant if known bits and unsigned range have but one value in common. */
function updateReg64Bounds(reg: RegState): void {
  const { value, mask } = reg.varOff;
  const greatest = value | mask;
  const negative = (mask & SIGN64) !== 0n;
  const least = BigInt.asIntN(64, negative ? value | SIGN64 : value);
  const most = BigInt.asIntN(64, negative ? greatest ^ SIGN64 : greatest);
  if (least > reg.smin) reg.smin = least;
  if (most < reg.smax) reg.smax = most;
  if (value > reg.umin) reg.umin = value;
  if (greatest < reg.umax) reg.umax = greatest;

  if (reg.umin === value) {
    // The member after the least one has the lowest unknown bit set.
    if (value + (mask & -mask) > reg.umax) setKnownValue(reg, value);
    return;
  }
  const next = tnumStep(reg.varOff, reg.umin);
  if ((reg.umin & ~mask) === value) {
    if (next > reg.umax) setKnownValue(reg, reg.umin);
  } else if (next === greatest) {
    setKnownValue(reg, greatest);
  } else if (next <= reg.umax && tnumStep(reg.varOff, next) > reg.umax) {
    setKnownValue(reg, next);
  }
}

export function updateRegBounds(reg: RegState): void {
  updateReg32Bounds(reg);
  updateReg64Bounds(reg);
}

/** Intersects the 32-bit signed range; arguments are taken as signed. */
function narrowS32(reg: RegState, min: number, max: number): void {
  if ((min | 0) > reg.s32min) reg.s32min = min | 0;
  if ((max | 0) < reg.s32max) reg.s32max = max | 0;
}

/** Intersects the 32-bit unsigned range; arguments are taken as unsigned. */
function narrowU32(reg: RegState, min: number, max: number): void {
  if (min >>> 0 > reg.u32min) reg.u32min = min >>> 0;
  if (max >>> 0 < reg.u32max) reg.u32max = max >>> 0;
}

/** What the 64-bit ranges and the other 32-bit range say about each 32-bit range. */
function deduce32(reg: RegState): void {
  wide[0] = reg.umin;
  const [uMinLow, uMinHigh] = words;
  wide[0] = reg.umax;
  const [uMaxLow, uMaxHigh] = words;
  wide[0] = reg.smin;
  const [sMinLow, sMinHigh] = words;
  wide[0] = reg.smax;
  const [sMaxLow, sMaxHigh] = words;

  // One upper half throughout: the lower halves are a range of their own.
  if (uMinHigh === uMaxHigh) {
    narrowU32(reg, uMinLow, uMaxLow);
    if ((uMinLow | 0) <= (uMaxLow | 0)) narrowS32(reg, uMinLow, uMaxLow);
  }
  if (sMinHigh === sMaxHigh) {
    if (sMinLow <= sMaxLow) narrowU32(reg, sMinLow, sMaxLow);
    if ((sMinLow | 0) <= (sMaxLow | 0)) narrowS32(reg, sMinLow, sMaxLow);
  }
  // Two adjacent upper halves, the lower ones going from negative to positive.
  if ((uMinHigh + 1) >>> 0 === uMaxHigh && (uMinLow | 0) < 0 && (uMaxLow | 0) >= 0) narrowS32(reg, uMinLow, uMaxLow);
  if ((sMinHigh + 1) >>> 0 === sMaxHigh && (sMinLow | 0) < 0 && (sMaxLow | 0) >= 0) narrowS32(reg, sMinLow, sMaxLow);

  if ((reg.u32min | 0) <= (reg.u32max | 0)) narrowS32(reg, reg.u32min, reg.u32max);
  const sMin = reg.s32min >>> 0;
  const sMax = reg.s32max >>> 0;
  if (sMin <= sMax) {
    narrowU32(reg, sMin, sMax);
  } else if (reg.u32max < sMin) {
    // The unsigned range meets only the non-negative part of the signed one.
    reg.s32min = reg.u32min | 0;
    if (sMax < reg.u32max) reg.u32max = sMax;
  } else if (sMax < reg.u32min) {
    // …or only the negative part.
    reg.s32max = reg.u32max | 0;
    if (sMin > reg.u32min) reg.u32min = sMin;
  }
}

/** The same between the signed and the unsigned 64-bit range. */
function deduce64(reg: RegState): void {
  const uMin = BigInt.asIntN(64, reg.umin);
  const uMax = BigInt.asIntN(64, reg.umax);
  if (uMin <= uMax) {
    if (uMin > reg.smin) reg.smin = uMin;
    if (uMax < reg.smax) reg.smax = uMax;
  }
  const sMin = BigInt.asUintN(64, reg.smin);
  const sMax = BigInt.asUintN(64, reg.smax);
  if (sMin <= sMax) {
    if (sMin > reg.umin) reg.umin = sMin;
    if (sMax < reg.umax) reg.umax = sMax;
  } else if (reg.umax < sMin) {
    reg.smin = uMin;
    if (sMax < reg.umax) reg.umax = sMax;
  } else if (sMax < reg.umin) {
    reg.smax = uMax;
    if (sMin > reg.umin) reg.umin = sMin;
  }
}

/** What the 32-bit ranges say about the 64-bit ones. */
function deduceMixed(reg: RegState): void {
  const low = BigInt(reg.u32min);
  const high = BigInt(reg.u32max);
  const uMin = (reg.umin & HIGH32) | low;
  const uMax = (reg.umax & HIGH32) | high;
  if (uMin > reg.umin) reg.umin = uMin;
  if (uMax < reg.umax) reg.umax = uMax;
  const sMin = (reg.smin & ~LOW32) | low;
  const sMax = (reg.smax & ~LOW32) | high;
  if (sMin > reg.smin) reg.smin = sMin;
  if (sMax < reg.smax) reg.smax = sMax;

  // A sign-extended value whose low half is not negative: the upper half can only be zeros.
  if (reg.s32min >= 0 && reg.smin >= S32_MIN_WIDE && reg.smax <= S32_MAX_WIDE) {
    const min = BigInt(reg.s32min);
    const max = BigInt(reg.s32max);
    reg.smin = min;
    reg.smax = max;
    reg.umin = BigInt.asUintN(64, min);
    reg.umax = BigInt.asUintN(64, max);
    keepTnum(reg, tnumIntersect(reg.varOff, tnumRange(reg.umin, reg.umax)));
  }
}

/** Equal tnums stay the same object. */
function keepTnum(reg: RegState, t: Tnum): void {
  if (t.value !== reg.varOff.value || t.mask !== reg.varOff.mask) reg.varOff = t;
}

/** One round of deductions; false if it changed nothing, so that another round would not either. */
function deduce(reg: RegState): boolean {
  const { umin, umax, smin, smax, u32min, u32max, s32min, s32max, varOff } = reg;
  deduce32(reg);
  deduce64(reg);
  deduceMixed(reg);
  return !(
    reg.u32min === u32min &&
    reg.u32max === u32max &&
    reg.s32min === s32min &&
    reg.s32max === s32max &&
    reg.varOff === varOff &&
    reg.umin === umin &&
    reg.umax === umax &&
    reg.smin === smin &&
    reg.smax === smax
  );
}

/** Bits that the unsigned ranges fix. */
function learnBits(reg: RegState): void {
  const whole =
    reg.umin === 0n && reg.umax === U64_MAX ? reg.varOff : tnumIntersect(reg.varOff, tnumRange(reg.umin, reg.umax));
  if (reg.u32min === 0 && reg.u32max === U32_MAX) {
    keepTnum(reg, whole);
    return;
  }
  const range = tnumRange(BigInt(reg.u32min), BigInt(reg.u32max));
  const mask = whole.mask & LOW32 & range.mask;
  const value = ((whole.value & LOW32) | range.value) & ~mask;
  keepTnum(reg, { value: (whole.value & HIGH32) | value, mask: (whole.mask & HIGH32) | mask });
}

/** A constant, and all bounds say so. */
export function isConstant(reg: RegState): boolean {
  const { value, mask } = reg.varOff;
  if (mask !== 0n || reg.umin !== value || reg.umax !== value) return false;
  wide[0] = value;
  const low = words[0];
  return (
    reg.u32min === low &&
    reg.u32max === low &&
    reg.s32min === (low | 0) &&
    reg.s32max === (low | 0) &&
    reg.smin === wide[0] &&
    reg.smax === wide[0]
  );
}

/** A constant whose 32-bit bounds merely include it, as those of a moved pointer do: sets them. False: something else. */
function settleConstant(reg: RegState): boolean {
  const { value, mask } = reg.varOff;
  if (mask !== 0n || reg.umin !== value || reg.umax !== value) return false;
  wide[0] = value;
  if (reg.smin !== wide[0] || reg.smax !== wide[0]) return false;
  const low = words[0];
  const signed = low | 0;
  if (low < reg.u32min || low > reg.u32max || signed < reg.s32min || signed > reg.s32max) return false;
  reg.u32min = low;
  reg.u32max = low;
  reg.s32min = signed;
  reg.s32max = signed;
  return true;
}

const isUnknown = (reg: RegState): boolean =>
  reg.varOff === TNUM_UNKNOWN &&
  reg.u32min === 0 &&
  reg.u32max === U32_MAX &&
  reg.s32min === S32_MIN &&
  reg.s32max === S32_MAX &&
  reg.umin === 0n &&
  reg.umax === U64_MAX &&
  reg.smin === S64_MIN &&
  reg.smax === S64_MAX;

/** Brings all bounds of a register in line with each other. */
export function regBoundsSync(reg: RegState): void {
  // The rules below would not change these further.
  if (settleConstant(reg) || isUnknown(reg)) return;
  updateRegBounds(reg);
  // Three rounds, as many as the kernel does: a fixed point may need more, and must not get them.
  if (deduce(reg) && deduce(reg)) deduce(reg);
  learnBits(reg);
  updateRegBounds(reg);
}

const hex = (x: bigint | number): string => `0x${x.toString(16)}`;
const hex64 = (x: bigint): string => hex(BigInt.asUintN(64, x));
const hex32 = (x: number): string => hex(x >>> 0);

function contradiction(reg: RegState): string | undefined {
  if (reg.umin > reg.umax || reg.smin > reg.smax || reg.u32min > reg.u32max || reg.s32min > reg.s32max) {
    return 'range bounds violation';
  }
  const { value, mask } = reg.varOff;
  if (mask === 0n) {
    const signed = BigInt.asIntN(64, value);
    if (reg.umin !== value || reg.umax !== value || reg.smin !== signed || reg.smax !== signed) {
      return 'const tnum out of sync with range bounds';
    }
  }
  wide[0] = mask;
  if (words[0] === 0) {
    wide[0] = value;
    const low = words[0];
    if (reg.u32min !== low || reg.u32max !== low || reg.s32min !== (low | 0) || reg.s32max !== (low | 0)) {
      return 'const subreg tnum out of sync with range bounds';
    }
  }
  return undefined;
}

/**
 * After an operation: contradicting bounds are reported and given up, or with BPF_F_TEST_REG_INVARIANTS refused
 * (-EFAULT). `ctx` names the operation in the message.
 */
export function regBoundsSanityCheck(env: VerifierEnv, reg: RegState, ctx: string): number {
  const message = contradiction(reg);
  if (message === undefined) return 0;
  env.log.write(
    `verifier bug: REG INVARIANTS VIOLATION (${ctx}): ${message} u64=[${hex64(reg.umin)}, ${hex64(reg.umax)}] ` +
      `s64=[${hex64(reg.smin)}, ${hex64(reg.smax)}] u32=[${hex32(reg.u32min)}, ${hex32(reg.u32max)}] ` +
      `s32=[${hex32(reg.s32min)}, ${hex32(reg.s32max)}] var_off=(${hex64(reg.varOff.value)}, ${hex64(reg.varOff.mask)})\n`,
  );
  if (env.testRegInvariants) return -ERRNO.EFAULT;
  markRegUnbounded(reg);
  return 0;
}

/** Intersects with a signed 32-bit range that also bounds the whole value (__mark_reg_s32_range). */
export function narrowToS32Range(env: VerifierEnv, reg: RegState, min: number, max: number): number {
  narrowS32(reg, min, max);
  const wideMin = BigInt(min);
  const wideMax = BigInt(max);
  if (wideMin > reg.smin) reg.smin = wideMin;
  if (wideMax < reg.smax) reg.smax = wideMax;
  regBoundsSync(reg);
  return regBoundsSanityCheck(env, reg, 's32_range');
}
