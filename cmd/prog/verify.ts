// bpftool prog verify (ours): each program of an object by itself, verified and not kept.

import { SysError } from '../../src/errno.ts';
import { PROG_TYPES } from '../../src/isa/uapi.ts';
import { LoadError } from '../../src/object/errors.ts';
import { loadObject } from '../../src/object/load.ts';
import { entryPrograms, type ObjectSpec, type ProgramSpec } from '../../src/object/spec.ts';
import { CliError, type CommandContext, SilentFailure } from '../command.ts';
import { tableOf } from '../table.ts';
import { isPrefix, needWords, parseU32 } from '../words.ts';
import { openFile, printerOf } from './load.ts';

const STATISTICS = 4;

interface Verdict {
  program: string;
  section: string;
  type: string;
  verdict: 'success' | 'failure';
  /** 0 or a positive error number. */
  errno: number;
  insns: number;
  total_states: number;
  peak_states: number;
  /** Bytes; of several functions the sum. */
  stack_depth: number;
  log: string;
}

const STAT_LINES = /^(?:verification time \d+ usec|stack depth [\d+]+)\n/gm;
const PROCESSED = /^processed (\d+) insns .*total_states (\d+) peak_states (\d+)/m;

function verdictOf(context: CommandContext, spec: ObjectSpec, program: ProgramSpec, level: number): Verdict {
  let errno = 0;
  let log = '';
  // The verdict is told once, at the end; what the loader says is the log of a program that never came to the verifier.
  const messages: string[] = [];
  const kernel = context.kernel();
  try {
    const loaded = loadObject(kernel, spec, {
      programs: [program.name],
      logLevel: level | STATISTICS,
      print: context.options.debug ? printerOf(context) : (level, text) => level === 'warn' && messages.push(text),
    });
    log = loaded.programs.get(program.name)?.log ?? '';
    for (const { fd } of [...loaded.programs.values(), ...loaded.maps.values()]) kernel.close(fd);
  } catch (e) {
    if (!(e instanceof SysError)) throw e;
    errno = e.errno;
    log = e instanceof LoadError ? e.log : messages.join('');
  }
  const [, insns, total, peak] = PROCESSED.exec(log) ?? [];
  const depth = /^stack depth ([\d+]+)$/m.exec(log)?.[1] ?? '0';
  return {
    program: program.name,
    section: program.section,
    type: PROG_TYPES[program.type],
    verdict: errno === 0 ? 'success' : 'failure',
    errno,
    insns: Number(insns ?? 0),
    total_states: Number(total ?? 0),
    peak_states: Number(peak ?? 0),
    stack_depth: depth.split('+').reduce((sum, d) => sum + Number(d), 0),
    log: level & STATISTICS ? log : log.replace(STAT_LINES, ''),
  };
}

const COLUMNS = [
  'program',
  'section',
  'type',
  'verdict',
  'errno',
  'insns',
  'total_states',
  'peak_states',
  'stack_depth',
] as const;

/** prog verify FILE [program NAME] [log_level N]: exit status 255 where a program is refused. */
export async function verify(context: CommandContext, words: string[], previous: string): Promise<void> {
  needWords(words, 1, previous);
  const spec = openFile(context, words.shift() as string);
  let only: string | undefined;
  let level = 1;
  while (words.length > 0) {
    const word = words.shift() as string;
    needWords(words, 1, word);
    if (isPrefix(word, 'program')) only = words.shift();
    else if (isPrefix(word, 'log_level')) level = parseU32(words.shift() as string, 'log level');
    else throw new CliError(`expected 'program' or 'log_level', got: '${word}'?`);
  }
  const programs = entryPrograms(spec).filter((p) => only === undefined || p.name === only);
  if (programs.length === 0) {
    throw new CliError(
      only === undefined ? "object file doesn't contain any bpf program" : `object file has no program '${only}'`,
    );
  }
  const verdicts = programs.map((p) => verdictOf(context, spec, p, level));
  const { json } = context;
  if (json) {
    json.startArray();
    for (const v of verdicts) {
      json.startObject();
      for (const column of COLUMNS) json.field(column, v[column]);
      json.field('log', v.log).endObject();
    }
    json.endArray();
  } else if (context.options.table) {
    context.out(
      await tableOf(
        COLUMNS,
        verdicts.map((v) => COLUMNS.map((c) => String(v[c]))),
      ),
    );
  } else {
    for (const v of verdicts) {
      const numbers = `insns ${v.insns}  states ${v.total_states}  peak ${v.peak_states}  stack ${v.stack_depth}`;
      context.out(`${v.program}: ${v.type}  ${v.verdict}${v.errno ? ` (errno ${v.errno})` : ''}  ${numbers}\n`);
      if (v.errno !== 0 || level > 1) context.out(v.log.replace(/^(?=.)/gm, '\t'));
    }
  }
  if (verdicts.some((v) => v.errno !== 0)) throw new SilentFailure();
}
