// Loads of mutated objects of the corpus into a simulated kernel with a state file.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../cmd/run.ts';
import { openSimulatedKernel } from '../../src/kernel/index.ts';
import { objectNames, objectPath } from '../corpus.ts';
import { type Random, randomSource } from '../random.ts';

const SLOW_MS = 2000;

/** One to eight changes, each of a random kind. */
function mutate(original: Uint8Array, random: Random): Uint8Array {
  let bytes = Uint8Array.from(original);
  const places = (): number => random.below(bytes.length);
  const kinds: (() => void)[] = [
    () => {
      bytes[places()] ^= 1 << random.below(8);
    },
    () => {
      bytes[places()] = random.below(256);
    },
    () => {
      // A 32-bit word of an interesting value.
      const at = Math.max(0, Math.min(bytes.length - 4, places() & ~3));
      const value = [0, 1, 0xffffffff, 0x7fffffff, 0x80000000, bytes.length][random.below(6)];
      if (bytes.length >= 4) new DataView(bytes.buffer).setUint32(at, value, true);
    },
    () => {
      bytes = bytes.slice(0, places());
    },
    () => {
      const from = places();
      bytes.copyWithin(places(), from, from + random.below(64));
    },
  ];
  for (let i = 1 + random.below(8); i > 0 && bytes.length > 0; i--) {
    // Cutting is rarer than the rest: what is cut early says little.
    const kind = random.below(40) === 0 ? 3 : [0, 1, 2, 4][random.below(4)];
    kinds[kind]();
  }
  return bytes;
}

/** Loads `count` objects; gives the exit status after writing what there is to say. */
export const loadMutants = async (count: number, seed: number): Promise<number> => {
  const random = randomSource(seed);
  const folder = mkdtempSync(join(tmpdir(), 'fuzz-'));
  const state = join(folder, 'kernel.db');
  const file = join(folder, 'x.bpf.o');
  const objects = objectNames().map((name) => ({ name, bytes: readFileSync(objectPath(name)) }));
  const faults: string[] = [];
  let accepted = 0;
  let slowest = 0;
  try {
    for (let i = 0; i < count; i++) {
      const { name, bytes } = objects[random.below(objects.length)];
      const mutated = mutate(bytes, random);
      writeFileSync(file, mutated);
      const start = performance.now();
      try {
        const quiet = { out: () => undefined, err: () => undefined };
        const status = await run(['--state', state, 'prog', 'loadall', file, `/sys/fs/bpf/f${i}`], quiet);
        if (status === 0) accepted++;
      } catch (e) {
        faults.push(`#${i} (${name}): ${e instanceof Error ? (e.stack ?? e.message) : String(e)}`);
        writeFileSync(join(tmpdir(), `fuzz-fault-${i}.o`), mutated);
      }
      const took = performance.now() - start;
      slowest = Math.max(slowest, took);
      if (took > SLOW_MS) faults.push(`#${i} (${name}): ${Math.round(took)} ms`);
      if (i % 500 === 499) openSimulatedKernel({ statePath: state }).closeAll();
      if (faults.length >= 20) break;
    }
    openSimulatedKernel({ statePath: state }).closeAll();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  process.stdout.write(`${count} objects, seed ${seed}: ${accepted} loaded, slowest ${Math.round(slowest)} ms\n`);
  for (const fault of faults) process.stdout.write(`${fault}\n`);
  return faults.length ? 1 : 0;
};
