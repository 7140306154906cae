import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAP_TYPE } from '../../isa/uapi.ts';
import { openSimulatedKernel } from '../index.ts';
import { errnoOf } from '../test-errno.ts';
import { u32Bytes, u32Of } from './numbers.ts';

const kernel = openSimulatedKernel({ statePath: ':memory:' });
const CPUS = kernel.possibleCpus;

const keysOf = (fd: number): Uint8Array[] => {
  const keys: Uint8Array[] = [];
  for (let key: Uint8Array | undefined; ; ) {
    try {
      key = kernel.mapNextKey(fd, key);
    } catch {
      return keys;
    }
    keys.push(key);
  }
};

type Step = { op: 'update' | 'delete' | 'lookup'; key: number; value: number; flags: number };
const step = fc.record({
  op: fc.constantFrom('update' as const, 'update' as const, 'delete' as const, 'lookup' as const),
  key: fc.constantFrom(0, 1, 2, 255, 256, 0x10000, 0xffffffff),
  value: fc.integer({ min: 0, max: 1000 }),
  flags: fc.constantFrom(0, 0, 1, 2),
});

test('a hash map does what a plain map of its size would do', () => {
  fc.assert(
    fc.property(fc.array<Step>(step, { maxLength: 30 }), (steps) => {
      const size = 4;
      const fd = kernel.mapCreate({ type: MAP_TYPE.hash, keySize: 4, valueSize: 4, maxEntries: size });
      const model = new Map<number, number>();
      for (const { op, key, value, flags } of steps) {
        const known = model.has(key);
        if (op === 'update') {
          const wanted = known && flags === 1 ? 17 : !known && flags === 2 ? 2 : !known && model.size >= size ? 7 : 0;
          expect(errnoOf(() => kernel.mapUpdate(fd, u32Bytes(key), u32Bytes(value), BigInt(flags)))).toBe(wanted);
          if (wanted === 0) model.set(key, value);
        } else if (op === 'delete') {
          expect(errnoOf(() => kernel.mapDelete(fd, u32Bytes(key)))).toBe(model.delete(key) ? 0 : 2);
        } else if (known) {
          expect(u32Of(kernel.mapLookup(fd, u32Bytes(key)))).toBe(model.get(key));
        } else {
          expect(errnoOf(() => kernel.mapLookup(fd, u32Bytes(key)))).toBe(2);
        }
      }
      expect(keysOf(fd).map(u32Of)).toEqual([...model.keys()].sort((a, b) => a - b));
      kernel.close(fd);
    }),
    { numRuns: 40 },
  );
});

test('keys of a hash map come as ascending little-endian numbers, and an unknown key starts again', () => {
  const fd = kernel.mapCreate({ type: MAP_TYPE.hash, keySize: 4, valueSize: 4, maxEntries: 600 });
  for (let n = 300; n >= 1; n--) kernel.mapUpdate(fd, u32Bytes(n), u32Bytes(n));
  expect(keysOf(fd).map(u32Of)).toEqual(Array.from({ length: 300 }, (_, i) => i + 1));
  expect(u32Of(kernel.mapNextKey(fd, u32Bytes(1000)))).toBe(1);
});

describe('a map that forgets', () => {
  test('never refuses an update, and drops what was written the longest time ago', () => {
    const fd = kernel.mapCreate({ type: MAP_TYPE.lru_hash, keySize: 4, valueSize: 4, maxEntries: 10 });
    for (let n = 0; n < 10; n++) kernel.mapUpdate(fd, u32Bytes(n), u32Bytes(n));
    kernel.mapUpdate(fd, u32Bytes(0), u32Bytes(100));
    for (let n = 10; n < 14; n++) kernel.mapUpdate(fd, u32Bytes(n), u32Bytes(n));
    expect(keysOf(fd).map(u32Of)).toEqual([0, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
  });

  test('with lists for each CPU has a whole number of entries for each', () => {
    const attr = { type: MAP_TYPE.lru_hash, keySize: 4, valueSize: 4, maxEntries: 2 * CPUS + 1, flags: 2 };
    expect(kernel.mapInfo(kernel.mapCreate(attr)).maxEntries).toBe(3 * CPUS);
  });
});

test('a value for each CPU is rounded up to eight bytes and kept as it was given', () => {
  for (const type of [MAP_TYPE.percpu_hash, MAP_TYPE.percpu_array, MAP_TYPE.lru_percpu_hash]) {
    const fd = kernel.mapCreate({ type, keySize: 4, valueSize: 5, maxEntries: 3 });
    const value = Uint8Array.from({ length: 8 * CPUS }, (_, i) => i + 1);
    kernel.mapUpdate(fd, u32Bytes(2), value);
    expect(kernel.mapLookup(fd, u32Bytes(2))).toEqual(value);
    expect(errnoOf(() => kernel.mapUpdate(fd, u32Bytes(2), value.subarray(0, 8)))).toBe(CPUS > 1 ? 14 : 0);
  }
});

test('a large array takes no room for zeros, and values may lie across pages', () => {
  const fd = kernel.mapCreate({ type: MAP_TYPE.array, keySize: 4, valueSize: 3000, maxEntries: 1_000_000 });
  expect(kernel.mapLookup(fd, u32Bytes(999_999))).toEqual(new Uint8Array(3000));
  const before = kernel.stateSize();
  const value = new Uint8Array(3000).fill(9);
  kernel.mapUpdate(fd, u32Bytes(500_001), value);
  expect(kernel.mapLookup(fd, u32Bytes(500_001))).toEqual(value);
  expect(kernel.mapLookup(fd, u32Bytes(500_000))).toEqual(new Uint8Array(3000));
  expect(kernel.mapLookup(fd, u32Bytes(500_002))).toEqual(new Uint8Array(3000));
  kernel.mapUpdate(fd, u32Bytes(500_001), new Uint8Array(3000));
  expect(kernel.stateSize() - before).toBeLessThan(64 * 1024);
});

test('a map that no machine could hold is not made, and a huge value is not passed around', () => {
  const attr = { type: MAP_TYPE.array, keySize: 4, valueSize: 0x7fffffff, maxEntries: 1 };
  expect(errnoOf(() => kernel.mapCreate({ ...attr, maxEntries: 0xffffffff }))).toBe(12);
  const fd = kernel.mapCreate(attr);
  expect(errnoOf(() => kernel.mapLookup(fd, u32Bytes(0)))).toBe(12);
});

test('a bloom filter knows what was put in', () => {
  const fd = kernel.mapCreate({ type: MAP_TYPE.bloom_filter, keySize: 0, valueSize: 4, maxEntries: 10 });
  const none = new Uint8Array(0);
  expect(errnoOf(() => kernel.mapLookup(fd, none))).toBe(2);
  kernel.mapUpdate(fd, none, u32Bytes(0));
  expect(kernel.mapLookup(fd, none)).toEqual(u32Bytes(0));
});

describe('longest prefix match', () => {
  type Prefix = { bits: number; length: number };
  const BITS = 8;
  const prefix = fc.record({ bits: fc.integer({ min: 0, max: 255 }), length: fc.integer({ min: 0, max: BITS }) });
  const keyOf = ({ bits, length }: Prefix): Uint8Array => Uint8Array.from([length, 0, 0, 0, bits]);
  const text = ({ bits, length }: Prefix): string => bits.toString(2).padStart(BITS, '0').slice(0, length);

  test('finds the longest prefix there is, and walks from longer to shorter ones', () => {
    fc.assert(
      fc.property(fc.array<Prefix>(prefix, { maxLength: 20 }), prefix, (prefixes, asked) => {
        const fd = kernel.mapCreate({ type: MAP_TYPE.lpm_trie, keySize: 5, valueSize: 4, maxEntries: 30, flags: 1 });
        const model = new Map<string, number>();
        prefixes.forEach((p, i) => {
          kernel.mapUpdate(fd, keyOf(p), u32Bytes(i));
          model.set(text(p), i);
        });
        const [best] = [...model.keys()].filter((p) => text(asked).startsWith(p)).sort((a, b) => b.length - a.length);
        if (best === undefined) expect(errnoOf(() => kernel.mapLookup(fd, keyOf(asked)))).toBe(2);
        else expect(u32Of(kernel.mapLookup(fd, keyOf(asked)))).toBe(model.get(best));
        // "2" ends a prefix and sorts behind both digits.
        const walk = keysOf(fd).map((key) => `${text({ bits: key[4], length: key[0] })}2`);
        expect(walk).toEqual([...model.keys()].map((p) => `${p}2`).sort());
        kernel.close(fd);
      }),
      { numRuns: 60 },
    );
  });
});
