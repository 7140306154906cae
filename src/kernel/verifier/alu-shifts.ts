// Shifts by a known amount and byte swaps of what is known of a scalar. Each changes `dst` and leaves it for
// regBoundsSync(). Rule: scalar_min_max_{lsh,rsh,arsh} and scalar_byte_swap, verifier.c, 6.18.
import type { Insn } from '../../isa/insn.ts';
import { CLASS, insnClass, insnSrc, SRC } from '../../isa/opcode.ts';
import { coerceToSize } from './bounds-cast.ts';
import { updateReg32Bounds, updateRegBounds } from './bounds-sync.ts';
import { clearScalarId, markReg32Unbounded, markReg64Unbounded, markRegUnbounded } from './scalar-marks.ts';
import { tnumArshift, tnumBswap, tnumLshift, tnumRshift, tnumSubreg } from './tnum.ts';
import { type RegState, S32_MAX, S32_MIN, S64_MAX, S64_MIN, U32_MAX, U64_MAX } from './types.ts';

/** Low-half bounds of a left shift; lost if a set bit might leave at the top. */
function lshBounds32(dst: RegState, shift: number): void {
  dst.s32min = S32_MIN;
  dst.s32max = S32_MAX;
  if (shift > 31 || dst.u32max > 2 ** (31 - shift)) {
    dst.u32min = 0;
    dst.u32max = U32_MAX;
  } else {
    dst.u32min = (dst.u32min << shift) >>> 0;
    dst.u32max = (dst.u32max << shift) >>> 0;
  }
}

/** w <<= shift */
export function lsh32(dst: RegState, shift: number): void {
  lshBounds32(dst, shift);
  dst.varOff = tnumSubreg(tnumLshift(tnumSubreg(dst.varOff), shift));
  markReg64Unbounded(dst);
  updateReg32Bounds(dst);
}

/** r <<= shift */
export function lsh64(dst: RegState, shift: number): void {
  const by = BigInt(shift);
  if (shift === 32) {
    // First half of the usual sign extension of the low half: its order is kept.
    dst.smin = BigInt(dst.s32min) << 32n;
    dst.smax = BigInt(dst.s32max) << 32n;
  } else {
    dst.smin = S64_MIN;
    dst.smax = S64_MAX;
  }
  if (dst.umax > 1n << (63n - by)) {
    dst.umin = 0n;
    dst.umax = U64_MAX;
  } else {
    dst.umin = BigInt.asUintN(64, dst.umin << by);
    dst.umax = BigInt.asUintN(64, dst.umax << by);
  }
  lshBounds32(dst, shift);
  dst.varOff = tnumLshift(dst.varOff, shift);
  updateRegBounds(dst);
}

/** w >>= shift */
export function rsh32(dst: RegState, shift: number): void {
  dst.s32min = S32_MIN;
  dst.s32max = S32_MAX;
  dst.varOff = tnumRshift(tnumSubreg(dst.varOff), shift);
  dst.u32min >>>= shift;
  dst.u32max >>>= shift;
  markReg64Unbounded(dst);
  updateReg32Bounds(dst);
}

/** r >>= shift */
export function rsh64(dst: RegState, shift: number): void {
  const by = BigInt(shift);
  dst.smin = S64_MIN;
  dst.smax = S64_MAX;
  dst.varOff = tnumRshift(dst.varOff, shift);
  dst.umin >>= by;
  dst.umax >>= by;
  markReg32Unbounded(dst);
  updateRegBounds(dst);
}

/** w s>>= shift */
export function arsh32(dst: RegState, shift: number): void {
  dst.s32min >>= shift;
  dst.s32max >>= shift;
  dst.varOff = tnumArshift(tnumSubreg(dst.varOff), shift, 32);
  dst.u32min = 0;
  dst.u32max = U32_MAX;
  markReg64Unbounded(dst);
  updateReg32Bounds(dst);
}

/** r s>>= shift */
export function arsh64(dst: RegState, shift: number): void {
  const by = BigInt(shift);
  dst.smin >>= by;
  dst.smax >>= by;
  dst.varOff = tnumArshift(dst.varOff, shift, 64);
  dst.umin = 0n;
  dst.umax = U64_MAX;
  markReg32Unbounded(dst);
  updateRegBounds(dst);
}

/** bswap16/32/64, be16/32/64 and le16/32/64 of a little-endian machine, where the last one only cuts. */
export function byteSwap(dst: RegState, insn: Insn): void {
  const bits = insn.imm;
  const swaps = insnClass(insn.code) === CLASS.ALU64 || insnSrc(insn.code) === SRC.X;
  if (swaps || bits < 64) clearScalarId(dst);
  if (swaps) {
    dst.varOff = tnumBswap(dst.varOff, bits);
    markRegUnbounded(dst);
  }
  if (bits < 64) coerceToSize(dst, bits / 8);
}
