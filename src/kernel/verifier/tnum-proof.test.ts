// Proof by exhaustion: every operation on tnums, over all tnums of a few bits, against all their members. The bits stand
// at the low end, across the middle of the word, and at its top, where results wrap.
import { describe, expect, it } from 'vitest';
import {
  swapBytes,
  tnumAdd,
  tnumAnd,
  tnumArshift,
  tnumBswap,
  tnumCast,
  tnumClearSubreg,
  tnumConst,
  tnumConstSubreg,
  tnumEqualsConst,
  tnumIn,
  tnumIntersect,
  tnumIsAligned,
  tnumIsConst,
  tnumLshift,
  tnumMul,
  tnumOr,
  tnumOverlap,
  tnumRange,
  tnumRshift,
  tnumStep,
  tnumSub,
  tnumSubreg,
  tnumUnion,
  tnumWithSubreg,
  tnumXor,
} from './tnum.ts';
import type { Tnum } from './types.ts';

const u64 = (x: bigint): bigint => BigInt.asUintN(64, x);

interface Small {
  t: Tnum;
  /** Members before they are moved up. */
  members: number[];
}

/** All tnums of `bits` bits, moved up by `shift`. */
function small(bits: number, shift: number): Small[] {
  const out: Small[] = [];
  const by = BigInt(shift);
  for (let mask = 0; mask < 1 << bits; mask++) {
    for (let value = 0; value < 1 << bits; value++) {
      if ((value & mask) !== 0) continue;
      const members: number[] = [];
      for (let v = 0; v < 1 << bits; v++) if ((v & ~mask) === value) members.push(v);
      out.push({ t: { value: BigInt(value) << by, mask: BigInt(mask) << by }, members });
    }
  }
  return out;
}

/** The least tnum that holds all of `values`, which are small numbers moved up by `shift`, modulo 2^64. */
function hull(values: readonly number[], shift: number): Tnum {
  let ones = -1;
  let zeros = -1;
  for (const v of values) {
    ones &= v;
    zeros &= ~v;
  }
  const by = BigInt(shift);
  return { value: u64(BigInt(ones) << by), mask: u64(BigInt(~(ones | zeros)) << by) };
}

const wellFormed = (t: Tnum): boolean =>
  (t.value & t.mask) === 0n && t.value === u64(t.value) && t.mask === u64(t.mask);
/** All of `inner` lies in `outer`. */
const covers = (outer: Tnum, inner: Tnum): boolean =>
  (inner.mask & ~outer.mask) === 0n && (inner.value & ~outer.mask) === outer.value;
const equal = (a: Tnum, b: Tnum): boolean => a.value === b.value && a.mask === b.mask;

interface Binary {
  name: string;
  op: (a: Tnum, b: Tnum) => Tnum;
  on: (a: number, b: number) => number;
  /** The result is the least tnum there is. */
  optimal: boolean;
  /** Bits of the operands, and how far up they stand. */
  at: [bits: number, shift: number][];
}

const BINARY: Binary[] = [
  {
    name: 'sum',
    op: tnumAdd,
    on: (a, b) => a + b,
    optimal: true,
    at: [
      [6, 0],
      [5, 29],
      [5, 59],
    ],
  },
  {
    name: 'difference',
    op: tnumSub,
    on: (a, b) => a - b,
    optimal: true,
    at: [
      [6, 0],
      [5, 29],
      [5, 59],
    ],
  },
  {
    name: 'intersection of bits',
    op: tnumAnd,
    on: (a, b) => a & b,
    optimal: true,
    at: [
      [5, 0],
      [5, 59],
    ],
  },
  {
    name: 'union of bits',
    op: tnumOr,
    on: (a, b) => a | b,
    optimal: true,
    at: [
      [5, 0],
      [5, 59],
    ],
  },
  {
    name: 'exclusive or',
    op: tnumXor,
    on: (a, b) => a ^ b,
    optimal: true,
    at: [
      [5, 0],
      [5, 59],
    ],
  },
  { name: 'product', op: tnumMul, on: (a, b) => a * b, optimal: false, at: [[5, 0]] },
];

/** What is wrong with the results of an operation, first of all. */
function departure({ op, on, optimal }: Binary, bits: number, shift: number): string | undefined {
  const all = small(bits, shift);
  for (const a of all) {
    for (const b of all) {
      const result = op(a.t, b.t);
      let ones = -1;
      let zeros = -1;
      for (const x of a.members) {
        for (const y of b.members) {
          const v = on(x, y);
          ones &= v;
          zeros &= ~v;
        }
      }
      const least = hull([ones, ~zeros], shift);
      const good = wellFormed(result) && (optimal ? equal(result, least) : covers(result, least));
      if (!good) return JSON.stringify([a.t, b.t, result, least], (_, x) => (typeof x === 'bigint' ? `${x}` : x));
    }
  }
  return undefined;
}

describe('arithmetic on tnums', () => {
  for (const binary of BINARY) {
    const promise = binary.optimal ? 'is the least tnum that holds all results' : 'holds all results';
    it.each(binary.at)(`the ${binary.name} ${promise}: %i bits, moved up by %i`, (bits, shift) => {
      expect(departure(binary, bits, shift)).toBeUndefined();
    });
  }

  it('a product keeps what wraps at the top', () => {
    const low = small(3, 0);
    const high = small(3, 61);
    for (const a of low) {
      for (const b of high) {
        const least = hull(
          a.members.flatMap((x) => b.members.map((y) => x * y)),
          61,
        );
        for (const result of [tnumMul(a.t, b.t), tnumMul(b.t, a.t)]) {
          expect(wellFormed(result) && covers(result, least)).toBe(true);
        }
      }
    }
  });

  it('two constants give a constant', () => {
    for (const a of [0n, 1n, 0xffffffffn, 1n << 63n, (1n << 64n) - 1n]) {
      for (const b of [0n, 3n, 1n << 32n, (1n << 64n) - 1n]) {
        const [x, y] = [tnumConst(a), tnumConst(b)];
        expect(tnumAdd(x, y)).toEqual(tnumConst(u64(a + b)));
        expect(tnumSub(x, y)).toEqual(tnumConst(u64(a - b)));
        expect(tnumMul(x, y)).toEqual(tnumConst(u64(a * b)));
      }
    }
  });
});

/** Members of a tnum that spans the word: all of its few unknown bits tried. */
function* membersOf(t: Tnum): Iterable<bigint> {
  let sub = t.mask;
  while (true) {
    yield t.value | sub;
    if (sub === 0n) return;
    sub = (sub - 1n) & t.mask;
  }
}

function hullOf(values: Iterable<bigint>): Tnum {
  let ones = (1n << 64n) - 1n;
  let any = 0n;
  for (const v of values) {
    ones &= v;
    any |= v;
  }
  return { value: ones, mask: any & ~ones };
}

const map = function* (t: Tnum, f: (v: bigint) => bigint): Iterable<bigint> {
  for (const v of membersOf(t)) yield u64(f(v));
};

/** Tnums of a few bits wherever halves, bytes and the sign meet. */
const SPREAD: Tnum[] = [0, 5, 13, 29, 30, 31, 45, 59, 60].flatMap((shift) => small(4, shift).map(({ t }) => t));
const PLACED: Tnum[] = [...SPREAD, ...SPREAD.map((t) => tnumOr(t, tnumConst(0x8000000080008080n)))];

describe('shifts and cuts of tnums are exact', () => {
  const check = (op: (t: Tnum) => Tnum, on: (v: bigint) => bigint): void => {
    for (const t of PLACED) {
      const result = op(t);
      if (!wellFormed(result) || !equal(result, hullOf(map(t, on)))) {
        expect({ t, result }).toEqual({ t, result: hullOf(map(t, on)) });
      }
    }
  };
  const s = (bits: number, v: bigint): bigint => BigInt.asIntN(bits, v);

  it('shifts by every amount', () => {
    for (const by of [0, 1, 2, 7, 31, 32, 33, 62, 63]) {
      const n = BigInt(by);
      check(
        (t) => tnumLshift(t, by),
        (v) => v << n,
      );
      check(
        (t) => tnumRshift(t, by),
        (v) => v >> n,
      );
      check(
        (t) => tnumArshift(t, by, 64),
        (v) => s(64, v) >> n,
      );
      if (by > 31) continue;
      check(
        (t) => tnumArshift(tnumSubreg(t), by, 32),
        (v) => BigInt.asUintN(32, s(32, v) >> n),
      );
    }
  });

  it('cuts and byte swaps', () => {
    for (const bytes of [1, 2, 4])
      check(
        (t) => tnumCast(t, bytes),
        (v) => BigInt.asUintN(bytes * 8, v),
      );
    for (const bits of [16, 32, 64])
      check(
        (t) => tnumBswap(t, bits),
        (v) => swapBytes(v, bits / 8),
      );
    check(tnumSubreg, (v) => v & 0xffffffffn);
    check(tnumClearSubreg, (v) => v & 0xffffffff00000000n);
    check(
      (t) => tnumConstSubreg(t, 0x1234n),
      (v) => (v & 0xffffffff00000000n) | 0x1234n,
    );
    const low: Tnum = { value: 0x10n, mask: 0x8000000000000003n };
    for (const t of PLACED) {
      const halves = [...membersOf(t)].flatMap((v) =>
        [...membersOf(tnumSubreg(low))].map((l) => (v & 0xffffffff00000000n) | l),
      );
      expect(equal(tnumWithSubreg(t, low), hullOf(halves))).toBe(true);
    }
  });
});

describe('tnums as sets', () => {
  const all = small(5, 0);

  it('the union is the least tnum that holds both; the intersection is exact where they meet', () => {
    for (const a of all) {
      for (const b of all) {
        if (!equal(tnumUnion(a.t, b.t), hull([...a.members, ...b.members], 0))) expect([a.t, b.t]).toBe('union');
        const common = a.members.filter((v) => b.members.includes(v));
        if (tnumOverlap(a.t, b.t) !== common.length > 0) expect([a.t, b.t]).toBe('overlap');
        if (common.length > 0 && !equal(tnumIntersect(a.t, b.t), hull(common, 0))) expect([a.t, b.t]).toBe('common');
        if (tnumIn(a.t, b.t) !== (common.length === b.members.length)) expect([a.t, b.t]).toBe('in');
      }
    }
  });

  it('says of every number and power of two what is true of all members', () => {
    for (const { t, members } of all) {
      expect(tnumIsConst(t)).toBe(members.length === 1);
      for (let v = 0; v < 32; v++) {
        expect(tnumEqualsConst(t, BigInt(v))).toBe(members.length === 1 && members[0] === v);
      }
      for (const size of [1, 2, 4, 8, 16]) expect(tnumIsAligned(t, size)).toBe(members.every((v) => v % size === 0));
    }
  });

  it('the tnum of a range is the least one that holds it', () => {
    for (const base of [0n, 0xfffffff0n, (1n << 63n) - 16n, (1n << 64n) - 32n]) {
      for (let min = 0; min < 32; min++) {
        for (let max = min; max < 32; max++) {
          const values = Array.from({ length: max - min + 1 }, (_, i) => base + BigInt(min + i));
          const result = tnumRange(values[0], values[values.length - 1]);
          if (!equal(result, hullOf(values))) expect([min, max, result]).toEqual([min, max, hullOf(values)]);
        }
      }
    }
  });

  it('the step above a number is the next member, or the greatest where there is none', () => {
    for (const shift of [0, 30, 59]) {
      for (const { t, members } of small(5, shift)) {
        for (let z = 0; z < 32; z++) {
          const next = members.find((v) => v > z) ?? members[members.length - 1];
          const at = u64(BigInt(z) << BigInt(shift));
          if (tnumStep(t, at) !== BigInt(next) << BigInt(shift)) expect([t, at, tnumStep(t, at)]).toBe(next);
        }
      }
    }
  });
});
