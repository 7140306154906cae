// The cases of the verifier's measurements, and how one verification of any kernel is timed: by the line of statistics
// that the verifier prints itself.
import { readFileSync } from 'node:fs';
import { PROG_TYPE } from '../../src/isa/uapi.ts';
import { LoadError } from '../../src/object/errors.ts';
import { loadObject } from '../../src/object/load.ts';
import { openObject } from '../../src/object/open.ts';
import type { Kernel, LogRequest } from '../../src/syscall.ts';
import { branchy, endless, straightLine } from './programs.ts';

const STATISTICS = 4;
const LOG_BYTES = 1 << 20;

interface Case {
  readonly what: string;
  /** Times that it runs before it counts. */
  readonly warmUp: number;
  program(): Uint8Array;
}

export const CASES: Readonly<Record<string, Case>> = {
  straight: { what: 'straight line, 100,000', warmUp: 4, program: () => straightLine(100_000) },
  branchy: { what: 'branchy', warmUp: 2, program: () => branchy(13) },
  endless: { what: 'loop to the limit', warmUp: 1, program: endless },
  longest: { what: 'straight line, 1,000,000', warmUp: 0, program: () => straightLine(1_000_000) },
};
const OBJECT_WARM_UP = 2;

/** What one verification printed, and the processor time of the whole load, which other work does not lengthen. */
export interface Verification {
  insns: number;
  states: number;
  seconds: number;
  cpuSeconds: number;
}

function parse(text: string): Verification {
  const number = (pattern: RegExp): number => Number(pattern.exec(text)?.[1] ?? 0);
  return {
    insns: number(/processed (\d+) insns/),
    states: number(/total_states (\d+)/),
    seconds: number(/verification time (\d+) usec/) / 1e6,
    cpuSeconds: 0,
  };
}

function verifyInsns(kernel: Kernel, insns: Uint8Array): Verification {
  const log: LogRequest = { level: STATISTICS, size: LOG_BYTES };
  try {
    kernel.close(kernel.progLoad({ type: PROG_TYPE.sched_cls, insns, license: 'GPL', log }));
  } catch {
    // One verdict is as good as another here.
  }
  return parse(log.text ?? '');
}

function verifyObject(kernel: Kernel, path: string, program: string): Verification {
  const spec = openObject(readFileSync(path), { path });
  try {
    const options = { programs: [program], logLevel: STATISTICS, logSize: LOG_BYTES };
    const loaded = loadObject(kernel, spec, options);
    for (const { fd } of [...loaded.programs.values(), ...loaded.maps.values()]) kernel.close(fd);
    return parse(loaded.programs.get(program)?.log ?? '');
  } catch (error) {
    if (error instanceof LoadError) return parse(error.log);
    throw error;
  }
}

/** The fastest of the runs, of several after warming up; `name` is a case or OBJECT:PROGRAM. */
export function measure(kernel: Kernel, name: string, runs: number): Verification {
  const known = CASES[name];
  const at = name.lastIndexOf(':');
  const insns = known?.program();
  const once = (): Verification => {
    const before = process.cpuUsage();
    const found = insns ? verifyInsns(kernel, insns) : verifyObject(kernel, name.slice(0, at), name.slice(at + 1));
    const { user, system } = process.cpuUsage(before);
    return { ...found, cpuSeconds: (user + system) / 1e6 };
  };
  const warmUp = runs === 1 ? 0 : (known?.warmUp ?? OBJECT_WARM_UP);
  for (let i = 0; i < warmUp; i++) once();
  let best = once();
  for (let i = 1; i < runs; i++) {
    const next = once();
    const cpuSeconds = Math.min(best.cpuSeconds, next.cpuSeconds);
    best = { ...(next.seconds < best.seconds ? next : best), cpuSeconds };
  }
  return best;
}
