// What two programs say of the BTF of random C types, and whether C made of it means the same types.
//
//   [BPFTOOL=…] [CLANG=…] node scripts/random-types.ts COUNT [SEED] [--host] [--plain] [--layout] [--print]
//
// Each file of types is compiled (CLANG, clang unless given) and `btf dump` of the real tool and of this one are compared
// in every format. --host has GCC compile for this machine and pahole make the BTF. --layout compiles the C dump and
// compares the layouts of all types with those it was made from; --plain leaves out attributes that change layouts,
// which the C of libbpf cannot always express. The real tool crashes on some of them; scripts/roomy-realloc.c says why and
// what to do. --print prints the declarations and does nothing else.
// Exit status 1 when anything differs.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../cmd/run.ts';
import { parseBtfFile } from '../src/btf/file.ts';
import { differingLine } from './lines.ts';
import { recordRun } from './parity/runs.ts';
import { randomSource } from './random.ts';
import { TypeGenerator } from './types/generator.ts';
import { type Compile, relayout } from './types/relayout.ts';

const FORMATS: readonly (readonly string[])[] = [
  ['format', 'raw'],
  ['-j', 'format', 'raw'],
  ['-p', 'format', 'raw'],
  ['format', 'c'],
  ['format', 'c', 'unsorted'],
];
const MAX_OUTPUT = 1 << 24;
/** Characters of a layout that are shown. */
const SHOWN = 300;

const ours = async (words: readonly string[]): Promise<string> => {
  let text = '';
  const add = (piece: string | Uint8Array): void => {
    text += Buffer.from(piece).toString();
  };
  const status = await run(words, { out: add, err: add });
  return `${text}${status}`;
};

/** Undefined when it crashed or wrote without end. */
const theirs = (words: readonly string[]): string | undefined => {
  const bpftool = process.env.BPFTOOL ?? 'bpftool';
  const result = spawnSync(bpftool, words, { encoding: 'utf8', maxBuffer: MAX_OUTPUT });
  return result.status === null ? undefined : `${result.stdout}${result.stderr}${result.status}`;
};

const words = process.argv.slice(2);
const host = words.includes('--host');
const layout = words.includes('--layout');
const [count = 1, seed = 1] = words.filter((word) => !word.startsWith('--')).map(Number);
const clang = process.env.CLANG ?? 'clang';
const folder = mkdtempSync(join(tmpdir(), 'random-types-'));
const total = { compared: 0, refused: 0, crashed: 0, different: 0, types: 0, unfaithful: 0 };

const complaint = (command: string, options: readonly string[]): string | undefined => {
  const { status, stderr } = spawnSync(command, options, { encoding: 'utf8' });
  return status === 0 ? undefined : (stderr.split('\n').find((line) => line.includes('error')) ?? stderr);
};

const compile: Compile = (source, object) => {
  const options = ['-g', '-O0', '-w', '-DBPF_NO_PRESERVE_ACCESS_INDEX', '-c', source, '-o', object];
  if (!host) return complaint(clang, [...options, '-target', 'bpf']);
  return complaint('gcc', options) ?? complaint('pahole', ['-J', '--btf_gen_all', object]);
};

const compareFormats = async (name: string, object: string): Promise<string | undefined> => {
  let header: string | undefined;
  for (const format of FORMATS) {
    const options = format.filter((word) => word.startsWith('-'));
    const rest = format.filter((word) => !word.startsWith('-'));
    const line = [...options, 'btf', 'dump', 'file', object, ...rest];
    const expected = theirs(line);
    if (expected === undefined) {
      total.crashed++;
      process.stdout.write(`${name}, ${format.join(' ')}: no answer\n`);
      continue;
    }
    const given = await ours(line);
    if (rest.length === 2 && rest[1] === 'c') header = given.slice(0, -1);
    if (expected === given) continue;
    total.different++;
    process.stdout.write(`${name}, ${format.join(' ')}: ${differingLine(expected, given)}\n`);
  }
  return header;
};

for (let i = seed; i < seed + count; i++) {
  const text = new TypeGenerator(randomSource(i), { tags: !host, alignments: !words.includes('--plain') }).file();
  if (words.includes('--print')) {
    process.stdout.write(text);
    continue;
  }
  const source = join(folder, `${i}.c`);
  const object = join(folder, `${i}.o`);
  writeFileSync(source, text);
  if (compile(source, object) !== undefined) {
    total.refused++;
    continue;
  }
  total.compared++;
  const header = await compareFormats(`seed ${i}`, object);
  if (!layout || header === undefined) continue;
  const { compared, faults } = relayout(parseBtfFile(readFileSync(object), object), header, compile, folder);
  total.types += compared;
  total.unfaithful += faults.length;
  for (const fault of faults) process.stdout.write(`seed ${i}, layout: ${fault.slice(0, SHOWN)}\n`);
}
rmSync(folder, { recursive: true, force: true });
const { compared, refused, crashed, different, types, unfaithful } = total;
if (!words.includes('--print')) {
  const result =
    `${compared} files compared, ${refused} refused by the compiler, ${crashed} dumps without an answer, ` +
    `${different} differences; ${types} types compiled again, ${unfaithful} with another layout`;
  process.stdout.write(`${result}\n`);
  recordRun(result);
}
process.exitCode = different ? 1 : 0;
