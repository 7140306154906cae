import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { sha256 } from '../../scripts/corpus.ts';
import { run } from '../run.ts';

interface Answer {
  words: string[];
  status: number;
  out: string;
  err: string;
  /** SHA-256 of the file that the command wrote. */
  written?: string;
}

const folder = fileURLToPath(new URL('../../testdata/btf-files/', import.meta.url));
const answers = JSON.parse(readFileSync(join(folder, 'answers.json'), 'utf8')) as Answer[];
const scratch = mkdtempSync(join(tmpdir(), 'btf-files-'));
const written = join(scratch, 'written');
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Words that are files. */
const files = new Set(answers.flatMap(({ words }) => words).filter((word) => existsSync(join(folder, word))));

async function ask(words: readonly string[]): Promise<Answer> {
  rmSync(written, { force: true });
  const line = words.map((word) => (word === '@' ? written : files.has(word) ? join(folder, word) : word));
  if (words.includes('skeleton')) line.push('lang', 'c');
  const out: Buffer[] = [];
  let err = '';
  const status = await run(['--state', join(scratch, 'kernel.db'), ...line], {
    out: (text) => out.push(Buffer.from(text)),
    err: (text) => {
      err += text;
    },
  });
  const plain = (text: string): string => text.replaceAll(folder, '').replaceAll(written, '@');
  const file = existsSync(written) ? { written: sha256(readFileSync(written, 'latin1')) } : {};
  return { words: [...words], status, out: plain(Buffer.concat(out).toString('latin1')), err: plain(err), ...file };
}

const shortAs = (given: string, expected: string): string =>
  expected.startsWith('sha256:') ? `sha256:${sha256(given)}` : given;

/** Read here, although libbpf takes the stored bytes for types: a superset. */
const isUnpacked = ({ words }: Answer): boolean =>
  words.some(
    (word) => /^types-(eb-)?z/.test(word) || (word.startsWith('program-ext-') && words.includes('min_core_btf')),
  ) &&
  (words.includes('dump') || words.includes('min_core_btf'));

test.each(answers.filter((answer) => !isUnpacked(answer)))('$words', async (expected) => {
  const given = await ask(expected.words);
  given.out = shortAs(given.out, expected.out);
  given.err = shortAs(given.err, expected.err);
  expect(given).toEqual(expected);
});

test.each([
  ['types-zlib.o', 'types-bpf.o'],
  ['types-zstd.o', 'types-bpf.o'],
  ['types-eb-zlib.o', 'types-bpfeb.o'],
  ['types-eb-zstd.o', 'types-bpfeb.o'],
])('types in the compressed section of %s are those of %s', async (packed, plain) => {
  for (const format of ['raw', 'c']) {
    const { out } = await ask(['btf', 'dump', 'file', plain, 'format', format]);
    expect(out).not.toBe('');
    expect(await ask(['btf', 'dump', 'file', packed, 'format', format])).toMatchObject({ status: 0, out, err: '' });
  }
});
