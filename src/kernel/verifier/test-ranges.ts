// Registers with random knowledge that is true of a known value, for property tests.
import fc from 'fast-check';
import { unknownReg } from './test-env.ts';
import { type RegState, U64_MAX } from './types.ts';

export const u64 = (x: bigint): bigint => BigInt.asUintN(64, x);
const s64 = (x: bigint): bigint => BigInt.asIntN(64, x);
const u32 = (x: bigint): number => Number(BigInt.asUintN(32, x));
const s32 = (x: bigint): number => Number(BigInt.asIntN(32, x));

/** Whether all that `reg` says is true of `v`, an unsigned 64-bit value. */
export const admits = (reg: RegState, v: bigint): boolean =>
  (v & ~reg.varOff.mask & U64_MAX) === reg.varOff.value &&
  reg.umin <= v &&
  v <= reg.umax &&
  reg.smin <= s64(v) &&
  s64(v) <= reg.smax &&
  reg.u32min <= u32(v) &&
  u32(v) <= reg.u32max &&
  reg.s32min <= s32(v) &&
  s32(v) <= reg.s32max;

/** 64-bit values, many of them near 0 and near powers of two. */
export const anyValue = fc.oneof(
  fc.bigInt(0n, U64_MAX),
  fc.integer({ min: -300, max: 300 }).map((x) => u64(BigInt(x))),
  fc
    .tuple(fc.integer({ min: 0, max: 63 }), fc.integer({ min: -3, max: 3 }))
    .map(([bit, by]) => u64((1n << BigInt(bit)) + BigInt(by))),
);

const range = fc.option(fc.tuple(anyValue, anyValue));
const least = (a: bigint, b: bigint): bigint => (a < b ? a : b);
const most = (a: bigint, b: bigint): bigint => (a > b ? a : b);

/** A value and a register that admits it, with some knowledge of each kind, not yet reconciled. */
export const valueInReg = fc
  .record({ v: anyValue, u: range, s: range, u32: range, s32: range, mask: fc.option(fc.bigInt(0n, U64_MAX)) })
  .map((k) => {
    const { v } = k;
    const reg = unknownReg();
    if (k.u) {
      reg.umin = least(v, k.u[0]);
      reg.umax = most(v, k.u[1]);
    }
    if (k.s) {
      reg.smin = least(s64(v), s64(k.s[0]));
      reg.smax = most(s64(v), s64(k.s[1]));
    }
    if (k.u32) {
      reg.u32min = Math.min(u32(v), u32(k.u32[0]));
      reg.u32max = Math.max(u32(v), u32(k.u32[1]));
    }
    if (k.s32) {
      reg.s32min = Math.min(s32(v), s32(k.s32[0]));
      reg.s32max = Math.max(s32(v), s32(k.s32[1]));
    }
    if (k.mask !== null) reg.varOff = { value: v & ~k.mask & U64_MAX, mask: k.mask };
    return { v, reg };
  });
