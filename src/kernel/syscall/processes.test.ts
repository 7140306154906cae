import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { MAP_TYPE } from '../../isa/uapi.ts';
import { openSimulatedKernel } from '../index.ts';
import type { SimulatedKernel } from './simulated.ts';
import { u32 } from './test-victim.ts';

const folder = mkdtempSync(join(tmpdir(), 'processes-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let count = 0;
let state = '';
beforeEach(() => {
  state = join(folder, `${count++}.db`);
});

const open = (): SimulatedKernel => openSimulatedKernel({ statePath: state });
const victim = fileURLToPath(new URL('./test-victim.ts', import.meta.url));
const array = { type: MAP_TYPE.array, keySize: 4, valueSize: 4, maxEntries: 1 };

interface Child {
  process: ChildProcess;
  /** Whole lines that it has written. */
  lines(): string[];
  /** Resolves when it has written this many lines. */
  wrote(lines: number): Promise<void>;
  kill(): Promise<void>;
}

function start(...words: string[]): Child {
  const child = spawn(process.execPath, [victim, ...words], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  let woken = (): void => {};
  child.stdout.on('data', (data) => {
    text += data;
    woken();
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const lines = (): string[] => text.split('\n').slice(0, -1);
  return {
    process: child,
    lines,
    wrote: (n) =>
      new Promise((resolve, reject) => {
        woken = () => lines().length >= n && resolve();
        child.once('exit', (code) => reject(new Error(`exit ${code}`)));
        woken();
      }),
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

test('what only a killed process held is there while it lives, and goes away at the next opening', async () => {
  const child = start('hold', state);
  await child.wrote(1);
  const id = Number(child.lines()[0]);
  const during = open();
  expect(during.nextId('map', 0)).toBe(id);
  expect(during.counts()).toMatchObject({ map: 1, prog: 1 });
  during.closeAll();
  await child.kill();
  const after = open();
  expect(after.counts()).toMatchObject({ map: 0, prog: 0 });
  expect(after.mapInfo(after.mapCreate(array)).id).toBe(id + 1);
  after.closeAll();
});

test('whatever was acknowledged before a kill is there afterwards, and the state opens', async () => {
  const setup = open();
  setup.objPin('/sys/fs/bpf/map', setup.mapCreate({ ...array, type: MAP_TYPE.hash, maxEntries: 1_000_000 }));
  setup.closeAll();
  const keys = new Set<number>();
  const pins = new Set<string>();
  for (const delay of [0, 3, 11, 40]) {
    const child = start('work', state, String(Math.max(0, ...keys) + 1));
    await child.wrote(10);
    await new Promise((resolve) => setTimeout(resolve, delay));
    await child.kill();
    for (const line of child.lines()) {
      if (line.startsWith('u')) keys.add(Number(line.slice(1)));
      else pins.add(line.slice(1));
    }
    const kernel = open();
    const { fd } = kernel.objGet('/sys/fs/bpf/map');
    for (const key of keys) expect(kernel.mapLookup(fd, u32(key))).toEqual(u32(key + 1));
    const names = new Set(kernel.treeList('/sys/fs/bpf').map((entry) => entry.name));
    for (const pin of pins) expect(names).toContain(pin);
    // A program is there with its pin or not at all.
    expect(kernel.counts().prog).toBe(names.size - 1);
    kernel.closeAll();
  }
  expect(keys.size).toBeGreaterThan(40);
});

test('a pin that another process removes leaves the object to those who have it open', () => {
  const a = open();
  const b = open();
  const made = a.mapCreate(array);
  a.objPin('/sys/fs/bpf/m', made);
  a.close(made);
  const { fd } = a.objGet('/sys/fs/bpf/m');
  b.treeUnlink('/sys/fs/bpf/m');
  const { id } = a.mapInfo(fd);
  expect(b.nextId('map', 0)).toBe(id);
  a.mapUpdate(fd, u32(0), u32(7));
  a.close(fd);
  expect(b.counts().map).toBe(0);
  a.closeAll();
  b.closeAll();
});

test('code of programs that two processes load lies apart', () => {
  const a = open();
  const b = open();
  const addresses = [a, b, a, b].map((kernel) => {
    const insns = Uint8Array.from([0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0]);
    return kernel.progInfo(kernel.progLoad({ type: 6, insns, license: 'GPL' })).jitedKsyms[0];
  });
  expect(new Set(addresses).size).toBe(4);
  a.closeAll();
  b.closeAll();
});

test('emptying the state takes everything away, also from others, whose descriptors then lead nowhere', () => {
  const a = open();
  const b = open();
  const fd = a.mapCreate(array);
  a.objPin('/sys/fs/bpf/m', fd);
  b.reset();
  expect(b.counts()).toEqual({ prog: 0, map: 0, btf: 1, link: 0, pins: 0 });
  expect(() => a.mapInfo(fd)).toThrow('No such file or directory');
  expect(b.mapInfo(b.mapCreate(array)).id).toBe(1);
  a.closeAll();
  expect(b.counts().map).toBe(1);
  b.closeAll();
});
