// BPFTOOL=… node scripts/fuzz-cli.ts [ROUNDS [SEED]]
//
// Random command lines, 40 a round, by the real bpftool on the running kernel and by this one on a simulated kernel:
// standard output, standard error and exit status are compared, and each difference is shown with the lines before it
// that named the same path. Root on Linux 6.18; everything is made below one folder of the bpf file system and removed.
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { keptOpen, runKept } from '../cmd/test-run.ts';
import { openSimulatedKernel } from '../src/kernel/index.ts';
import type { Kernel } from '../src/syscall.ts';
import { RandomLines } from './cli/random-lines.ts';
import { maskCli } from './cli/scenario.ts';
import { objectFolder } from './corpus.ts';
import { differingLine } from './lines.ts';
import { maskJited, maskLog, maskShow, maskXlated, withoutNotes } from './parity/mask.ts';
import { recordRun } from './parity/runs.ts';
import { randomSource } from './random.ts';

const FOLDER = '/sys/fs/bpf/bpftool-ts-fuzz';
const LINES = 40;
const MAX_OUTPUT = 1 << 26;

interface Answer {
  status: number;
  out: string;
  err: string;
}

const bpftool = process.env.BPFTOOL ?? 'bpftool';
const [rounds = 10, firstSeed = 1] = process.argv.slice(2).map(Number);
const mask = (text: string): string => maskCli(maskLog(maskShow(maskXlated(maskJited(text)))));

/** Undefined when it crashed. */
function theirs(words: readonly string[]): Answer | undefined {
  const r = spawnSync(bpftool, words, { cwd: objectFolder, encoding: 'latin1', maxBuffer: MAX_OUTPUT });
  if (r.status === null) return undefined;
  return { status: r.status, out: mask(r.stdout), err: mask(r.stderr) };
}

async function ours(words: readonly string[], kernel: Kernel): Promise<Answer> {
  const line = words.map((word) => (word.endsWith('.bpf.o') ? join(objectFolder, word) : word));
  const { status, out, err } = await runKept(line, () => keptOpen(kernel));
  const said = (text: string): string => mask(withoutNotes(text.replaceAll(`${objectFolder}/`, '')));
  return { status, out: said(out), err: said(err) };
}

const total = { lines: 0, succeeded: 0, crashed: 0, different: 0 };

async function round(seed: number): Promise<void> {
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER);
  const kernel = openSimulatedKernel({ statePath: ':memory:' });
  kernel.treeMkdir(FOLDER);
  const lines = new RandomLines(randomSource(seed * 2654435761), FOLDER);
  const before: string[] = [];
  for (let i = 0; i < LINES; i++) {
    // Without it the real tool mounts a file system where a path ends too early.
    const words = ['-n', ...lines.next()];
    const text = words.join(' ');
    const expected = theirs(words);
    if (expected === undefined) {
      total.crashed++;
      process.stdout.write(`seed ${seed}: no answer: ${text}\n`);
      break;
    }
    total.lines++;
    if (expected.status === 0) total.succeeded++;
    const given = await ours(words, kernel);
    const faults: string[] = [];
    if (given.status !== expected.status) faults.push(`status ${expected.status}, ours ${given.status}`);
    if (given.out !== expected.out) faults.push(`output ${differingLine(expected.out, given.out)}`);
    if (given.err !== expected.err) faults.push(`messages ${differingLine(expected.err, given.err)}`);
    before.push(text);
    if (faults.length === 0) continue;
    total.different++;
    const paths = words.filter((word) => word.startsWith(FOLDER));
    const earlier = before.slice(0, -1).filter((line) => paths.some((path) => line.includes(path)));
    process.stdout.write(`seed ${seed}: ${text}\n${earlier.map((line) => `    after ${line}\n`).join('')}`);
    process.stdout.write(faults.map((fault) => `  ${fault}\n`).join(''));
    // What differs once makes others differ.
    break;
  }
  kernel.closeAll();
  rmSync(FOLDER, { recursive: true, force: true });
}

for (let seed = firstSeed; seed < firstSeed + rounds; seed++) await round(seed);
const result =
  `${total.lines} command lines in ${rounds} rounds, ${total.succeeded} of them successful: ` +
  `${total.crashed} without an answer, ${total.different} different`;
process.stdout.write(`${result}\n`);
recordRun(result);
process.exitCode = total.different ? 1 : 0;
