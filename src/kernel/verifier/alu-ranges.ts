// Arithmetic and bitwise operations on what is known of two scalars: bounds of both widths and known bits. Each changes
// `dst` and leaves it for regBoundsSync(). `src` must be another object. Rule: scalar_min_max_*, verifier.c, 6.18.
import { updateRegBounds } from './bounds-sync.ts';
import { markReg32Known, markRegKnown } from './scalar-marks.ts';
import { tnumAdd, tnumAnd, tnumMul, tnumOr, tnumSub, tnumSubregIsConst, tnumXor } from './tnum.ts';
import { type RegState, S32_MAX, S32_MIN, S64_MAX, S64_MIN, U32_MAX, U64_MAX } from './types.ts';

const fitsS32 = (x: number): boolean => x >= S32_MIN && x <= S32_MAX;
const fitsS64 = (x: bigint): boolean => x >= S64_MIN && x <= S64_MAX;
const minOf = (a: bigint, b: bigint): bigint => (a < b ? a : b);
const maxOf = (a: bigint, b: bigint): bigint => (a > b ? a : b);
const low = (x: bigint): number => Number(BigInt.asUintN(32, x));

function setS32(reg: RegState, min: number, max: number): void {
  const fits = fitsS32(min) && fitsS32(max);
  reg.s32min = fits ? min : S32_MIN;
  reg.s32max = fits ? max : S32_MAX;
}

function setS64(reg: RegState, min: bigint, max: bigint): void {
  const fits = fitsS64(min) && fitsS64(max);
  reg.smin = fits ? min : S64_MIN;
  reg.smax = fits ? max : S64_MAX;
}

/** Exact bounds, taken modulo 2^32 where both ends wrap alike; none where a multiple of 2^32 lies between them. */
function setU32(reg: RegState, min: number, max: number): void {
  const split = Math.floor(min / 2 ** 32) < Math.floor(max / 2 ** 32);
  reg.u32min = split ? 0 : min >>> 0;
  reg.u32max = split ? U32_MAX : max >>> 0;
}

function setU64(reg: RegState, min: bigint, max: bigint): void {
  const split = min >> 64n < max >> 64n;
  reg.umin = split ? 0n : BigInt.asUintN(64, min);
  reg.umax = split ? U64_MAX : BigInt.asUintN(64, max);
}

/** dst += src */
export function addScalar(dst: RegState, src: RegState): void {
  setS32(dst, dst.s32min + src.s32min, dst.s32max + src.s32max);
  setU32(dst, dst.u32min + src.u32min, dst.u32max + src.u32max);
  setS64(dst, dst.smin + src.smin, dst.smax + src.smax);
  setU64(dst, dst.umin + src.umin, dst.umax + src.umax);
  dst.varOff = tnumAdd(dst.varOff, src.varOff);
}

/** dst -= src */
export function subScalar(dst: RegState, src: RegState): void {
  setS32(dst, dst.s32min - src.s32max, dst.s32max - src.s32min);
  setU32(dst, dst.u32min - src.u32max, dst.u32max - src.u32min);
  setS64(dst, dst.smin - src.smax, dst.smax - src.smin);
  setU64(dst, dst.umin - src.umax, dst.umax - src.umin);
  dst.varOff = tnumSub(dst.varOff, src.varOff);
}

function mul32(dst: RegState, src: RegState): void {
  const uMax = dst.u32max * src.u32max;
  const uMin = dst.u32min * src.u32min;
  const fits = uMax <= U32_MAX && uMin <= U32_MAX;
  dst.u32min = fits ? uMin : 0;
  dst.u32max = fits ? uMax : U32_MAX;
  const a = dst.s32min * src.s32min;
  const b = dst.s32min * src.s32max;
  const c = dst.s32max * src.s32min;
  const d = dst.s32max * src.s32max;
  const signedFit = fitsS32(a) && fitsS32(b) && fitsS32(c) && fitsS32(d);
  dst.s32min = signedFit ? Math.min(a, b, c, d) | 0 : S32_MIN;
  dst.s32max = signedFit ? Math.max(a, b, c, d) | 0 : S32_MAX;
}

function mul64(dst: RegState, src: RegState): void {
  const uMax = dst.umax * src.umax;
  const uMin = dst.umin * src.umin;
  const fits = uMax <= U64_MAX && uMin <= U64_MAX;
  dst.umin = fits ? uMin : 0n;
  dst.umax = fits ? uMax : U64_MAX;
  const a = dst.smin * src.smin;
  const b = dst.smin * src.smax;
  const c = dst.smax * src.smin;
  const d = dst.smax * src.smax;
  const signedFit = fitsS64(a) && fitsS64(b) && fitsS64(c) && fitsS64(d);
  dst.smin = signedFit ? minOf(minOf(a, b), minOf(c, d)) : S64_MIN;
  dst.smax = signedFit ? maxOf(maxOf(a, b), maxOf(c, d)) : S64_MAX;
}

/** dst *= src */
export function mulScalar(dst: RegState, src: RegState): void {
  dst.varOff = tnumMul(dst.varOff, src.varOff);
  mul32(dst, src);
  mul64(dst, src);
}

/** Signed bounds from unsigned ones that stay on one side of the sign; else none. */
function signedFromUnsigned32(reg: RegState): void {
  const oneSide = (reg.u32min | 0) <= (reg.u32max | 0);
  reg.s32min = oneSide ? reg.u32min | 0 : S32_MIN;
  reg.s32max = oneSide ? reg.u32max | 0 : S32_MAX;
}

function signedFromUnsigned64(reg: RegState): void {
  const min = BigInt.asIntN(64, reg.umin);
  const max = BigInt.asIntN(64, reg.umax);
  reg.smin = min <= max ? min : S64_MIN;
  reg.smax = min <= max ? max : S64_MAX;
}

/** Bounds after a bitwise operation, once the known bits of its result are in `dst`. */
function boundBitwise(dst: RegState, src: RegState, op: 'and' | 'or' | 'xor'): void {
  const least = dst.varOff.value;
  const most = least | dst.varOff.mask;
  if (tnumSubregIsConst(src.varOff) && tnumSubregIsConst(dst.varOff)) {
    markReg32Known(dst, low(least));
  } else {
    dst.u32min = op === 'or' ? Math.max(dst.u32min, src.u32min) : low(least);
    dst.u32max = op === 'and' ? Math.min(dst.u32max, src.u32max) : low(most);
    signedFromUnsigned32(dst);
  }
  if (src.varOff.mask === 0n && least === most) {
    markRegKnown(dst, least);
    return;
  }
  dst.umin = op === 'or' ? maxOf(dst.umin, src.umin) : least;
  dst.umax = op === 'and' ? minOf(dst.umax, src.umax) : most;
  signedFromUnsigned64(dst);
  updateRegBounds(dst);
}

/** dst &= src */
export function andScalar(dst: RegState, src: RegState): void {
  dst.varOff = tnumAnd(dst.varOff, src.varOff);
  boundBitwise(dst, src, 'and');
}

/** dst |= src */
export function orScalar(dst: RegState, src: RegState): void {
  dst.varOff = tnumOr(dst.varOff, src.varOff);
  boundBitwise(dst, src, 'or');
}

/** dst ^= src */
export function xorScalar(dst: RegState, src: RegState): void {
  dst.varOff = tnumXor(dst.varOff, src.varOff);
  boundBitwise(dst, src, 'xor');
}
