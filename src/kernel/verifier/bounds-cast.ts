// Narrowing and extending: what remains known when a register is cut to a size and extended again. Rule: verifier.c, 6.18.
import { regBoundsSync } from './bounds-sync.ts';
import { markReg32Unbounded, markRegUnbounded, setKnownValue } from './scalar-marks.ts';
import { tnumCast, tnumRange, tnumSubreg } from './tnum.ts';
import { type RegState, TNUM_UNKNOWN } from './types.ts';

/** 64-bit bounds of a zero-extended low half (__reg_assign_32_into_64). */
function assign32Into64(reg: RegState): void {
  reg.umin = BigInt(reg.u32min);
  reg.umax = BigInt(reg.u32max);
  const positive = reg.s32min >= 0 && reg.s32max >= 0;
  reg.smin = positive ? BigInt(reg.s32min) : 0n;
  reg.smax = positive ? BigInt(reg.s32max) : 0xffffffffn;
}

/** The upper half becomes zero, as every 32-bit operation does (zext_32_to_64). */
export function zeroExtend32(reg: RegState): void {
  reg.varOff = tnumSubreg(reg.varOff);
  assign32Into64(reg);
}

/** Cuts to `bytes` (1, 2 or 4) and zero-extends. */
export function coerceToSize(reg: RegState, bytes: number): void {
  reg.varOff = tnumCast(reg.varOff, bytes);
  const bits = bytes * 8;
  const shift = BigInt(bits);
  if (reg.umin >> shift === reg.umax >> shift) {
    reg.umin = BigInt.asUintN(bits, reg.umin);
    reg.umax = BigInt.asUintN(bits, reg.umax);
  } else {
    reg.umin = 0n;
    reg.umax = (1n << shift) - 1n;
  }
  reg.smin = reg.umin;
  reg.smax = reg.umax;
  if (bytes < 4) markReg32Unbounded(reg);
  regBoundsSync(reg);
}

/** Cuts to `bytes` (1, 2 or 4) and sign-extends to 64 bits. */
export function coerceToSizeSx(reg: RegState, bytes: number): void {
  const bits = bytes * 8;
  if (reg.varOff.mask === 0n) {
    setKnownValue(reg, BigInt.asIntN(bits, reg.varOff.value));
    return;
  }
  const shift = BigInt(bits);
  if (reg.smax >> shift === reg.smin >> shift) {
    const a = BigInt.asIntN(bits, reg.smin);
    const b = BigInt.asIntN(bits, reg.smax);
    const [min, max] = a < b ? [a, b] : [b, a];
    if (max >= 0n === min >= 0n) {
      reg.smin = min;
      reg.smax = max;
      reg.umin = BigInt.asUintN(64, min);
      reg.umax = BigInt.asUintN(64, max);
      reg.s32min = Number(min);
      reg.s32max = Number(max);
      reg.u32min = reg.s32min >>> 0;
      reg.u32max = reg.s32max >>> 0;
      reg.varOff = tnumRange(reg.umin, reg.umax);
      return;
    }
  }
  markRegUnbounded(reg);
  reg.s32min = -(2 ** (bits - 1));
  reg.s32max = 2 ** (bits - 1) - 1;
  reg.smin = BigInt(reg.s32min);
  reg.smax = BigInt(reg.s32max);
  reg.varOff = TNUM_UNKNOWN;
}

/**
 * Cuts to `bytes` (1 or 2) and sign-extends to 32 bits. Only the 32-bit bounds are set; the known bits are those of the
 * low half. The caller zero-extends.
 */
export function coerceSubregToSizeSx(reg: RegState, bytes: number): void {
  const bits = bytes * 8;
  const cut = (x: number): number => (x << (32 - bits)) >> (32 - bits);
  const setRange = (min: number, max: number): void => {
    reg.s32min = min;
    reg.s32max = max;
    reg.u32min = min >>> 0;
    reg.u32max = max >>> 0;
  };
  if (reg.varOff.mask === 0n) {
    const value = BigInt.asIntN(bits, reg.varOff.value);
    reg.varOff = { value: BigInt.asUintN(64, value), mask: 0n };
    setRange(Number(value), Number(value));
    return;
  }
  if (reg.s32max >> bits === reg.s32min >> bits) {
    const a = cut(reg.s32min);
    const b = cut(reg.s32max);
    const min = Math.min(a, b);
    const max = Math.max(a, b);
    if (min >= 0 === max >= 0) {
      setRange(min, max);
      reg.varOff = tnumSubreg(tnumRange(BigInt.asUintN(64, BigInt(min)), BigInt.asUintN(64, BigInt(max))));
      return;
    }
  }
  reg.s32min = -(2 ** (bits - 1));
  reg.s32max = 2 ** (bits - 1) - 1;
  reg.u32min = 0;
  reg.u32max = 0xffffffff;
  reg.varOff = tnumSubreg(TNUM_UNKNOWN);
}
