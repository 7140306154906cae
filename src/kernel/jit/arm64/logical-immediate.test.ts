import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { logicalConstant } from '../../../print/arm64/operands.ts';
import { logicalImmediate } from './logical-immediate.ts';

/** Every constant that the instruction set can carry, from the definition: a rotated run of ones, repeated. */
function* constants(bits: number): Generator<bigint> {
  for (let size = 2; size <= bits; size *= 2) {
    const mask = (1n << BigInt(size)) - 1n;
    for (let ones = 1; ones < size; ones++) {
      for (let by = 0; by < size; by++) {
        const run = (1n << BigInt(ones)) - 1n;
        const pattern = ((run << BigInt(by)) | (run >> BigInt(size - by))) & mask;
        let value = 0n;
        for (let at = 0; at < bits; at += size) value |= pattern << BigInt(at);
        yield value;
      }
    }
  }
}

const WIDE = 0x80000000;

describe('logicalImmediate', () => {
  it.each([
    [true, 5334],
    [false, 1302],
  ])('encodes each constant that has an encoding (64 bits: %s), so that it decodes to itself', (wide, count) => {
    const all = new Set(constants(wide ? 64 : 32));
    expect(all.size).toBe(count);
    for (const value of all) {
      const fields = logicalImmediate(value, wide) ?? 0;
      expect(logicalConstant((fields | (wide ? WIDE : 0)) >>> 0)).toBe(value);
    }
  });

  it('encodes no others', () => {
    const all = new Set(constants(64));
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), (value) => {
        expect(logicalImmediate(value, true) !== undefined).toBe(all.has(value));
      }),
    );
    for (const value of [0n, (1n << 64n) - 1n]) expect(logicalImmediate(value, true)).toBeUndefined();
    expect(logicalImmediate(0xffffffffn, false)).toBeUndefined();
  });
});
