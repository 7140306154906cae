// bpftool gen skeleton … lang c, and gen subskeleton
import { readFileSync } from 'node:fs';
import { ERRNO, type ErrnoName, SysError, strerror } from '../../src/errno.ts';
import { openObject } from '../../src/object/open.ts';
import { mapIdentifier, mapName, objectNameOf } from '../../src/object/skeleton-c/object-names.ts';
import { writeSkeletonC } from '../../src/object/skeleton-c/skeleton.ts';
import { writeSubskeletonC } from '../../src/object/skeleton-c/subskeleton.ts';
import type { ObjectSpec } from '../../src/object/spec.ts';
import { CliError, type CommandContext, errnoStatus, type Run } from '../command.ts';
import { printerOf } from '../prog/load.ts';
import { sayError } from '../say.ts';
import { isPrefix, needWords, needWordsOrHelp } from '../words.ts';
import { lightSkeletonC } from './skeleton-light.ts';

/** Longest name of an object. */
const MAX_NAME = 63;

interface Request {
  file: string;
  name: string;
}

/** FILE [name NAME] */
const takeRequest = (words: string[], command: string): Request => {
  needWordsOrHelp(words, 1, command);
  const file = words.shift() as string;
  let name = '';
  let previous = file;
  while (words.length > 0) {
    needWords(words, 2, previous);
    const word = words.shift() as string;
    if (!isPrefix(word, 'name')) throw new CliError(`unknown arg ${word}`);
    if (name !== '') throw new CliError('object name already specified');
    previous = words.shift() as string;
    name = previous.slice(0, MAX_NAME);
  }
  return { file, name: name || objectNameOf(file) };
};

const readObjectFile = (file: string): Uint8Array => {
  try {
    const bytes = readFileSync(file);
    // An empty file cannot be mapped.
    if (bytes.length === 0) throw new CliError(`failed to mmap() ${file}: ${strerror(ERRNO.EINVAL)}`);
    return bytes;
  } catch (error) {
    if (error instanceof CliError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (!code || !(code in ERRNO)) throw error;
    const call = { EISDIR: 'mmap', EACCES: 'open' }[code] ?? 'stat';
    const errno = code === 'EISDIR' ? ERRNO.ENODEV : ERRNO[code as ErrnoName];
    throw new CliError(`failed to ${call}() ${file}: ${strerror(errno)}`);
  }
};

/** Opens the object under a name. Throws CliError. */
const openNamed = (context: CommandContext, bytes: Uint8Array, name: string, status?: number): ObjectSpec => {
  try {
    return openObject(bytes, { name, print: printerOf(context) });
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    throw new CliError(`failed to open BPF object file: ${error.message}`, status ?? errnoStatus(error.errno));
  }
};

/** Runs the generator; what it wrote before it failed stays. */
const generate = (work: () => void, status?: number): void => {
  try {
    work();
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    throw new CliError(error.message, status ?? errnoStatus(error.errno));
  }
};

/** gen skeleton FILE [name NAME]: a C header on standard output. */
const skeletonC: Run = (context, words) => {
  const { file, name } = takeRequest(words, 'skeleton');
  const bytes = readObjectFile(file);
  const object = openNamed(context, bytes, name);
  for (const map of object.maps) {
    if (mapIdentifier(map) === undefined) sayError(context, `ignoring unrecognized internal map '${mapName(map)}'...`);
  }
  const write = (text: string): void => context.out(text);
  if (context.options.useLoader) lightSkeletonC(context, object, name, write);
  else generate(() => writeSkeletonC(object, bytes, name, write));
};

/** gen subskeleton FILE [name NAME]: a C header on standard output. */
export const subskeletonC: Run = (context, words) => {
  const { file, name } = takeRequest(words, 'subskeleton');
  if (context.options.useLoader) throw new CliError('cannot use loader for subskeletons');
  const object = openNamed(context, readObjectFile(file), '', 255);
  generate(() => writeSubskeletonC(object, name, (text) => context.out(text)));
};

/** Takes `lang LANGUAGE` (ours) out of the words. Throws CliError. */
const takeLanguage = (words: string[]): string | undefined => {
  const at = words.indexOf('lang', 1);
  if (at < 0) return undefined;
  const [, language] = words.splice(at, 2);
  if (language !== 'c' && language !== 'ts')
    throw new CliError(`unrecognized language: '${language}', possible values: c, ts`);
  return language;
};

/** gen skeleton FILE [name NAME] [lang LANGUAGE]: in C where that is asked for, otherwise by `other`. */
export const skeletonIn =
  (other: Run): Run =>
  (context, words, previous) =>
    (takeLanguage(words) === 'c' ? skeletonC : other)(context, words, previous);
