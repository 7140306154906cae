import { describe, expect, it } from 'vitest';
import {
  bitLength,
  tnumAdd,
  tnumAnd,
  tnumArshift,
  tnumBswap,
  tnumCast,
  tnumConst,
  tnumIn,
  tnumIntersect,
  tnumIsAligned,
  tnumLshift,
  tnumMul,
  tnumOr,
  tnumOverlap,
  tnumRange,
  tnumRshift,
  tnumStep,
  tnumStr,
  tnumSub,
  tnumUnion,
  tnumWithSubreg,
  tnumXor,
} from './tnum.ts';
import { TNUM_UNKNOWN, type Tnum, U64_MAX } from './types.ts';

/** All tnums of `bits` bits at the low end, or moved up so that the top bits are used. */
function allTnums(bits: number, shift = 0n): Tnum[] {
  const out: Tnum[] = [];
  for (let mask = 0; mask < 1 << bits; mask++) {
    for (let value = 0; value < 1 << bits; value++) {
      if ((value & mask) === 0) out.push({ value: BigInt(value) << shift, mask: BigInt(mask) << shift });
    }
  }
  return out;
}

function members(t: Tnum, bits: number, shift = 0n): bigint[] {
  const out: bigint[] = [];
  for (let i = 0; i < 1 << bits; i++) {
    const v = BigInt(i) << shift;
    if ((v & ~t.mask) === t.value) out.push(v);
  }
  return out;
}

const has = (t: Tnum, v: bigint): boolean => (v & ~t.mask & U64_MAX) === t.value;

/** The least tnum that holds all of `values`. */
function hull(values: readonly bigint[]): Tnum {
  let mask = 0n;
  for (const v of values) mask |= v ^ values[0];
  return { value: values[0] & ~mask, mask };
}

describe('operations on tnums', () => {
  const u64 = (x: bigint): bigint => BigInt.asUintN(64, x);
  const cases: [string, (a: Tnum, b: Tnum) => Tnum, (a: bigint, b: bigint) => bigint, boolean][] = [
    ['add', tnumAdd, (a, b) => u64(a + b), true],
    ['sub', tnumSub, (a, b) => u64(a - b), true],
    ['and', tnumAnd, (a, b) => a & b, true],
    ['or', tnumOr, (a, b) => a | b, true],
    ['xor', tnumXor, (a, b) => a ^ b, true],
    ['mul', tnumMul, (a, b) => u64(a * b), false],
  ];
  it.each(cases)('%s holds every result, and apart from mul nothing it need not', (_name, op, exact, optimal) => {
    for (const [bits, shift] of [
      [3, 0n],
      [3, 61n],
    ] as const) {
      const tnums = allTnums(bits, shift);
      for (const a of tnums) {
        for (const b of tnums) {
          const got = op(a, b);
          expect(got.value & got.mask).toBe(0n);
          const results = members(a, bits, shift).flatMap((x) => members(b, bits, shift).map((y) => exact(x, y)));
          if (optimal) expect(got).toEqual(hull(results));
          else expect(results.every((v) => has(got, v))).toBe(true);
        }
      }
    }
  });

  it('mul is exact for constants and for a power of two', () => {
    expect(tnumMul(tnumConst(0xffffffffffffffffn), tnumConst(3n))).toEqual(tnumConst(0xfffffffffffffffdn));
    expect(tnumMul(tnumConst(8n), { value: 1n, mask: 6n })).toEqual({ value: 8n, mask: 0x30n });
  });

  it('union and intersection are those of the sets where they exist', () => {
    const tnums = allTnums(3);
    for (const a of tnums) {
      for (const b of tnums) {
        const inA = members(a, 3);
        const inB = members(b, 3);
        expect(tnumUnion(a, b)).toEqual(hull([...inA, ...inB]));
        const both = inA.filter((v) => inB.includes(v));
        expect(tnumOverlap(a, b)).toBe(both.length > 0);
        if (both.length > 0) expect(tnumIntersect(a, b)).toEqual(hull(both));
        expect(tnumIn(a, b)).toBe(inB.every((v) => inA.includes(v)));
      }
    }
  });

  it('range is the hull of all numbers that share their leading bits', () => {
    for (let min = 0n; min < 20n; min++) {
      for (let max = min; max < 20n; max++) {
        const got = tnumRange(min, max);
        for (let v = min; v <= max; v++) expect(has(got, v)).toBe(true);
        expect(got.mask + 1n).toBe(1n << BigInt(bitLength(min ^ max)));
      }
    }
    expect(tnumRange(0n, U64_MAX)).toEqual(TNUM_UNKNOWN);
    expect(tnumRange(5n, 5n)).toEqual(tnumConst(5n));
  });

  it('shifts move known and unknown bits, and an unknown sign spreads', () => {
    const t = { value: 0x8000000000000001n, mask: 0x10n };
    expect(tnumLshift(t, 1)).toEqual({ value: 2n, mask: 0x20n });
    expect(tnumRshift(t, 4)).toEqual({ value: 0x0800000000000000n, mask: 1n });
    expect(tnumArshift(t, 4, 64)).toEqual({ value: 0xf800000000000000n, mask: 1n });
    expect(tnumArshift({ value: 0n, mask: 0x80000000n }, 31, 32)).toEqual({ value: 0n, mask: 0xffffffffn });
    expect(tnumArshift({ value: 0x80000000n, mask: 0n }, 4, 32)).toEqual({ value: 0xf8000000n, mask: 0n });
  });

  it('casts, half registers and swaps touch just their bits', () => {
    const t = { value: 0x1122334455660088n, mask: 0xff00n };
    expect(tnumCast(t, 2)).toEqual({ value: 0x88n, mask: 0xff00n });
    expect(tnumWithSubreg(t, tnumConst(7n))).toEqual(tnumConst(0x1122334400000007n));
    expect(tnumBswap(t, 16)).toEqual({ value: 0x8800n, mask: 0xffn });
    expect(tnumBswap(t, 64)).toEqual({ value: 0x8800665544332211n, mask: 0xff000000000000n });
    expect(tnumIsAligned(t, 8)).toBe(true);
    expect(tnumIsAligned(t, 16)).toBe(false);
    expect(tnumIsAligned(t, 0)).toBe(true);
  });

  it('step finds the next member', () => {
    for (const t of allTnums(4)) {
      const all = members(t, 4);
      for (let z = 0n; z < 18n; z++) {
        const greatest = all[all.length - 1];
        const expected = z >= greatest ? greatest : z < all[0] ? all[0] : all.find((v) => v > z);
        expect(tnumStep(t, z)).toBe(expected);
      }
    }
    expect(tnumStep(TNUM_UNKNOWN, U64_MAX - 1n)).toBe(U64_MAX);
  });

  it('text is a number where everything is known, else value and mask', () => {
    expect(tnumStr(tnumConst(65535n))).toBe('65535');
    expect(tnumStr(tnumConst(65536n))).toBe('0x10000');
    expect(tnumStr({ value: 0n, mask: 0xffn })).toBe('(0x0; 0xff)');
  });

  it('bit length counts up to the highest set bit', () => {
    expect([0n, 1n, 255n, 1n << 32n, U64_MAX].map(bitLength)).toEqual([0, 1, 8, 33, 64]);
  });
});
