// Verifying one program of an object by itself; nothing is kept.
import { SysError } from '../../../src/errno.ts';
import { MAP_TYPE, PROG_TYPES } from '../../../src/isa/uapi.ts';
import { LoadError } from '../../../src/object/errors.ts';
import { loadObject } from '../../../src/object/load.ts';
import type { MapSpec, ObjectSpec, ProgramSpec } from '../../../src/object/spec.ts';
import type { CommandContext } from '../../command.ts';
import { printerOf } from '../load.ts';
import type { Row } from './columns.ts';

/** Bit of log_level that asks for statistics, and the one for the log of a refused program. */
const STATISTICS = 4;
const PATH = 1;

/** Maps that have no size, or that the loader gives one. */
const SIZELESS: ReadonlySet<number> = new Set([
  MAP_TYPE.sk_storage,
  MAP_TYPE.task_storage,
  MAP_TYPE.inode_storage,
  MAP_TYPE.cgrp_storage,
  MAP_TYPE.cgroup_storage,
  MAP_TYPE.percpu_cgroup_storage,
  MAP_TYPE.struct_ops,
  MAP_TYPE.perf_event_array,
]);
const RINGS: ReadonlySet<number> = new Set([MAP_TYPE.ringbuf, MAP_TYPE.user_ringbuf]);
const PAGE_BYTES = 4096;

/** A map as verification needs it: pinned nowhere, and of some size where the program that uses it would choose one. */
function withoutOwner(map: MapSpec): MapSpec {
  const { pinPath: _, ...rest } = map;
  const sized = map.kind !== 'user' || map.maxEntries !== 0 || SIZELESS.has(map.type);
  return { ...rest, maxEntries: sized ? map.maxEntries : RINGS.has(map.type) ? PAGE_BYTES : 1 };
}

/** An object whose programs can be verified one after the other. Rule: fixup_obj, veristat.c, 6.18. */
export const forVerifying = (spec: ObjectSpec): ObjectSpec => ({ ...spec, maps: spec.maps.map(withoutOwner) });

export interface Verdict {
  row: Row;
  log: string;
}

const STAT_LINES = /^(?:verification time \d+ usec|stack depth [\d+]+)\n/gm;
const PROCESSED = /^processed (\d+) insns .*max_states_per_insn (\d+) total_states (\d+) peak_states (\d+)/m;

interface Attempt {
  errno: number;
  log: string;
  xlated: number;
  jited: number;
}

function attempt(context: CommandContext, spec: ObjectSpec, program: ProgramSpec, logLevel: number): Attempt {
  // The verdict is told once, at the end; what the loader says is the log of a program that never came to the verifier.
  const messages: string[] = [];
  const kernel = context.kernel();
  try {
    const loaded = loadObject(kernel, spec, {
      programs: [program.name],
      logLevel,
      print: context.options.debug ? printerOf(context) : (level, text) => level === 'warn' && messages.push(text),
    });
    const own = loaded.programs.get(program.name);
    const info = own && kernel.progInfo(own.fd);
    for (const { fd } of [...loaded.programs.values(), ...loaded.maps.values()]) kernel.close(fd);
    return { errno: 0, log: own?.log ?? '', xlated: info?.xlated.length ?? 0, jited: info?.jited.length ?? 0 };
  } catch (e) {
    if (!(e instanceof SysError)) throw e;
    return { errno: e.errno, log: e instanceof LoadError ? e.log : messages.join(''), xlated: 0, jited: 0 };
  }
}

/** `level`: the log that is wanted; undefined asks for that of a refused program, 0 for none. */
export function verdictOf(
  context: CommandContext,
  spec: ObjectSpec,
  file: string,
  program: ProgramSpec,
  level: number | undefined,
): Verdict {
  const first = attempt(context, spec, program, (level ?? 0) | STATISTICS);
  // Writing a log takes longer than verifying, so most programs do without.
  const { log } = level === undefined && first.errno !== 0 ? attempt(context, spec, program, PATH | STATISTICS) : first;
  const [, insns, most, total, peak] = PROCESSED.exec(log) ?? [];
  const depth = /^stack depth ([\d+]+)$/m.exec(log)?.[1] ?? '0';
  return {
    row: {
      file,
      program: program.name,
      section: program.section,
      type: PROG_TYPES[program.type],
      verdict: first.errno === 0 ? 'success' : 'failure',
      errno: first.errno,
      insns: Number(insns ?? 0),
      total_states: Number(total ?? 0),
      peak_states: Number(peak ?? 0),
      max_states_per_insn: Number(most ?? 0),
      stack_depth: depth.split('+').reduce((sum, d) => sum + Number(d), 0),
      xlated: first.xlated,
      jited: first.jited,
      time_us: Number(/^verification time (\d+) usec$/m.exec(first.log)?.[1] ?? 0),
    },
    log: (level ?? 0) & STATISTICS ? log : log.replace(STAT_LINES, ''),
  };
}
