// bpftool gen skeleton
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { libbpfStrerror, ObjectError } from '../../src/object/errors.ts';
import { openObject } from '../../src/object/open.ts';
import { skeletonSource } from '../../src/object/skeleton-ts.ts';
import type { ObjectSpec } from '../../src/object/spec.ts';
import { CliError, type CommandContext, errnoStatus } from '../command.ts';
import { printerOf } from '../prog/load.ts';
import { isPrefix, needWords, needWordsOrHelp } from '../words.ts';
import { lightSkeletonTs } from './skeleton-light.ts';

/** Longest object name that the real tool takes. */
const MAX_NAME = 63;

/** The file's name without its ending ".o", as an identifier. */
const nameOf = (file: string): string =>
  basename(file)
    .slice(0, MAX_NAME)
    .replace(/\.o$/, '')
    .replace(/[^A-Za-z0-9_]/g, '_');

/** What the words after FILE ask for. */
interface SkeletonOptions {
  name: string | undefined;
}

/** `previous` is the word before them, which the error about missing words names. */
function parseOptions(words: string[], previous: string): SkeletonOptions {
  const o: SkeletonOptions = { name: undefined };
  let before = previous;
  while (words.length > 0) {
    needWords(words, 2, before);
    const word = words.shift() as string;
    if (!isPrefix(word, 'name')) throw new CliError(`unknown arg ${word}`);
    if (o.name !== undefined) throw new CliError('object name already specified');
    before = words.shift() as string;
    o.name = before.replace(/\W/g, '_');
  }
  return o;
}

/** Bytes of the object file; throws CliError in the words of bpftool. */
function readObject(file: string): Uint8Array {
  try {
    const bytes = readFileSync(file);
    if (bytes.length > 0) return bytes;
  } catch (e) {
    switch ((e as NodeJS.ErrnoException).code) {
      case 'ENOENT':
        throw new CliError(`failed to stat() ${file}: No such file or directory`);
      case 'EISDIR':
        throw new CliError(`failed to mmap() ${file}: No such device`);
      default:
        throw new CliError(`failed to open() ${file}: Permission denied`);
    }
  }
  // An empty file cannot be mapped.
  throw new CliError(`failed to mmap() ${file}: Invalid argument`);
}

/** gen skeleton FILE [name NAME]: TypeScript on standard output. */
export function skeleton(context: CommandContext, words: string[], previous: string): void {
  needWordsOrHelp(words, 1, previous);
  const file = words.shift() as string;
  const { name = nameOf(file) } = parseOptions(words, file);
  const bytes = readObject(file);
  let object: ObjectSpec;
  try {
    object = openObject(bytes, { name, print: printerOf(context) });
  } catch (e) {
    if (!(e instanceof ObjectError)) throw e;
    throw new CliError(`failed to open BPF object file: ${libbpfStrerror(e.errno)}`, errnoStatus(e.errno));
  }
  context.out(context.options.useLoader ? lightSkeletonTs(context, object, name) : skeletonSource(object, bytes, name));
}
