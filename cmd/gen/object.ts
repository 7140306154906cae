// bpftool gen object
import { readFileSync, writeFileSync } from 'node:fs';
import { ERRNO, type ErrnoName, strerror } from '../../src/errno.ts';
import { errstr, ObjectError } from '../../src/object/errors.ts';
import { Linker } from '../../src/object/link/linker.ts';
import { CliError, type CommandContext, errnoStatus, type Run } from '../command.ts';
import { needWordsOrHelp } from '../words.ts';

/** Positive errno of a failure with a file; undefined for another error. */
const fileErrno = (error: unknown): number | undefined => {
  const { code } = error as NodeJS.ErrnoException;
  return code !== undefined && code in ERRNO ? ERRNO[code as ErrnoName] : undefined;
};

/** The bytes of a file. Throws ObjectError. */
const readInput = (context: CommandContext, path: string): Uint8Array => {
  try {
    return readFileSync(path);
  } catch (error) {
    const errno = fileErrno(error);
    if (errno === undefined) throw error;
    if (errno === ERRNO.EISDIR) {
      // A folder can be opened, only not read.
      if (context.options.debug) context.err(`libbpf: linker: adding object file '${path}'...\n`);
      context.err(`libbpf: failed to parse ELF file '${path}': invalid file descriptor\n`);
      throw new ObjectError('EINVAL');
    }
    context.err(`libbpf: failed to open file '${path}': ${errstr(errno)}\n`);
    throw new ObjectError(errno);
  }
};

/** Empties the file, or makes it, before anything is read. */
const createOutput = (context: CommandContext, path: string): void => {
  try {
    writeFileSync(path, '', { mode: 0o644 });
  } catch (error) {
    const errno = fileErrno(error);
    if (errno === undefined) throw error;
    context.err(`libbpf: failed to create '${path}': ${-errno}\n`);
    throw new CliError('failed to create BPF linker instance');
  }
};

const failure = (what: string, error: unknown): unknown =>
  error instanceof ObjectError
    ? new CliError(`${what}: ${strerror(error.errno)} (${error.errno})`, errnoStatus(error.errno))
    : error;

/** gen object OUTPUT_FILE INPUT_FILE [INPUT_FILE...] */
export const genObject: Run = (context, words, previous) => {
  needWordsOrHelp(words, 2, previous);
  const [path, ...inputs] = words;
  createOutput(context, path);
  const linker = new Linker((level, text) => {
    if (level === 'warn' || context.options.debug) context.err(text);
  });
  for (const input of inputs) {
    try {
      linker.add(readInput(context, input), input);
    } catch (error) {
      throw failure(`failed to link '${input}'`, error);
    }
  }
  try {
    writeFileSync(path, linker.finish());
  } catch (error) {
    throw failure('failed to finalize ELF file', error);
  }
};
