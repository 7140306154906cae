// node scripts/differential.ts [--log] OBJECT…
//
// Loads every program of the objects by itself into the running kernel and into a simulated one, and compares verdict,
// log at level 2 with statistics, instructions and the size of the machine code. Programs that the running kernel refuses for reasons
// that are not the verifier's (EPERM by policy, missing maps) are counted apart. --log shows the first line that differs.
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { SysError } from '../src/errno.ts';
import { openSimulatedKernel } from '../src/kernel/index.ts';
import { openLiveKernel } from '../src/live/live-kernel.ts';
import { LoadError } from '../src/object/errors.ts';
import { loadObject } from '../src/object/load.ts';
import { openObject } from '../src/object/open.ts';
import { entryPrograms, type ObjectSpec } from '../src/object/spec.ts';
import type { Kernel } from '../src/syscall.ts';
import { maskLog, maskXlatedBytes } from './parity/mask.ts';

const LOG_BYTES = 16 << 20;
/** Every instruction, and the statistics. */
const LOG_LEVEL = 2 | 4;
const EPERM = 1;

/** What of a log is compared: where it has outgrown its buffer, the length of the time decides where it begins. */
const COMPARED = 15 << 20;
const masked = (log: string): string =>
  maskLog(log.replace(/verification time \d+ usec/, 'verification time N usec').slice(-COMPARED));

interface Outcome {
  errno: number;
  log: string;
  xlated: string;
  jitedBytes: number;
  /** Where it failed before any program was tried, or a fault of ours. */
  other: string | undefined;
}

function outcome(kernel: Kernel, spec: ObjectSpec, program: string): Outcome {
  const failed = (errno: number, log: string, other?: string): Outcome => ({
    errno,
    log,
    xlated: '',
    jitedBytes: 0,
    other,
  });
  try {
    const loaded = loadObject(kernel, spec, { programs: [program], logLevel: LOG_LEVEL, logSize: LOG_BYTES });
    const { fd, log } = loaded.programs.get(program) ?? { fd: -1, log: '' };
    const info = kernel.progInfo(fd);
    for (const p of [...loaded.programs.values(), ...loaded.maps.values()]) kernel.close(p.fd);
    const xlated = maskXlatedBytes(Buffer.from(info.xlated).toString('hex'));
    return { errno: 0, log: masked(log), xlated, jitedBytes: info.jited.length, other: undefined };
  } catch (e) {
    if (e instanceof LoadError) return failed(e.errno, masked(e.log));
    if (e instanceof SysError) return failed(e.errno, '', e.message);
    return failed(-1, '', e instanceof Error ? e.stack : String(e));
  }
}

const words = process.argv.slice(2);
const showLog = words.includes('--log');
const live = openLiveKernel();
const counts: Record<string, number> = {};
const count = (what: string): void => {
  counts[what] = (counts[what] ?? 0) + 1;
};

for (const path of words.filter((w) => !w.startsWith('--'))) {
  const name = basename(path, '.bpf.o');
  let names: string[];
  const open = (): ObjectSpec => openObject(readFileSync(path), { path });
  try {
    names = entryPrograms(open()).map((p) => p.name);
  } catch (e) {
    count(e instanceof SysError ? 'objects refused by the loader' : 'objects: faults');
    continue;
  }
  for (const program of names) {
    const real = outcome(live, open(), program);
    if (real.errno === EPERM) {
      count('not comparable');
      continue;
    }
    const kernel = openSimulatedKernel({ statePath: ':memory:' });
    const start = performance.now();
    const ours = outcome(kernel, open(), program);
    const took = performance.now() - start;
    kernel.closeAll();
    count('programs');
    const say = (what: string, detail: string): void => {
      count(what);
      process.stdout.write(`${name}/${program}: ${what} ${detail}\n`);
    };
    if (took > 10_000) say('slow', `${Math.round(took)} ms`);
    if (real.other !== undefined) count('refused before the verifier');
    if (ours.errno !== real.errno) {
      const last = (log: string): string => log.trim().split('\n').slice(-3, -1).join(' | ').slice(-200);
      say(
        'verdict',
        `ours ${ours.errno} real ${real.errno}; ours: ${ours.other ?? last(ours.log)}; real: ${real.other ?? last(real.log)}`,
      );
      continue;
    }
    if (ours.log !== real.log) {
      const a = ours.log.split('\n');
      const b = real.log.split('\n');
      const at = b.findIndex((line, i) => line !== a[i]);
      say(
        'log',
        showLog ? `line ${at + 1}\n  ours ${a[at]?.slice(0, 240)}\n  real ${b[at]?.slice(0, 240)}` : `line ${at + 1}`,
      );
    }
    if (ours.xlated !== real.xlated)
      say('xlated', `${ours.xlated.length / 16} and ${real.xlated.length / 16} instructions`);
    else if (ours.jitedBytes !== real.jitedBytes) say('jited', `${ours.jitedBytes} and ${real.jitedBytes} bytes`);
  }
}
live.closeAll();
for (const [what, n] of Object.entries(counts)) process.stdout.write(`${what}: ${n}\n`);
