// bpftool gen skeleton
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { BtfError } from '../../src/btf/btf.ts';
import { libbpfStrerror, ObjectError } from '../../src/object/errors.ts';
import { openObject } from '../../src/object/open.ts';
import { skeletonHeader } from '../../src/object/skeleton-c.ts';
import { skeletonSource } from '../../src/object/skeleton-ts.ts';
import type { ObjectSpec } from '../../src/object/spec.ts';
import { CliError, type CommandContext, errnoStatus } from '../command.ts';
import { printerOf } from '../prog/load.ts';
import { isPrefix, needWords } from '../words.ts';

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
  /** `lang c` (ours to say): the header that bpftool itself writes. */
  lang: 'ts' | 'c';
}

/** `previous` is the word before them, which the error about missing words names. */
function parseOptions(words: string[], previous: string): SkeletonOptions {
  const o: SkeletonOptions = { name: undefined, lang: 'ts' };
  let before = previous;
  while (words.length > 0) {
    needWords(words, 2, before);
    const word = words.shift() as string;
    before = words[0];
    if (isPrefix(word, 'name')) {
      if (o.name !== undefined) throw new CliError('object name already specified');
      o.name = words.shift();
    } else if (isPrefix(word, 'lang')) {
      const lang = words.shift();
      if (lang !== 'ts' && lang !== 'c') throw new CliError(`unknown language '${lang}', expected 'ts' or 'c'`);
      o.lang = lang;
    } else {
      throw new CliError(`unknown arg ${word}`);
    }
  }
  return o;
}

/** Bytes of the object file; throws CliError in the words of bpftool. */
function readObject(file: string): Uint8Array {
  try {
    return readFileSync(file);
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
}

/** gen skeleton FILE [name NAME] [lang ts|c]: TypeScript, or bpftool's C header, on standard output. */
export function skeleton(context: CommandContext, words: string[]): void {
  if (words.length === 0) throw new CliError("'skeleton' needs at least 1 arguments, 0 found", 255, true);
  const file = words.shift() as string;
  const { name: given, lang } = parseOptions(words, file);
  const name =
    lang === 'c' ? (given?.slice(0, MAX_NAME) ?? nameOf(file)) : (given?.replace(/\W/g, '_') ?? nameOf(file));
  const bytes = readObject(file);
  let object: ObjectSpec;
  try {
    object = openObject(bytes, { name, print: printerOf(context) });
  } catch (e) {
    if (!(e instanceof ObjectError)) throw e;
    throw new CliError(`failed to open BPF object file: ${libbpfStrerror(e.errno)}`, errnoStatus(e.errno));
  }
  if (lang === 'ts') {
    context.out(skeletonSource(object, bytes, name));
    return;
  }
  try {
    context.out(skeletonHeader(object, bytes, name, (text) => context.err(`Error: ${text}\n`)));
  } catch (e) {
    throw e instanceof BtfError ? new CliError(e.message) : e;
  }
}
