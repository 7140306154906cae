import { expect, test } from 'vitest';
import { OptionError, parseCommandLine } from './options.ts';

test('options may stand anywhere, cluster, and be abbreviated while only one fits', async () => {
  const line = await parseCommandLine(['prog', '-jf', 'show', '--p']);
  expect(line.words).toEqual(['prog', 'show']);
  expect(line.options).toMatchObject({ json: true, pretty: true, bpffs: true, debug: false });
});

test('words that look like numbers stay as they were typed', async () => {
  expect((await parseCommandLine(['map', 'lookup', 'id', '0x1f', 'key', '1e3', '010'])).words).toEqual([
    'map',
    'lookup',
    'id',
    '0x1f',
    'key',
    '1e3',
    '010',
  ]);
});

test('-- ends the options', async () => {
  expect((await parseCommandLine(['--', 'prog', '-x'])).words).toEqual(['prog', '-x']);
});

test.each([[['-z']], [['prog', '-1']], [['--json=1']], [['-B']], [['--nosuch']]])('%j is refused', async (argv) => {
  await expect(parseCommandLine(argv)).rejects.toThrow(OptionError);
});

test('options with a value take it with = or as the next word', async () => {
  expect((await parseCommandLine(['--state=a', 'prog'])).state).toBe('a');
  expect((await parseCommandLine(['-B', 'x', 'btf'])).options.baseBtf).toBe('x');
  expect((await parseCommandLine(['-Bx', 'btf'])).options.baseBtf).toBe('x');
});
