import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Btf, BtfError } from './btf.ts';
import { dumpRaw } from './dump-raw.ts';
import { swapBtf } from './swap.ts';

const read = (name: string, base?: Btf): Btf =>
  Btf.parse(new Uint8Array(readFileSync(new URL(`../../testdata/${name}`, import.meta.url))), base);

const text = (btf: Btf): string => {
  let out = '';
  dumpRaw(btf, {
    write: (bytes) => {
      out += bytes.toString();
    },
  });
  return out;
};

test.each([true, false])(
  'what a compiler makes for one byte order, swapped, is what it makes for the other',
  (little) => {
    const [from, to] = little ? ['types-bpfeb.btf', 'types-bpf.btf'] : ['types-bpf.btf', 'types-bpfeb.btf'];
    expect(Buffer.from(swapBtf(read(`btf-files/${from}`), little))).toEqual(Buffer.from(read(`btf-files/${to}`).bytes));
  },
);

test.each(['odd-1', 'odd-2', 'odd-3', 'odd-4', 'odd-5', 'odd-6'])(
  '%s says the same swapped, and swaps back',
  (name) => {
    const btf = read(`btf/${name}.btf`);
    const swapped = Btf.parse(swapBtf(btf, false));
    expect(text(swapped)).toBe(text(btf));
    expect(Buffer.from(swapBtf(swapped, true))).toEqual(Buffer.from(btf.bytes));
  },
);

test('split BTF swaps by itself', () => {
  const base = read('btf-files/base.btf');
  const split = read('btf-files/split.btf', base);
  expect(text(Btf.parse(swapBtf(split, false), base))).toBe(text(split));
});

test('the same byte order is a copy', () => {
  const btf = read('btf-files/types-bpf.btf');
  const copy = swapBtf(btf, true);
  expect(copy).toEqual(btf.bytes);
  expect(copy.buffer).not.toBe(btf.bytes.buffer);
});

test('kinds that only a kind layout describes cannot be swapped', () => {
  // A header with a layout of 21 kinds, the last of them (20) without anything; one type of that kind; no strings.
  const bytes = new Uint8Array(32 + 12 + 21 * 4 + 1);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 0xeb9f, true);
  bytes[2] = 1;
  [32, 0, 12, 12 + 84, 1, 12, 84].forEach((value, i) => {
    view.setUint32(4 + i * 4, value, true);
  });
  view.setUint32(32 + 4, 20 << 24, true);
  expect(() => swapBtf(Btf.parse(bytes), false)).toThrow(BtfError);
});
