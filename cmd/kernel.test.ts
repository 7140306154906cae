import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { openSimulatedKernel } from '../src/kernel/index.ts';
import { runKept } from './test-run.ts';

const folder = mkdtempSync(join(tmpdir(), 'kernel-command-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** In the header of an SQLite file. */
const USER_VERSION_OFFSET = 60;
const APPLICATION_ID_OFFSET = 68;

let count = 0;
let state = '';
beforeEach(() => {
  state = join(folder, `${count++}.db`);
});

/** Runs one command line over the state of this test. */
const line = (...words: string[]): ReturnType<typeof runKept> =>
  runKept(words, () => openSimulatedKernel({ statePath: state }));

test('show makes the state silently and tells what is in it', async () => {
  const { status, out } = await line('kernel', 'show');
  expect(status).toBe(0);
  expect(out).toMatch(/^Linux 6\.18\.\S+ x86_64, \d+ CPUs, simulated\n/);
  expect(out).toContain(`state ${state}  `);
  expect(out).toContain('progs 0  maps 0  btf 1  links 0  pins 0');
  expect(existsSync(state)).toBe(true);
});

test('show tells the same in JSON', async () => {
  await line('map', 'create', '/sys/fs/bpf/m', 'type', 'hash', 'key', '4', 'value', '4', 'entries', '2', 'name', 'm');
  const { out } = await line('-j', 'kernel', 'show');
  expect(JSON.parse(out)).toMatchObject({ machine: 'x86_64', state, prog: 0, map: 1, btf: 1, link: 0, pins: 1 });
});

test('reset empties the state', async () => {
  await line('map', 'create', '/sys/fs/bpf/m', 'type', 'hash', 'key', '4', 'value', '4', 'entries', '2', 'name', 'm');
  expect((await line('kernel', 'reset')).status).toBe(0);
  expect((await line('kernel', 'show')).out).toContain('maps 0');
});

test('reset makes anew what is of another version or cut, and leaves files of others alone', async () => {
  await line('kernel', 'show');
  const whole = readFileSync(state);
  const other = Buffer.from(whole);
  other.writeUInt32BE(99, USER_VERSION_OFFSET);
  for (const bytes of [other, whole.subarray(0, 5000)]) {
    for (const ending of ['-wal', '-shm']) rmSync(state + ending, { force: true });
    writeFileSync(state, bytes);
    const before = await line('kernel', 'show');
    expect([before.status, before.err]).toEqual([255, expect.stringContaining('kernel state')]);
    expect((await line('kernel', 'reset')).status).toBe(0);
    expect((await line('kernel', 'show')).out).toContain('progs 0');
  }
  const foreign = Buffer.from(whole);
  foreign.writeUInt32BE(1, APPLICATION_ID_OFFSET);
  for (const ending of ['-wal', '-shm']) rmSync(state + ending, { force: true });
  writeFileSync(state, foreign);
  expect((await line('kernel', 'reset')).status).toBe(255);
  expect(readFileSync(state).equals(foreign)).toBe(true);
});

test('init makes a file that is not there, and no other', async () => {
  const file = join(folder, 'made.db');
  expect((await line('kernel', 'init', file)).status).toBe(0);
  expect(existsSync(file)).toBe(true);
  const again = await line('kernel', 'init', file);
  expect(again.status).not.toBe(0);
  expect(again.err).toContain('it is there already');
});

test('words that do not belong there are refused', async () => {
  expect((await line('kernel', 'show', 'more')).status).not.toBe(0);
  expect((await line('kernel', 'unknown')).status).not.toBe(0);
});
