// Runs the inputs and watches the thread that works on them.
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { recordRun } from '../parity/runs.ts';
import type { News, Task } from './worker.ts';

const LOOK_MS = 1000;
/** An input that takes longer is given up. */
const HANG_MS = 60_000;
const MAX_FAULTS = 20;
/** So that garbage does not count as what an input needs. */
const MAX_HEAP_MB = 256;
const MAX_YOUNG_MB = 16;
/** Bytes that are shared with the thread. */
const ROOM = 1 << 16;
const MAX_RSS = 512 << 20;
/** A new thread every so many inputs; what one leaks shows in the memory before that. */
const CHUNK = 100_000;

const saved = (index: number): string => join(tmpdir(), `fuzz-fault-${index}.bin`);

interface Tally {
  done: number;
  calls: number;
  opened: number;
  slowest: number;
  slowestWhat: string;
  rss: number;
  rssWhat: string;
  faults: string[];
}

/** Runs one thread; gives the number of the first input that it did not get to. */
const runThread = (from: number, to: number, seed: number, tally: Tally): Promise<number> =>
  new Promise((resolve) => {
    const progress = new SharedArrayBuffer(ROOM);
    const current = new Int32Array(progress, 0, 2);
    current[0] = from;
    const workerData: Task = { from, to, seed, progress };
    const worker = new Worker(new URL('./worker.ts', import.meta.url), {
      workerData,
      resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB, maxYoungGenerationSizeMb: MAX_YOUNG_MB },
    });
    let last = from;
    let since = performance.now();
    const timer = setInterval(() => {
      const index = Atomics.load(current, 0);
      if (index !== last) {
        last = index;
        since = performance.now();
      } else if (index >= 0 && performance.now() - since > HANG_MS) {
        giveUp('no end');
      }
    }, LOOK_MS);
    const finish = (next: number): void => {
      clearInterval(timer);
      void worker.terminate().then(() => resolve(next));
    };
    /** Keeps the input that is worked on, and goes on behind it. */
    const giveUp = (why: string): void => {
      const index = Atomics.load(current, 0);
      writeFileSync(saved(index), new Uint8Array(progress, current.byteLength, current[1]).slice());
      tally.faults.push(`input ${index}: ${why}\n  saved as ${saved(index)}`);
      finish(index + 1);
    };
    worker.on('error', (error) => giveUp(error.message));
    worker.on('message', (news: News) => {
      if (news.kind === 'done') {
        tally.calls += news.calls;
        tally.opened += news.opened;
        if (news.rss > tally.rss) {
          tally.rss = news.rss;
          tally.rssWhat = news.rssWhat;
        }
        if (news.slowest > tally.slowest) {
          tally.slowest = news.slowest;
          tally.slowestWhat = news.slowestWhat;
        }
        finish(to);
        return;
      }
      writeFileSync(saved(news.index), news.bytes);
      tally.faults.push(
        `input ${news.index} (${news.seed}), ${news.what}: ${news.text}\n  saved as ${saved(news.index)}`,
      );
      if (tally.faults.length >= MAX_FAULTS) finish(to);
    });
  });

/** Inputs `first` to `first + count - 1`; gives the exit status after writing what there is to say. */
export const drive = async (first: number, count: number, seed: number): Promise<number> => {
  const tally: Tally = { done: 0, calls: 0, opened: 0, slowest: 0, slowestWhat: '', rss: 0, rssWhat: '', faults: [] };
  const start = performance.now();
  const end = first + count;
  for (let at = first; at < end && tally.faults.length < MAX_FAULTS; ) {
    at = await runThread(at, Math.min(end, at + CHUNK), seed, tally);
    tally.done = at - first;
  }
  const seconds = (performance.now() - start) / 1000;
  const megabytes = Math.round(tally.rss / 2 ** 20);
  if (tally.rss > MAX_RSS) tally.faults.push(`${megabytes} MB of memory`);
  for (const fault of tally.faults) process.stdout.write(`${fault}\n`);
  const result =
    `${tally.done} inputs, seed ${seed}, ${tally.opened} of them opened, ${tally.calls} calls: ` +
    `${tally.faults.length} faults, slowest call ${Math.round(tally.slowest)} ms, peak memory ${megabytes} MB`;
  const most = `slowest: ${tally.slowestWhat}; most memory: ${tally.rssWhat}`;
  process.stdout.write(`${result}\n${most}; ${Math.round(tally.done / seconds)} inputs/s\n`);
  recordRun(result);
  return tally.faults.length ? 1 : 0;
};
