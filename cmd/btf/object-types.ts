// The types of an object file and the relocations that depend on the kernel's.
import type { Btf } from '../../src/btf/btf.ts';
import { btfSections, parseBtfFile } from '../../src/btf/file.ts';
import { hasBtfMagic } from '../../src/btf/header.ts';
import { type BtfExt, readBtfExt } from '../../src/object/btf-ext.ts';
import type { Messages } from '../../src/object/print.ts';
import type { CommandContext } from '../command.ts';
import { readAny } from './source.ts';

export interface ObjectTypes {
  btf: Btf;
  /** Undefined where the file has no .BTF.ext. */
  ext: BtfExt | undefined;
}

/** Reads .BTF and .BTF.ext of a file. Throws SysError, BtfError and BtfExtError. */
export const readObjectTypes = (context: CommandContext, path: string, messages: Messages): ObjectTypes => {
  const bytes = readAny(context, path);
  const btf = parseBtfFile(bytes, path);
  const ext = hasBtfMagic(bytes) ? undefined : btfSections(bytes, path).ext;
  return { btf, ext: ext && readBtfExt(ext, () => 0, messages) };
};
