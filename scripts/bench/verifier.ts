// Processed instructions a second: the simulated kernel's verifier beside the running kernel's. Each case runs in a
// process of its own, so that its memory is its own too.
import { spawnSync } from 'node:child_process';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openLiveKernel } from '../../src/live/live-kernel.ts';
import type { Kernel } from '../../src/syscall.ts';
import { CASES, measure, type Verification } from './verifier-cases.ts';

const RUNS = 3;
const script = fileURLToPath(new URL('main.ts', import.meta.url));

type Measured = Verification & { peakMegabytes: number };

function ours(name: string, runs: number): Measured | undefined {
  const { status, stdout } = spawnSync(process.execPath, [script, name, String(runs)], { encoding: 'utf8' });
  return status === 0 ? (JSON.parse(stdout) as Measured) : undefined;
}

function live(): Kernel | undefined {
  try {
    const kernel = openLiveKernel();
    kernel.nextId('map', 0);
    return kernel;
  } catch {
    return undefined;
  }
}

function real(kernel: Kernel | undefined, name: string): Verification | undefined {
  try {
    return kernel && measure(kernel, name, RUNS);
  } catch {
    return undefined;
  }
}

const rate = (v: Verification | undefined, seconds = v?.seconds): string =>
  (v && seconds ? `${(v.insns / seconds / 1e6).toFixed(2)} M/s` : '-').padStart(12);

/** Prints a table; "of CPU" is a second of processor time of the whole load. `names` are cases or OBJECT:PROGRAM. */
export function benchVerifier(names: readonly string[] = Object.keys(CASES)): void {
  const kernel = live();
  process.stdout.write(
    `${'verifier'.padEnd(30)} ${'bpftool-ts'.padStart(12)} ${'of CPU'.padStart(12)} ${'Linux'.padStart(12)}   ratio     insns  states   peak\n`,
  );
  for (const name of names) {
    const a = ours(name, RUNS);
    // Memory is that of a process which verifies once, as the command line does.
    const once = ours(name, 1);
    const b = real(kernel, name);
    const ratio = a?.seconds && b?.seconds ? (a.seconds / b.seconds).toFixed(1) : '-';
    const what = CASES[name]?.what ?? basename(name);
    const tail = a
      ? `${a.insns}`.padStart(9) + `${a.states}`.padStart(8) + `${once?.peakMegabytes} MB`.padStart(7)
      : '';
    process.stdout.write(
      `${what.padEnd(30)} ${rate(a)} ${rate(a, a?.cpuSeconds)} ${rate(b)} ${ratio.padStart(7)} ${tail}\n`,
    );
  }
  kernel?.closeAll();
}
