// [BPFTOOL=…] node scripts/compare-objects.ts [--base FILE] [--verbose] FILE…
//
// Everything that `btf` and `gen` say of each object file or BTF blob, by the real tool and by this one: standard
// output, standard error and exit status. A name that begins with @ is that of a list of files, one a line.
// Exit status 1 when anything differs.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../cmd/run.ts';
import { differingLine } from './lines.ts';
import { recordRun } from './parity/runs.ts';

interface Answer {
  out: string;
  err: string;
  status: number;
  /** The file that the command wrote, if any. */
  written?: Uint8Array | undefined;
}

const bpftool = process.env.BPFTOOL ?? 'bpftool';
const VMLINUX = '/sys/kernel/btf/vmlinux';
const folder = mkdtempSync(join(tmpdir(), 'compare-objects-'));
const target = join(folder, 'written');

/** Words of a command about a file; `@` stands for the file that it writes. */
type Command = (file: string) => readonly string[];

const COMMANDS: readonly Command[] = [
  (file) => ['btf', 'dump', 'file', file],
  (file) => ['-j', 'btf', 'dump', 'file', file],
  (file) => ['-p', 'btf', 'dump', 'file', file],
  (file) => ['btf', 'dump', 'file', file, 'format', 'c'],
  (file) => ['btf', 'dump', 'file', file, 'format', 'c', 'unsorted'],
  (file) => ['-d', 'gen', 'skeleton', file, 'name', 'x'],
  (file) => ['gen', 'subskeleton', file, 'name', 'x'],
  (file) => ['-d', 'gen', 'object', '@', file],
  (file) => ['gen', 'min_core_btf', VMLINUX, '@', file],
];

const written = (): Uint8Array | undefined => (existsSync(target) ? readFileSync(target) : undefined);

const place = (words: readonly string[]): string[] => words.map((word) => (word === '@' ? target : word));

const ours = async (words: readonly string[]): Promise<Answer> => {
  rmSync(target, { force: true });
  const out: Uint8Array[] = [];
  let err = '';
  const inC = words[words.indexOf('gen') + 1] === 'skeleton' ? [...words, 'lang', 'c'] : words;
  const status = await run(['--state', join(folder, 'kernel.db'), ...place(inC)], {
    out: (text) => out.push(Buffer.from(text)),
    err: (text) => {
      err += text;
    },
  });
  return { out: Buffer.concat(out).toString('latin1'), err, status, written: written() };
};

/** Undefined when it crashed or wrote without end. */
const theirs = (words: readonly string[]): Answer | undefined => {
  rmSync(target, { force: true });
  const r = spawnSync(bpftool, place(words), { encoding: 'latin1', maxBuffer: 1 << 28, timeout: 60_000 });
  if (r.status === null) return undefined;
  const err = Buffer.from(r.stderr, 'latin1').toString('utf8');
  return { out: r.stdout, err, status: r.status, written: written() };
};

const words = process.argv.slice(2);
const takeFlag = (name: string): boolean => {
  const at = words.indexOf(name);
  if (at >= 0) words.splice(at, 1);
  return at >= 0;
};
const verbose = takeFlag('--verbose');
const baseAt = words.indexOf('--base');
const base = baseAt < 0 ? [] : ['-B', words.splice(baseAt, 2)[1]];
const files = words.flatMap((word) =>
  word.startsWith('@') ? readFileSync(word.slice(1), 'utf8').split('\n').filter(Boolean) : [word],
);

let compared = 0;
let crashed = 0;
let different = 0;
let thrown = 0;
for (const file of files) {
  for (const command of COMMANDS) {
    const line = [...base, ...command(file)];
    const expected = theirs(line);
    if (!expected) {
      crashed++;
      if (verbose) process.stdout.write(`no answer: ${line.join(' ')}\n`);
      continue;
    }
    compared++;
    let given: Answer;
    try {
      given = await ours(line);
    } catch (error) {
      thrown++;
      process.stdout.write(`THROWN: ${line.join(' ')}\n${error instanceof Error ? error.stack : error}\n`);
      continue;
    }
    const faults: string[] = [];
    if (given.status !== expected.status) faults.push(`exit status ${expected.status}, ours ${given.status}`);
    if (given.out !== expected.out) faults.push(`output ${differingLine(expected.out, given.out)}`);
    if (given.err !== expected.err) faults.push(`messages ${differingLine(expected.err, given.err)}`);
    if (Buffer.compare(given.written ?? Buffer.alloc(0), expected.written ?? Buffer.alloc(0)) !== 0) {
      faults.push(`file of ${expected.written?.length} bytes, ours ${given.written?.length}`);
    }
    if (faults.length === 0) continue;
    different++;
    process.stdout.write(`DIFFERENT: ${line.join(' ')}\n${faults.map((fault) => `  ${fault}\n`).join('')}`);
  }
}
rmSync(folder, { recursive: true, force: true });
const result =
  `${files.length} files, ${compared} answers compared, ${crashed} without an answer, ${different} different, ` +
  `${thrown} faults`;
process.stdout.write(`${result}\n`);
recordRun(result);
process.exitCode = different + thrown ? 1 : 0;
