// bpftool gen skeleton
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { SysError } from '../../src/errno.ts';
import { openObject } from '../../src/object/open.ts';
import { skeletonSource } from '../../src/object/skeleton-ts.ts';
import type { ObjectSpec } from '../../src/object/spec.ts';
import { CliError, type CommandContext, SilentFailure } from '../command.ts';
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
}

function parseOptions(words: string[]): SkeletonOptions {
  const o: SkeletonOptions = { name: undefined };
  while (words.length > 0) {
    const word = words.shift() as string;
    needWords(words, 1, word);
    if (!isPrefix(word, 'name')) throw new CliError(`unknown arg ${word}`);
    if (o.name !== undefined) throw new CliError('object name already specified');
    o.name = (words.shift() as string).replace(/[^A-Za-z0-9_]/g, '_');
  }
  return o;
}

/** gen skeleton FILE [name NAME]: TypeScript on standard output. */
export function skeleton(context: CommandContext, words: string[]): void {
  if (words.length === 0) throw new CliError("'skeleton' needs at least 1 arguments, 0 found", 255, true);
  const file = words.shift() as string;
  const { name = nameOf(file) } = parseOptions(words);
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (e) {
    const missing = (e as NodeJS.ErrnoException).code === 'ENOENT';
    throw new CliError(
      `failed to ${missing ? 'stat()' : 'open'} ${file}: ${missing ? 'No such file or directory' : 'Permission denied'}`,
    );
  }
  let object: ObjectSpec;
  try {
    object = openObject(bytes, { name, print: printerOf(context) });
  } catch (e) {
    if (!(e instanceof SysError)) throw e;
    context.err(`failed to open BPF object file: ${e.message}\n`);
    throw new SilentFailure();
  }
  context.out(skeletonSource(object, bytes, name));
}
