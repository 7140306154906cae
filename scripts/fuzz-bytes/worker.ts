// Works through inputs in a thread of its own, so that one that never ends can be told and stopped.
import { parentPort, workerData } from 'node:worker_threads';
import { parseBtfFile } from '../../src/btf/file.ts';
import { randomSource } from '../random.ts';
import { Exercise } from './exercise.ts';
import { mutate, type Seed } from './mutate.ts';
import { loadSeeds } from './seeds.ts';

export interface Task {
  /** Inputs `from` to `to`, the last not included. */
  from: number;
  to: number;
  seed: number;
  /** Number of the input that is worked on, its length, and its bytes as far as there is room. */
  progress: SharedArrayBuffer;
}

/** What the thread tells. */
export type News =
  | { kind: 'fault'; index: number; what: string; seed: string; text: string; bytes: Uint8Array }
  | { kind: 'done'; slowest: number; slowestWhat: string; rss: number; rssWhat: string; calls: number; opened: number };

const SLOW_MS = 1000;
/** Inputs from one look at the memory to the next. */
const RSS_EVERY = 16;
/** Every so many inputs, one is BTF data. */
const TYPES_EVERY = 2;

const { from, to, seed, progress } = workerData as Task;
const current = new Int32Array(progress, 0, 2);
const shown = new Uint8Array(progress, current.byteLength);
const seeds = loadSeeds();
const kernelBtf = parseBtfFile(seeds.types.reduce((a, b) => (b.bytes.length > a.bytes.length ? b : a)).bytes, 'kernel');
const tell = (news: News): void => parentPort?.postMessage(news);

let slowest = 0;
let slowestWhat = '';
let rss = 0;
let rssWhat = '';
let calls = 0;
let opened = 0;
for (let index = from; index < to; index++) {
  Atomics.store(current, 0, index);
  const random = randomSource(Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b));
  for (let i = 0; i < 8; i++) random.below(2);
  const list: readonly Seed[] = random.below(TYPES_EVERY) === 0 ? seeds.types : seeds.objects;
  const chosen = list[random.below(list.length)];
  const partner = seeds.objects[random.below(seeds.objects.length)].bytes;
  const bytes = mutate(chosen, random);
  current[1] = Math.min(bytes.length, shown.length);
  shown.set(bytes.subarray(0, shown.length));
  const exercise = new Exercise(
    (what, ms, fault) => {
      calls++;
      if (ms > slowest) {
        slowest = ms;
        slowestWhat = `${what}, input ${index}`;
      }
      if (fault === undefined && ms <= SLOW_MS) return;
      const text =
        fault === undefined ? `${Math.round(ms)} ms` : fault instanceof Error ? `${fault.stack}` : String(fault);
      tell({ kind: 'fault', index, what, seed: chosen.name, text, bytes });
    },
    random,
    seeds.base,
    partner,
    kernelBtf,
  );
  if (list === seeds.types) exercise.types(bytes, chosen.name.includes('split'));
  else exercise.object(bytes);
  if (exercise.opened) opened++;
  if (index % RSS_EVERY !== 0) continue;
  const now = process.memoryUsage.rss();
  if (now > rss) {
    rss = now;
    rssWhat = `input ${index}`;
  }
}
Atomics.store(current, 0, -1);
tell({ kind: 'done', slowest, slowestWhat, rss, rssWhat, calls, opened });
