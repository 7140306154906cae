// For proofs by exhaustion: 64-bit numbers where ranges of every kind meet, and registers that bound them in every way.
import { admits } from '../run/embedding/claims.ts';
import { regBoundsSync } from './bounds.ts';
import { unknownReg } from './test-env.ts';
import type { RegState } from './types.ts';

const u64 = (x: bigint): bigint => BigInt.asUintN(64, x);
const s64 = (x: bigint): bigint => BigInt.asIntN(64, x);
const ascending = (a: bigint | number, b: bigint | number): number => (a < b ? -1 : a > b ? 1 : 0);

/** Numbers around 0 and where signs and halves change. */
export const EDGES: readonly bigint[] = [
  -0x8000000000000000n,
  -0x7fffffffffffffffn,
  -0x100000001n,
  -0x100000000n,
  -0x80000001n,
  -0x80000000n,
  -2n,
  -1n,
  0n,
  1n,
  3n,
  0x7fffffffn,
  0x80000000n,
  0xffffffffn,
  0x100000000n,
  0x7fffffffffffffffn,
].map(u64);

/** A register with the numbers among the edges that it admits. */
export interface Bounded {
  reg: RegState;
  members: bigint[];
}

/** Pairs (a, b) with a at or before b. */
function pairs<T>(list: readonly T[]): [T, T][] {
  return list.flatMap((a, i) => list.slice(i).map((b): [T, T] => [a, b]));
}

const distinct = <T>(list: readonly T[]): T[] => [...new Set(list)];

/** Ways to bound a number: an interval of one kind, or known bits. */
export function knowledge(values: readonly bigint[]): ((reg: RegState) => void)[] {
  const unsigned = distinct(values).sort(ascending);
  const signed = distinct(values.map(s64)).sort(ascending);
  const low = distinct(values.map((v) => Number(v & 0xffffffffn))).sort(ascending);
  const lowSigned = distinct(low.map((v) => v | 0)).sort(ascending);
  return [
    ...pairs(unsigned).map(([min, max]) => (reg: RegState) => {
      reg.umin = min;
      reg.umax = max;
    }),
    ...pairs(signed).map(([min, max]) => (reg: RegState) => {
      reg.smin = min;
      reg.smax = max;
    }),
    ...pairs(low).map(([min, max]) => (reg: RegState) => {
      reg.u32min = min;
      reg.u32max = max;
    }),
    ...pairs(lowSigned).map(([min, max]) => (reg: RegState) => {
      reg.s32min = min;
      reg.s32max = max;
    }),
    ...pairs(unsigned).map(([a, b]) => (reg: RegState) => {
      reg.varOff = { value: a & b, mask: a ^ b };
    }),
  ];
}

/** Registers that are bounded so, reconciled, with those of `values` that they admit. */
export function boundedRegs(kinds: readonly ((reg: RegState) => void)[], values: readonly bigint[]): Bounded[] {
  const out: Bounded[] = [];
  for (const bound of kinds) {
    const reg = unknownReg();
    bound(reg);
    const members = values.filter((v) => admits(reg, v));
    if (members.length === 0) continue;
    regBoundsSync(reg);
    out.push({ reg, members });
  }
  return out;
}

/** All that a register says, for messages. */
export const tell = (reg: RegState): string =>
  JSON.stringify(
    [reg.varOff, reg.umin, reg.umax, reg.smin, reg.smax, reg.u32min, reg.u32max, reg.s32min, reg.s32max],
    (_, x) => (typeof x === 'bigint' ? `0x${x.toString(16)}` : x),
  );
