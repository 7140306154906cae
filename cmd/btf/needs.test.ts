import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { run } from '../run.ts';
import { dumpNeeds } from './needs.ts';

const options = { baseBtf: undefined } as Parameters<typeof dumpNeeds>[1];

test.each([
  ['nothing', 'file', 'x.o', 'format', 'c'],
  ['nothing', 'f', 'x.o', 'file', 'y.o'],
  ['nothing', 'bogus'],
  ['nothing'],
  ['files', 'file', '/sys/kernel/btf/vmlinux'],
  ['files', 'file', 'x.o', 'format', 'c', 'for', '/sys/kernel/btf/vmlinux'],
  ['kernel', 'file', '/proc/kallsyms'],
  ['kernel', 'file', '/sys/kernel/btf/vmlinux', 'file', '/boot/x'],
  ['kernel', 'id', '1'],
  ['kernel', 'p', 'id', '1'],
  ['kernel', 'map'],
  // The empty word abbreviates the first source.
  ['kernel', ''],
] as const)('%s: btf dump %s %s %s', (need, ...words) => {
  expect(dumpNeeds(words, options)).toBe(need);
});

test('a base that the kernel shows counts like a file', () => {
  expect(dumpNeeds(['file', 'x.o'], { ...options, baseBtf: '/sys/kernel/btf/vmlinux' })).toBe('files');
});

test('types of a file are dumped without a kernel', async () => {
  const data = (name: string): string => fileURLToPath(new URL(`../../testdata/btf/${name}`, import.meta.url));
  let out = '';
  const noKernel = (): never => {
    throw new Error('the kernel was opened');
  };
  const status = await run(
    ['btf', 'dump', 'file', data('odd-1.btf')],
    {
      out: (piece) => {
        out += piece;
      },
      err: () => {},
    },
    noKernel,
  );
  expect({ status, out }).toEqual({ status: 0, out: readFileSync(data('odd-1.raw.txt'), 'utf8') });
});
