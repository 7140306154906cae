import { expect, test } from 'vitest';
import { OptionError, parseCommandLine } from './options.ts';

test('options may stand anywhere, cluster, and be abbreviated while only one fits', () => {
  const line = parseCommandLine(['prog', '-jf', 'show', '--p']);
  expect(line.words).toEqual(['prog', 'show']);
  expect(line.options).toMatchObject({ json: true, pretty: true, bpffs: true, debug: false });
});

test('words that look like numbers stay as they were typed', () => {
  expect(parseCommandLine(['map', 'lookup', 'id', '0x1f', 'key', '1e3', '010']).words).toEqual([
    'map',
    'lookup',
    'id',
    '0x1f',
    'key',
    '1e3',
    '010',
  ]);
});

test('-- ends the options', () => {
  expect(parseCommandLine(['--', 'prog', '-x']).words).toEqual(['prog', '-x']);
});

test.each([[['-z']], [['prog', '-1']], [['--json=1']], [['-B']], [['--nosuch']]])('%j is refused', (argv) => {
  expect(() => parseCommandLine(argv)).toThrow(OptionError);
});

test('options with a value take it with = or as the next word', () => {
  expect(parseCommandLine(['--state=a', 'prog']).state).toBe('a');
  expect(parseCommandLine(['-B', 'x', 'btf']).options.baseBtf).toBe('x');
  expect(parseCommandLine(['-Bx', 'btf']).options.baseBtf).toBe('x');
});
