// node scripts/torture.ts [KILLS] [UPDATES]
//
// Kills a process KILLS (200) times at random moments of loads and map updates, and looks after each whether the state
// file opens and holds everything that had been acknowledged. Then four processes update one map UPDATES (1,000) times
// each: none may be lost.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MAP_TYPE } from '../src/isa/uapi.ts';
import { openSimulatedKernel } from '../src/kernel/index.ts';
import { loadObject } from '../src/object/load.ts';
import { openObject } from '../src/object/open.ts';
import type { Kernel } from '../src/syscall.ts';
import { objectPath } from './corpus.ts';
import { randomSource } from './random.ts';

const self = fileURLToPath(import.meta.url);
const MAP = '/sys/fs/bpf/torture';
const PROGS = '/sys/fs/bpf/progs';

const key = (n: number): Uint8Array => {
  const b = new Uint8Array(4);
  new DataView(b.buffer).setUint32(0, n, true);
  return b;
};

const number = (b: Uint8Array): number => new DataView(b.buffer, b.byteOffset).getUint32(0, true);

/** One map pinned at MAP, made if it is not there. */
function theMap(kernel: Kernel): number {
  try {
    return kernel.objGet(MAP).fd;
  } catch {
    const fd = kernel.mapCreate({
      type: MAP_TYPE.hash,
      keySize: 4,
      valueSize: 4,
      maxEntries: 100_000,
      name: 'torture',
    });
    kernel.objPin(MAP, fd);
    return fd;
  }
}

/** Updates and loads without end, saying what has been committed. */
function victim(state: string, from: number): void {
  const bytes = readFileSync(objectPath('map_hash'));
  for (let n = from; ; n++) {
    const kernel = openSimulatedKernel({ statePath: state });
    const fd = theMap(kernel);
    for (let i = 0; i < 5; i++) {
      kernel.mapUpdate(fd, key(n * 5 + i), key(n));
      process.stdout.write(`k${n * 5 + i}\n`);
    }
    const loaded = loadObject(kernel, openObject(bytes, { path: 'map_hash.bpf.o' }));
    const name = `p${n}`;
    kernel.objPin(`${PROGS}/${name}`, loaded.programs.get('count_open')?.fd ?? -1);
    process.stdout.write(`${name}\n`);
    kernel.closeAll();
  }
}

/** Updates `times` elements from `base` on. */
function adder(state: string, times: number, base: number): void {
  const kernel = openSimulatedKernel({ statePath: state });
  const fd = theMap(kernel);
  for (let i = 0; i < times; i++) kernel.mapUpdate(fd, key(base + i), key(i));
  kernel.closeAll();
}

const child = (...words: string[]): ChildProcess =>
  spawn(process.execPath, [self, ...words], { stdio: ['ignore', 'pipe', 'inherit'] });

const exit = (c: ChildProcess): Promise<number | null> => new Promise((resolve) => c.once('exit', resolve));

async function kills(count: number, state: string): Promise<string[]> {
  const random = randomSource(7);
  const faults: string[] = [];
  const seen = { keys: new Set<number>(), pins: new Set<string>() };
  const setup = openSimulatedKernel({ statePath: state });
  setup.treeMkdir(PROGS);
  setup.closeAll();
  let from = 0;
  for (let i = 0; i < count && faults.length === 0; i++) {
    const c = child('victim', state, String(from));
    let output = '';
    c.stdout?.on('data', (text) => {
      // From the first word on, so that a slow machine is not killed before it has done anything.
      if (output === '') setTimeout(() => c.kill('SIGKILL'), random.below(500));
      output += text;
    });
    await exit(c);
    for (const line of output.split('\n').slice(0, -1)) {
      if (line.startsWith('k')) seen.keys.add(Number(line.slice(1)));
      else seen.pins.add(line);
    }
    try {
      const kernel = openSimulatedKernel({ statePath: state });
      const pins = new Set(kernel.treeList(PROGS).map((e) => e.name));
      const fd = theMap(kernel);
      for (const pin of seen.pins) if (!pins.has(pin)) faults.push(`kill ${i}: pin ${pin} is lost`);
      for (const k of seen.keys) {
        if (number(kernel.mapLookup(fd, key(k))) !== Math.floor(k / 5)) faults.push(`kill ${i}: key ${k} is wrong`);
      }
      for (const pin of pins) {
        kernel.progInfo(kernel.objGet(`${PROGS}/${pin}`).fd);
        if (!seen.pins.has(pin)) kernel.treeUnlink(`${PROGS}/${pin}`);
      }
      kernel.closeAll();
    } catch (e) {
      faults.push(`kill ${i}: ${e instanceof Error ? e.stack : e}`);
    }
    from = Math.max(from, ...[...seen.keys].map((k) => Math.floor(k / 5) + 1));
  }
  process.stdout.write(`${count} kills: ${seen.keys.size} updates and ${seen.pins.size} loads were acknowledged\n`);
  return faults;
}

async function together(updates: number, state: string): Promise<string[]> {
  theMap(openSimulatedKernel({ statePath: state }));
  const children = [0, 1, 2, 3].map((n) => child('adder', state, String(updates), String(1_000_000 + n * updates)));
  const codes = await Promise.all(children.map(exit));
  const kernel = openSimulatedKernel({ statePath: state });
  const fd = theMap(kernel);
  let found = 0;
  for (let n = 0; n < 4 * updates; n++) {
    if (number(kernel.mapLookup(fd, key(1_000_000 + n))) === n % updates) found++;
  }
  kernel.closeAll();
  process.stdout.write(`4 processes, ${updates} updates each: ${found} found\n`);
  return codes.every((c) => c === 0) && found === 4 * updates ? [] : [`exit ${codes}, ${found} updates`];
}

const [mode, ...words] = process.argv.slice(2);
if (mode === 'victim') victim(words[0], Number(words[1]));
else if (mode === 'adder') adder(words[0], Number(words[1]), Number(words[2]));
else {
  const folder = mkdtempSync(join(tmpdir(), 'torture-'));
  try {
    const faults = [
      ...(await kills(Number(mode ?? 200), join(folder, 'kernel.db'))),
      ...(await together(Number(words[0] ?? 1000), join(folder, 'shared.db'))),
    ];
    for (const fault of faults) process.stdout.write(`${fault}\n`);
    process.exitCode = faults.length ? 1 : 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
