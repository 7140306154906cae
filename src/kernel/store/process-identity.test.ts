import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { mayBeAlive, ownIdentity } from './process-identity.ts';

const own = ownIdentity();

test('this process is alive', () => {
  expect(mayBeAlive(own)).toBe(true);
});

test('a process that has ended is not', () => {
  const { pid } = spawnSync(process.execPath, ['-e', '']);
  expect(mayBeAlive({ ...own, pid, started: '1' })).toBe(false);
});

test.runIf(process.platform === 'linux')('a number that now belongs to another process does not count', () => {
  expect(mayBeAlive({ ...own, started: '1' })).toBe(false);
  expect(mayBeAlive({ ...own, pid: 1, started: 'never' })).toBe(false);
});

test.runIf(process.platform === 'linux')(
  'after a start of the machine nobody is alive, and of other containers nothing is known',
  () => {
    const [boot] = own.space.split(' ');
    expect(mayBeAlive({ ...own, space: 'another-boot pid:[1]' })).toBe(false);
    expect(mayBeAlive({ ...own, pid: 999_999_999, space: `${boot} pid:[1]` })).toBe(true);
  },
);
