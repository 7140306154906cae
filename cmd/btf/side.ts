// A source of types named in one or two words, for the commands that are not bpftool's.
import { type Btf, BtfError } from '../../src/btf/btf.ts';
import { CliError, type CommandContext, errnoStatus } from '../command.ts';
import { parseU32 } from '../words.ts';
import { btfOfFile, btfOfId } from './source.ts';

/** Takes `id N`, `file PATH` or `PATH` from the words. Throws CliError. */
export const takeBtf = (context: CommandContext, words: string[], what: string): Btf => {
  const word = words.shift();
  if (word === undefined) throw new CliError(`${what} needs a file or an id`);
  const base = context.baseBtf;
  if (word !== 'id' && word !== 'file') return btfOfFile(context, word, base);
  const next = words.shift();
  if (next === undefined) throw new CliError(`expecting value behind '${word}'`);
  return word === 'id' ? btfOfId(context, parseU32(next, 'ID'), base) : btfOfFile(context, next, base);
};

/** Runs work on types; what is wrong with them becomes an error of the command. */
export const onTypes = <T>(work: () => T): T => {
  try {
    return work();
  } catch (error) {
    if (error instanceof BtfError) throw new CliError(error.message, errnoStatus(error.errno));
    throw error;
  }
};
