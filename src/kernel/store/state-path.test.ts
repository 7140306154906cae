import { expect, test } from 'vitest';
import { statePath } from './state-path.ts';

const linux = { platform: 'linux', env: {}, home: '/home/u' } as const;

test('a path that is given wins over everything', () => {
  expect(statePath('/x/y.db', { ...linux, env: { BPFTOOL_STATE: '/z' } })).toBe('/x/y.db');
});

test('BPFTOOL_STATE wins over the customary place', () => {
  expect(statePath(undefined, { ...linux, env: { BPFTOOL_STATE: '/z', XDG_STATE_HOME: '/s' } })).toBe('/z');
});

test.each([
  ['linux', {}, '/home/u/.local/state/bpftool/kernel.db'],
  ['linux', { XDG_STATE_HOME: '/state' }, '/state/bpftool/kernel.db'],
  ['freebsd', {}, '/home/u/.local/state/bpftool/kernel.db'],
  ['darwin', {}, '/home/u/Library/Application Support/bpftool/kernel.db'],
  ['win32', { LOCALAPPDATA: 'C:\\Local' }, 'C:\\Local\\bpftool\\kernel.db'],
  ['win32', {}, '\\home\\u\\AppData\\Local\\bpftool\\kernel.db'],
] as const)('on %s with %o the state lies where such files lie', (platform, env, path) => {
  expect(statePath(undefined, { platform, env, home: '/home/u' })).toBe(path);
});
