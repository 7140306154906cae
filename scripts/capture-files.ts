// BPFTOOL=… node scripts/capture-files.ts: what the real tool says of each file in testdata/btf-files, and
// of command lines with -B; written to testdata/btf-files/answers.json. Called by capture.sh there.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sha256 } from './corpus.ts';

const folder = fileURLToPath(new URL('../testdata/btf-files', import.meta.url));
const bpftool = process.env.BPFTOOL ?? 'bpftool';
const scratch = mkdtempSync(join(tmpdir(), 'capture-files-'));
/** Stands in the words for the file that a command writes. */
const WRITTEN = '@';
const written = join(scratch, 'written');
/** A text that is longer is kept as its hash. */
const MAX_TEXT = 1500;

const commandsOf = (file: string): string[][] => [
  ['btf', 'dump', 'file', file],
  ['-j', 'btf', 'dump', 'file', file],
  ['btf', 'dump', 'file', file, 'format', 'c'],
  ['-d', 'gen', 'skeleton', file, 'name', 'x'],
  ['gen', 'subskeleton', file, 'name', 'x'],
  ['-d', 'gen', 'object', WRITTEN, file],
  ['gen', 'min_core_btf', 'types-bpf.btf', WRITTEN, file],
];

const WITH_BASE: readonly (readonly string[])[] = [
  ...['base.btf', 'module.btf', 'other.btf', 'larger.btf', 'missing.btf'].flatMap((base) => [
    ['-B', base, 'btf', 'dump', 'file', 'module.ko'],
    ['-B', base, 'btf', 'dump', 'file', 'module.ko', 'format', 'c'],
  ]),
  ['-B', 'base.btf', 'btf', 'dump', 'file', 'split.btf'],
  ['btf', 'dump', 'file', 'split.btf', 'format', 'c', '-B', 'base.btf'],
  ['-B', 'types-bpfeb.o', '-B', 'other.btf', 'btf', 'dump', 'file', 'module.ko'],
  ['version', '-B', 'nothing-here'],
  ['-j', '-B', 'nothing-here', 'version'],
  ['-B', 'nothing-here', '-j', 'version'],
  ['-p', '-B', 'text', 'prog', 'show'],
  ['-j', '-B', 'text', '-p', 'btf', 'show'],
  ['-B', 'text', '-h'],
  ['-B', 'nothing-here', '-Q'],
  ['-j', '-B', 'nothing-here', '-Q'],
  ['-B', 'base.btf', '-B', 'nothing-here', 'version'],
  ['-B', 'cut-types.btf', 'btf'],
  ['-d', '-B', 'cut-types.btf', 'btf'],
  ['-B', 'cut-types.btf', '-d', 'btf'],
  ['-B', 'no-sections', 'btf', 'help'],
];

const short = (text: string): string => (text.length > MAX_TEXT ? `sha256:${sha256(text)}` : text);

const ask = (words: readonly string[]): Record<string, unknown> => {
  rmSync(written, { force: true });
  const line = words.map((word) => (word === WRITTEN ? written : word));
  const { stdout, stderr, status } = spawnSync(bpftool, line, { cwd: folder, encoding: 'latin1' });
  const file = existsSync(written) ? { written: sha256(readFileSync(written, 'latin1')) } : {};
  return { words, status, out: short(stdout), err: short(stderr.replaceAll(written, WRITTEN)), ...file };
};

const NO_INPUT = /\.(?:c|sh|json)$/;
const files = readdirSync(folder).filter((name) => !NO_INPUT.test(name));
const answers = [...files.flatMap(commandsOf), ...WITH_BASE].map(ask);
writeFileSync(join(folder, 'answers.json'), `${JSON.stringify(answers, null, 1)}\n`);
rmSync(scratch, { recursive: true, force: true });
process.stdout.write(`${files.length} files, ${answers.length} answers\n`);
