// node scripts/fuzz-programs.ts SEED COUNT [--mutants | --objects FILE…] [--log] [--jit] [--out DIR]
//                               [--keep-going N] [--reasons] [--type NAME]
//
// Generates the programs of seeds SEED … SEED+COUNT-1, loads each into the running kernel and into a simulated one, and
// compares verdict, errno, the last error, stack depth and the counts of processed instructions and states. --log
// compares the log at level 2 as well; --jit also the rewritten instructions, tag, records and machine code, addresses
// masked, but of programs loaded with BPF_F_TEST_RND_HI32. --mutants takes changed cases of testdata/verifier instead, --objects the programs of object files and COUNT
// mutants of each. Each difference is made small and, with --out, written as a case for testdata/verifier. Needs root
// on Linux 6.18, x86-64; nothing is pinned or attached.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ERRNO } from '../src/errno.ts';
import { openSimulatedKernel } from '../src/kernel/index.ts';
import { PROG_FLAG } from '../src/kernel/verifier/env.ts';
import { compare, type Difference } from './fuzz/compare.ts';
import { programsOf } from './fuzz/from-objects.ts';
import { generate } from './fuzz/generate.ts';
import { mutant, mutantOf } from './fuzz/mutants.ts';
import type { FuzzProgram } from './fuzz/program.ts';
import { asCase } from './fuzz/save-case.ts';
import { shrink } from './fuzz/shrink.ts';
import { Sides } from './fuzz/sides.ts';
import { Tally } from './fuzz/tally.ts';
import { recordRun } from './parity/runs.ts';

/** Programs that the kernel walks longer than this are counted, but not walked here. */
const MAX_PROCESSED = 50_000;
/** Characters of a difference, and of what comes before it. */
const SHOWN = 600;
const SHOWN_BEFORE = 200;
const LOG_STATS = 4;
const LOG_INSNS = 2;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    log: { type: 'boolean', default: false },
    jit: { type: 'boolean', default: false },
    mutants: { type: 'boolean', default: false },
    objects: { type: 'boolean', default: false },
    out: { type: 'string' },
    type: { type: 'string' },
    reasons: { type: 'boolean', default: false },
    'keep-going': { type: 'string', default: '10' },
  },
});
const [first, count] = positionals.slice(0, 2).map(Number);
if (!Number.isSafeInteger(first) || !Number.isSafeInteger(count)) throw new Error('SEED and COUNT are numbers');
const level = LOG_STATS | (values.log ? LOG_INSNS : 0);
const sides = new Sides();
const tally = new Tally();

/** Loads into both; undefined: the same, too long, or refused for reasons that are not the verifier's. */
function differenceOf(program: FuzzProgram, keep: boolean): Difference | undefined {
  // Random numbers are put into the instructions then.
  const wantInfo = values.jit && (program.flags & PROG_FLAG.TEST_RND_HI32) === 0;
  const real = sides.load('real', program, level, wantInfo);
  if (real === undefined || (real.errno === ERRNO.EPERM && real.log === '')) return undefined;
  const processed = Number(/^processed (\d+) insns/m.exec(real.log)?.[1] ?? 0);
  if (processed > MAX_PROCESSED) {
    if (keep) tally.tooLong(program);
    return undefined;
  }
  const ours = sides.load('ours', program, level, wantInfo);
  if (ours === undefined) return undefined;
  const difference = compare(real, ours);
  if (keep) tally.add(program, real, difference, processed);
  return difference;
}

/** The first difference and some text before it. */
function aroundDifference({ real, ours }: Difference): [string, string] {
  let at = 0;
  while (at < real.length && real[at] === ours[at]) at++;
  const from = Math.max(0, at - SHOWN_BEFORE);
  return [real.slice(from, from + SHOWN), ours.slice(from, from + SHOWN)];
}

function report(program: FuzzProgram, difference: Difference): void {
  const { what } = difference;
  const small = shrink(program, (p) => differenceOf(p, false)?.what === what);
  const at = differenceOf(small, false) ?? difference;
  const { insns, funcs, world, lines, ...rest } = small;
  const name = `${program.seed} ${world.key}`;
  const say = (text: string): void => void process.stdout.write(`${text}\n`);
  say(`seed ${name}: ${what} differs, ${insns.length / 8} instructions left; ${JSON.stringify(rest)}`);
  const [real, ours] = aroundDifference(at);
  say(`  real ${real}\n  ours ${ours}`);
  if (values.out === undefined) return;
  mkdirSync(values.out, { recursive: true });
  const made = { cases: [asCase(small, `seed ${name}: ${what}`)] };
  writeFileSync(join(values.out, `${what}-${name.replace(/\W+/g, '-')}.json`), `${JSON.stringify(made, null, 1)}\n`);
}

/** The programs of this run. */
function* programs(): Generator<FuzzProgram> {
  if (values.objects) {
    const kernel = openSimulatedKernel({ statePath: ':memory:' });
    for (const path of positionals.slice(2)) {
      for (const base of programsOf(path, kernel)) {
        yield base;
        for (let seed = first; seed < first + count; seed++) yield mutantOf(base, seed);
      }
    }
    return;
  }
  for (let seed = first; seed < first + count; seed++) yield values.mutants ? mutant(seed) : generate(seed);
}

const PROGRESS = 2000;
let reported = 0;
let done = 0;
for (const program of programs()) {
  if (++done % PROGRESS === 0) process.stderr.write(`${done} programs, ${tally.differences} differences\n`);
  if (values.type !== undefined && program.type !== values.type) continue;
  const difference = differenceOf(program, true);
  if (difference === undefined) continue;
  report(program, difference);
  if (++reported >= Number(values['keep-going'])) break;
}
const what = `seeds ${first}–${first + count - 1}, log level ${level}${values.jit ? ', machine code' : ''}`;
process.stdout.write(tally.text(what));
recordRun(tally.summary());
if (values.reasons) process.stdout.write(tally.reasonText(40));
process.exitCode = tally.differences > 0 ? 1 : 0;
