// Whole processes and what they take: wall time, processor time and peak memory.
import { spawnSync } from 'node:child_process';

/** What one run takes: milliseconds on the clock, and of all processors together. */
export interface Sample {
  wall: number;
  cpu: number;
}

// bash tells times in milliseconds, and those of the command alone.
const TIMED = `TIMEFORMAT='%3R %3U %3S'; { time "$@" >/dev/null 2>&1; } 2>&1 || exit`;

export type Environment = Readonly<Record<string, string | undefined>>;

/** One run, with its output thrown away; undefined where it cannot run or fails. */
export const timeRun = (command: readonly string[], env: Environment): Sample | undefined => {
  const { status, stdout } = spawnSync('bash', ['-c', TIMED, 'bash', ...command], { env, encoding: 'utf8' });
  if (status !== 0) return undefined;
  const [wall, user, system] = stdout
    .trim()
    .split(' ')
    .map((seconds) => Number(seconds) * 1000);
  return { wall, cpu: user + system };
};

/** Most memory that a run holds at once, in MiB; undefined where there is no time(1), or it fails. */
export const peakMemory = (command: readonly string[], env: Environment): number | undefined => {
  const { status, stderr } = spawnSync('/usr/bin/time', ['-f', '%M', ...command], {
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  return status === 0 ? Number(stderr.trim().split('\n').at(-1)) / 1024 : undefined;
};

const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

/** Medians of each time by itself; undefined without samples. */
export const medianOf = (samples: readonly Sample[]): Sample | undefined =>
  samples.length > 0
    ? { wall: median(samples.map(({ wall }) => wall)), cpu: median(samples.map(({ cpu }) => cpu)) }
    : undefined;
