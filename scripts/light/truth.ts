// Light skeletons: what the real bpftool wrote of each object, as hashes, and how the same is asked of ours.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { objectFolder, sha256 } from '../corpus.ts';
import { maskLog } from '../parity/mask.ts';

/** Objects that are not of the corpus, texts that are kept whole, and the key of the signed ones. */
export const lightFolder = fileURLToPath(new URL('../../testdata/light/', import.meta.url));
export const capturedFile = join(lightFolder, 'captured.json');

/** What one command line gave. Texts are named by their hash unless they are of one line. */
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

/** Where the object of a name lies. */
export const folderOf = (name: string, own: ReadonlySet<string>): string => (own.has(name) ? lightFolder : objectFolder);

/** The words of a line. */
export const wordsOf = (line: string, name: string): string[] =>
  line
    .replace('OBJECT', `${name}.bpf.o`)
    .replaceAll('KEY', join(lightFolder, KEY))
    .split(' ');

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
    return masked.length > LONG || masked.trimEnd().includes('\n') ? sha256(masked) : masked;
  };
  return { status, out: text(out), err: text(err) };
};

export const readCaptured = (): Record<string, CapturedLight> => JSON.parse(readFileSync(capturedFile, 'utf8'));

/** Words as bpftool-ts takes them: skeletons in C have to be asked for. */
export const ourWords = (words: readonly string[]): string[] =>
  words.includes('skeleton') ? [...words, 'lang', 'c'] : [...words];

/** A policy of the kernel of the capture refuses tracing, ext and lsm programs: such loads cannot be compared. */
export const refusedUnseen = (answers: CapturedLight): boolean => answers['-L prog load OBJECT'].status === EPERM_STATUS;
const EPERM_STATUS = 255;
