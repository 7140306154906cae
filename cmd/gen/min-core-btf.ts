// bpftool gen min_core_btf
import { writeFileSync } from 'node:fs';
import { type Btf, BtfError } from '../../src/btf/btf.ts';
import { ERRNO, type ErrnoName, SysError, strerror } from '../../src/errno.ts';
import { type BtfExt, BtfExtError } from '../../src/object/btf-ext.ts';
import { BtfMinimizer } from '../../src/object/min-core-btf.ts';
import { Messages } from '../../src/object/print.ts';
import { readObjectTypes } from '../btf/object-types.ts';
import { errnoOf, openBtfFile, sayError } from '../btf/source.ts';
import { CliError, type CommandContext, errnoStatus, UsageError } from '../command.ts';
import { printerOf } from '../prog/load.ts';

/** Says what is wrong with an object, then that the command ends for it. */
const refuse = (context: CommandContext, path: string, said: string | undefined, errno: number): CliError => {
  if (said !== undefined) sayError(context, said);
  return new CliError(`error recording relocations for ${path}: ${strerror(errno)}`, errnoStatus(errno));
};

interface ObjectTypes {
  btf: Btf;
  ext: BtfExt;
}

/** BTF of an object and what describes its code. Throws CliError. */
const readObject = (context: CommandContext, path: string, messages: Messages): ObjectTypes => {
  const failed = (errno: number): CliError =>
    refuse(context, path, `failed to parse BPF object '${path}': ${strerror(errno)}`, errno);
  try {
    const { btf, ext } = readObjectTypes(context, path, messages);
    if (ext) return { btf, ext };
  } catch (error) {
    throw failed(error instanceof BtfExtError ? error.errno : errnoOf(context, error));
  }
  throw refuse(context, path, `failed to parse BPF object '${path}': section .BTF.ext not found`, ERRNO.EINVAL);
};

const addObject = (context: CommandContext, minimizer: BtfMinimizer, path: string): void => {
  const messages = new Messages(printerOf(context));
  const { btf, ext } = readObject(context, path, messages);
  try {
    minimizer.addObject(btf, ext, messages);
  } catch (error) {
    if (error instanceof BtfError) throw refuse(context, path, error.message, error.errno);
    if (error instanceof SysError) throw refuse(context, path, undefined, error.errno);
    throw error;
  }
};

const save = (path: string, bytes: Uint8Array): void => {
  try {
    writeFileSync(path, bytes);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (!code || !(code in ERRNO)) throw error;
    const errno = ERRNO[code as ErrnoName];
    throw new CliError(`error saving btf file: ${strerror(errno)}`, errnoStatus(errno));
  }
};

/** gen min_core_btf INPUT OUTPUT OBJECT…: the types of INPUT that the relocations of the objects need. */
export const genMinCoreBtf = (context: CommandContext, words: string[]): void => {
  if (words.length < 3) {
    sayError(context, `'min_core_btf' needs at least 3 arguments, ${words.length} found`);
    throw new UsageError();
  }
  const [input, output, ...objects] = words;
  const source = openBtfFile(context, input);
  if (typeof source === 'number') {
    sayError(context, `failed parsing '${input}' BTF file: ${strerror(source)}`);
    throw new CliError(`failed to allocate info structure: ${strerror(source)}`, errnoStatus(source));
  }
  const minimizer = new BtfMinimizer(source);
  for (const path of objects) addObject(context, minimizer, path);
  let bytes: Uint8Array;
  try {
    bytes = minimizer.bytes();
  } catch (error) {
    if (!(error instanceof BtfError || error instanceof SysError)) throw error;
    throw new CliError(`error generating BTF: ${strerror(error.errno)}`, errnoStatus(error.errno));
  }
  save(output, bytes);
};
