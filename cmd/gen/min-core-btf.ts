// bpftool gen min_core_btf
import { writeFileSync } from 'node:fs';
import { type Btf, BtfError } from '../../src/btf/btf.ts';
import { hasBtfMagic } from '../../src/btf/header.ts';
import { ERRNO, type ErrnoName, SysError, strerror } from '../../src/errno.ts';
import { BtfExtError } from '../../src/object/btf-ext.ts';
import { BtfMinimizer } from '../../src/object/min-core-btf.ts';
import { Messages } from '../../src/object/print.ts';
import { type ObjectTypes, readObjectTypes } from '../btf/object-types.ts';
import { errnoOf, openBtfFile, readAny } from '../btf/source.ts';
import { CliError, type CommandContext, errnoStatus } from '../command.ts';
import { printerOf } from '../prog/load.ts';
import { sayError } from '../say.ts';
import { needWordsOrHelp } from '../words.ts';

/** Says what is wrong with an object, then that the command ends for it, with the words of `named`. */
const refuse = (context: CommandContext, path: string, said: string | undefined, errno: number, named: number) => {
  if (said !== undefined) sayError(context, said);
  return new CliError(`error recording relocations for ${path}: ${strerror(named)}`, errnoStatus(errno));
};

/** Adds objects one after the other. */
class Recorder {
  readonly minimizer: BtfMinimizer;
  private readonly context: CommandContext;
  private readonly messages: Messages;
  /**
   * What C's `errno` was left at, which the last message names where no call failed: libbpf tries every file as raw
   * BTF first, which an ELF file is not.
   */
  private left = 0;

  constructor(context: CommandContext, input: string, source: Btf) {
    this.context = context;
    this.messages = new Messages(printerOf(context));
    this.minimizer = new BtfMinimizer(source);
    this.noteTry(input);
  }

  private noteTry(path: string): void {
    if (!hasBtfMagic(readAny(this.context, path))) this.left = ERRNO.EPROTO;
  }

  private read(path: string): ObjectTypes {
    const { context } = this;
    try {
      return readObjectTypes(context, path, this.messages);
    } catch (error) {
      const errno = error instanceof BtfExtError ? error.errno : errnoOf(context, error);
      throw refuse(context, path, `failed to parse BPF object '${path}': ${strerror(errno)}`, errno, errno);
    }
  }

  add(path: string): void {
    const { context } = this;
    const { btf, ext } = this.read(path);
    this.noteTry(path);
    if (!ext) {
      const said = `failed to parse BPF object '${path}': section .BTF.ext not found`;
      throw refuse(context, path, said, ERRNO.EINVAL, this.left);
    }
    try {
      this.minimizer.addObject(btf, ext, this.messages);
    } catch (error) {
      if (error instanceof BtfError) throw refuse(context, path, error.message, error.errno, this.left);
      if (error instanceof SysError) throw refuse(context, path, undefined, error.errno, this.left);
      throw error;
    }
  }
}

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
export const genMinCoreBtf = (context: CommandContext, words: string[], previous: string): void => {
  needWordsOrHelp(words, 3, previous);
  const [input, output, ...objects] = words;
  const source = openBtfFile(context, input);
  if (typeof source === 'number') {
    sayError(context, `failed parsing '${input}' BTF file: ${strerror(source)}`);
    throw new CliError(`failed to allocate info structure: ${strerror(source)}`, errnoStatus(source));
  }
  const recorder = new Recorder(context, input, source);
  for (const path of objects) recorder.add(path);
  let bytes: Uint8Array;
  try {
    bytes = recorder.minimizer.bytes();
  } catch (error) {
    if (!(error instanceof BtfError || error instanceof SysError)) throw error;
    throw new CliError(`error generating BTF: ${strerror(error.errno)}`, errnoStatus(error.errno));
  }
  save(output, bytes);
};
