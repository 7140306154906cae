// Tristate numbers: 64-bit values of which some bits are known. Pure functions; values are unsigned 64-bit and the
// known part never overlaps the unknown one (`value & mask` is 0). Rule: tnum.c, 6.18.
import { TNUM_UNKNOWN, TNUM_ZERO, type Tnum, U64_MAX } from './types.ts';

const LOW32 = 0xffffffffn;
const HIGH32 = 0xffffffff00000000n;

const u64 = (x: bigint): bigint => BigInt.asUintN(64, x);
const make = (value: bigint, mask: bigint): Tnum => ({ value, mask });

const words = new Uint32Array(2);
const wide = new BigUint64Array(words.buffer);

/** Number of bits needed for an unsigned 64-bit value; 0 for 0 (fls64). */
export function bitLength(x: bigint): number {
  wide[0] = x;
  return words[1] !== 0 ? 64 - Math.clz32(words[1]) : 32 - Math.clz32(words[0]);
}

/** The number `value`, all bits known; it is taken modulo 2^64. */
export const tnumConst = (value: bigint): Tnum => (value === 0n ? TNUM_ZERO : make(u64(value), 0n));

/** The least tnum with all numbers from `min` to `max`, both unsigned and inclusive. */
export function tnumRange(min: bigint, max: bigint): Tnum {
  const bits = bitLength(min ^ max);
  if (bits > 63) return TNUM_UNKNOWN;
  const delta = (1n << BigInt(bits)) - 1n;
  return make(min & ~delta, delta);
}

export const tnumIsConst = (a: Tnum): boolean => a.mask === 0n;
export const tnumIsUnknown = (a: Tnum): boolean => a.mask === U64_MAX;
export const tnumEqualsConst = (a: Tnum, value: bigint): boolean => a.mask === 0n && a.value === value;
export const tnumSubregIsConst = (a: Tnum): boolean => (a.mask & LOW32) === 0n;

/** `shift` is below 64; bits that leave at the top are lost. */
export function tnumLshift(a: Tnum, shift: number): Tnum {
  const by = BigInt(shift);
  return make(u64(a.value << by), u64(a.mask << by));
}

export function tnumRshift(a: Tnum, shift: number): Tnum {
  const by = BigInt(shift);
  return make(a.value >> by, a.mask >> by);
}

/** Arithmetic shift of the low `bits` (32 or 64); an unknown sign fills with unknown bits. */
export function tnumArshift(a: Tnum, shift: number, bits: 32 | 64): Tnum {
  const by = BigInt(shift);
  return make(
    BigInt.asUintN(bits, BigInt.asIntN(bits, a.value) >> by),
    BigInt.asUintN(bits, BigInt.asIntN(bits, a.mask) >> by),
  );
}

export function tnumAdd(a: Tnum, b: Tnum): Tnum {
  const known = u64(a.value + b.value);
  if (a.mask === 0n && b.mask === 0n) return make(known, 0n);
  const top = u64(a.mask + b.mask + known);
  const mask = (top ^ known) | a.mask | b.mask;
  return make(known & ~mask, mask);
}

export function tnumSub(a: Tnum, b: Tnum): Tnum {
  const known = u64(a.value - b.value);
  if (a.mask === 0n && b.mask === 0n) return make(known, 0n);
  const mask = (u64(known + a.mask) ^ u64(known - b.mask)) | a.mask | b.mask;
  return make(known & ~mask, mask);
}

export function tnumAnd(a: Tnum, b: Tnum): Tnum {
  const value = a.value & b.value;
  return make(value, (a.value | a.mask) & (b.value | b.mask) & ~value);
}

export function tnumOr(a: Tnum, b: Tnum): Tnum {
  const value = a.value | b.value;
  return make(value, (a.mask | b.mask) & ~value);
}

export function tnumXor(a: Tnum, b: Tnum): Tnum {
  const mask = a.mask | b.mask;
  return make((a.value ^ b.value) & ~mask, mask);
}

/** The least tnum that holds every member of both. */
export function tnumUnion(a: Tnum, b: Tnum): Tnum {
  const mask = (a.value ^ b.value) | a.mask | b.mask;
  return make(a.value & b.value & ~mask, mask);
}

/** School multiplication over the bits of `a`; where a bit is unknown, the union of adding and not adding. */
export function tnumMul(a: Tnum, b: Tnum): Tnum {
  if (a.mask === 0n && b.mask === 0n) return make(u64(a.value * b.value), 0n);
  let sum = TNUM_ZERO;
  let { value, mask } = a;
  let addend = b;
  while (value !== 0n || mask !== 0n) {
    if (value & 1n) sum = tnumAdd(sum, addend);
    else if (mask & 1n) sum = tnumUnion(sum, tnumAdd(sum, addend));
    value >>= 1n;
    mask >>= 1n;
    addend = tnumLshift(addend, 1);
  }
  return sum;
}

/** Whether no bit is known to differ. */
export function tnumOverlap(a: Tnum, b: Tnum): boolean {
  const unknown = a.mask | b.mask;
  return ((a.value ^ b.value) & ~unknown) === 0n;
}

/** What is known from both; a bit on which they contradict each other comes out as 1. */
export function tnumIntersect(a: Tnum, b: Tnum): Tnum {
  const mask = a.mask & b.mask;
  return make((a.value | b.value) & ~mask, mask);
}

/** The low `bytes` (below 8), zero-extended. */
export function tnumCast(a: Tnum, bytes: number): Tnum {
  const bits = bytes * 8;
  return make(BigInt.asUintN(bits, a.value), BigInt.asUintN(bits, a.mask));
}

/** Whether it is a multiple of `size` for certain, a power of two or 0 (then it always is). */
export const tnumIsAligned = (a: Tnum, size: number): boolean =>
  size === 0 || ((a.value | a.mask) & BigInt(size - 1)) === 0n;

/** Whether all of `b` lies in `a`. */
export const tnumIn = (a: Tnum, b: Tnum): boolean => (b.mask & ~a.mask) === 0n && a.value === (b.value & ~a.mask);

export const tnumSubreg = (a: Tnum): Tnum =>
  a.value <= LOW32 && a.mask <= LOW32 ? a : make(a.value & LOW32, a.mask & LOW32);
export const tnumClearSubreg = (a: Tnum): Tnum => make(a.value & HIGH32, a.mask & HIGH32);
export const tnumWithSubreg = (reg: Tnum, subreg: Tnum): Tnum => tnumOr(tnumClearSubreg(reg), tnumSubreg(subreg));
export const tnumConstSubreg = (a: Tnum, value: bigint): Tnum => tnumWithSubreg(a, make(value & LOW32, 0n));

/** The low `bytes` in reverse order; the rest becomes 0. */
export function swapBytes(x: bigint, bytes: number): bigint {
  let out = 0n;
  for (let i = 0; i < bytes; i++) out = (out << 8n) | ((x >> BigInt(8 * i)) & 0xffn);
  return out;
}

/** Reverses the low 16, 32 or 64 bits; the rest becomes 0. */
export const tnumBswap = (a: Tnum, bits: number): Tnum =>
  make(swapBytes(a.value, bits / 8), swapBytes(a.mask, bits / 8));

/**
 * The least member of `t` above `z`. If `z` is at or above the greatest member, that one; if it is below the least
 * one, that one.
 */
export function tnumStep(t: Tnum, z: bigint): bigint {
  const greatest = t.value | t.mask;
  if (z >= greatest) return greatest;
  if (z < t.value) return t.value;
  const nearest = t.value | (z & t.mask);
  if (nearest > z) {
    // The highest bit that t has and z lacks: above it follow z, below it take the least.
    const above = (U64_MAX << BigInt(bitLength(~z & t.value & ~t.mask))) & U64_MAX;
    return (above & z) | (t.value & ~above);
  }
  // The highest bit that z has and t lacks: count one up in the unknown bits above it.
  const k = BigInt(bitLength(z & ~t.value & ~t.mask));
  const above = (U64_MAX << k) & U64_MAX;
  const counter = u64(((above & t.mask & z) | (above & ~t.mask)) + (1n << k));
  return (counter & t.mask) | t.value;
}

const hex = (x: bigint): string => `0x${x.toString(16)}`;

/** "12" or "0x12345" for a constant, "(0x0; 0xff)" otherwise. */
export function tnumStr(a: Tnum): string {
  if (a.mask === 0n) return a.value <= 0xffffn ? a.value.toString() : hex(a.value);
  return `(${hex(a.value)}; ${hex(a.mask)})`;
}
