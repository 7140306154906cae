// Light skeletons: what the real bpftool wrote of each object, as hashes, and how the same is asked of ours.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { objectFolder, sha256 } from '../corpus.ts';
import { maskLog } from '../parity/mask.ts';

/** Objects that are not of the corpus, texts that are kept whole, and the key of the signed ones. */
export const lightFolder = fileURLToPath(new URL('../../testdata/light/', import.meta.url));
export const capturedFile = join(lightFolder, 'captured.json');

/** What one command line gave. Long texts are named by their hash. */
export interface LightAnswer {
  status: number;
  out: string;
  err: string;
}

/** By the words of the command line; OBJECT stands for the file. */
export type CapturedLight = Record<string, LightAnswer>;

/** Command lines for each object; the folder of the object is the current one. */
export const LINES: readonly string[] = [
  '-L gen skeleton OBJECT',
  '-d -L gen skeleton OBJECT name given',
  '-L prog load OBJECT',
  '-d -L prog load OBJECT',
];

/** Command lines for few objects: signatures, whose key is KEY. */
export const SIGNED_LINES: readonly string[] = [
  '-S -k KEY.pem -i KEY.crt gen skeleton OBJECT',
  '-S -k KEY.pem -i KEY.crt prog load OBJECT',
];

export const KEY = 'not-a-secret';
/** Those few, and the ones whose header is kept. */
export const SIGNED: readonly string[] = ['symbols'];
export const WHOLE: readonly string[] = ['attach', 'slots', 'symbols'];
export const WHOLE_LINE = '-L gen skeleton OBJECT';

/** Names of the objects in the folder of their own. */
export const ownNames = (): string[] =>
  readdirSync(lightFolder)
    .filter((file) => file.endsWith(SUFFIX))
    .map((file) => file.slice(0, -SUFFIX.length));
const SUFFIX = '.bpf.o';

/** Where the object of a name lies. */
export const folderOf = (name: string): string => (ownNames().includes(name) ? lightFolder : objectFolder);

/** The words of a line. */
export const wordsOf = (line: string, name: string): string[] =>
  line.replace('OBJECT', `${name}.bpf.o`).replaceAll('KEY', join(lightFolder, KEY)).split(' ');

const LONG = 200;

/** What may differ between two runs: addresses, times, and what earlier programs left in a cache of the kernel. */
const mask = (text: string): string =>
  maskLog(text)
    .replace(/^verification time \d+ usec$/gm, 'verification time')
    .replace(/^(?:vmlinux|module)_cand_cache:.*\n/gm, '');

/** As it is captured and compared. */
export const answerOf = (status: number, out: string, err: string): LightAnswer => {
  const text = (whole: string): string => {
    const masked = mask(whole);
    return masked.length > LONG ? sha256(masked) : masked;
  };
  return { status, out: text(out), err: text(err) };
};

export const readCaptured = (): Record<string, CapturedLight> => JSON.parse(readFileSync(capturedFile, 'utf8'));

/** Runs a line through ours: `run` is given words, and gives what was written and the status. */
export async function ourAnswer(
  line: string,
  name: string,
  folder: string,
  run: (words: string[]) => Promise<{ out: string; err: string; status: number }>,
): Promise<LightAnswer> {
  const words = wordsOf(line, name).map((word) => (word.endsWith('.bpf.o') ? join(folder, word) : word));
  // Skeletons in C have to be asked for; the capture named the objects from within their folder.
  const { out, err, status } = await run(words.includes('skeleton') ? [...words, 'lang', 'c'] : words);
  return answerOf(status, out, err.replaceAll(join(folder, '/'), ''));
}

/** A policy of the kernel of the capture refuses tracing, ext and lsm programs: such loads cannot be compared. */
export const refusedUnseen = (answers: CapturedLight): boolean =>
  answers['-L prog load OBJECT'].status === EPERM_STATUS;
const EPERM_STATUS = 255;
