import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sortByText } from './text-order.ts';

/** Few characters, so that texts share beginnings and some are equal; one that is signed for C. */
const text = fc.string({ unit: fc.constantFrom('a', 'b', '_', 'é'), maxLength: 8 });

test('texts are sorted by their bytes, and ranges of equals are told', () => {
  fc.assert(
    fc.property(fc.array(text, { maxLength: 120 }), (texts) => {
      const bytes = Buffer.from(texts.map((t) => `${t}\0`).join(''));
      const offsets = new Int32Array(texts.length);
      for (let i = 1; i < texts.length; i++) offsets[i] = offsets[i - 1] + Buffer.byteLength(texts[i - 1]) + 1;
      const numbers = Int32Array.from(texts, (_, i) => i);
      const equal: [number, number][] = [];
      sortByText(numbers, 0, numbers.length, { bytes, offsets }, (start, end) => equal.push([start, end]));

      const sorted = Array.from(numbers, (i) => texts[i]);
      expect(sorted).toEqual(texts.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
      const expected: [number, number][] = [];
      for (let start = 0; start < sorted.length; ) {
        const end = sorted.lastIndexOf(sorted[start]) + 1;
        if (end - start > 1) expected.push([start, end]);
        start = end;
      }
      expect(equal.toSorted(([a], [b]) => a - b)).toEqual(expected);
    }),
  );
});

test('only the given range is touched', () => {
  const bytes = Buffer.from('c\0b\0a\0');
  const numbers = Int32Array.of(0, 1, 2);
  sortByText(numbers, 1, 3, { bytes, offsets: Int32Array.of(0, 2, 4) }, () => {});
  expect([...numbers]).toEqual([0, 2, 1]);
});
