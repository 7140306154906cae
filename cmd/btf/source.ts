// Where `btf dump` gets its types from: files and the kernel.
import { Btf, BtfError } from '../../src/btf/btf.ts';
import { appendBtf, dedupedBtf } from '../../src/btf/dedup/merge.ts';
import { TypePool } from '../../src/btf/dedup/pool.ts';
import { parseBtfFile } from '../../src/btf/file.ts';
import { readWithRoom } from '../../src/btf/room.ts';
import { ERRNO, type ErrnoName, SysError, strerror } from '../../src/errno.ts';
import { CliError, type CommandContext, errnoStatus } from '../command.ts';
import { sayError } from '../say.ts';
import { KERNEL_FOLDERS, VMLINUX } from './paths.ts';

/** A sentence of libbpf. */
export const sayWarning = (context: CommandContext, text: string): void => context.err(`libbpf: ${text}\n`);

/** Reads a file: the kernel's own first, where it is one of those that a kernel shows. Throws SysError. */
export const readAny = (context: CommandContext, path: string): Uint8Array => {
  const shown = KERNEL_FOLDERS.some((folder) => path.startsWith(folder)) ? context.kernelFile(path) : undefined;
  if (shown) return shown;
  try {
    return readWithRoom(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // A folder can be opened, only not read.
    if (code === 'EISDIR') throw new SysError('EIO');
    if (code && code in ERRNO) throw new SysError(code as ErrnoName);
    throw error;
  }
};

/** Positive errno of a failure to get BTF; what libbpf would print of it is printed. Other errors go on. */
export const errnoOf = (context: CommandContext, error: unknown, debug = context.options.debug): number => {
  if (error instanceof SysError) return error.errno;
  if (!(error instanceof BtfError)) throw error;
  if (error.warned || debug) sayWarning(context, error.message);
  return error.errno;
};

/** Opens a BTF file; the errno of a failure instead where there is none. */
export const openBtfFile = (context: CommandContext, path: string, base?: Btf, debug?: boolean): Btf | number => {
  try {
    return parseBtfFile(readAny(context, path), path, base);
  } catch (error) {
    return errnoOf(context, error, debug);
  }
};

/** BTF of `btf dump file PATH`. Throws CliError. */
export const btfOfFile = (context: CommandContext, path: string, base?: Btf): Btf => {
  const btf = openBtfFile(context, path, base);
  if (typeof btf !== 'number') return btf;
  throw new CliError(`failed to load BTF from ${path}: ${strerror(btf)}`, errnoStatus(btf));
};

/** BTF of several files over one base as one, without repetition. Throws CliError. */
export const btfOfFiles = (context: CommandContext, paths: readonly string[], base: Btf): Btf => {
  const pool = TypePool.empty(base);
  for (const path of paths) {
    const part = btfOfFile(context, path, base);
    try {
      appendBtf(pool, part, base);
    } catch (error) {
      const errno = errnoOf(context, error);
      throw new CliError(`failed to merge BTF from ${path}: ${strerror(errno)}`, errnoStatus(errno));
    }
  }
  try {
    return dedupedBtf(pool, base);
  } catch (error) {
    const errno = errnoOf(context, error);
    throw new CliError(`failed to dedup combined BTF: ${strerror(errno)}`, errnoStatus(errno));
  }
};

/** BTF of the running kernel as a base; says so and gives undefined where there is none. */
export const vmlinuxBase = (context: CommandContext): Btf | undefined => {
  const btf = openBtfFile(context, VMLINUX);
  if (typeof btf !== 'number') return btf;
  sayError(context, `failed to parse vmlinux BTF at '${VMLINUX}': ${-btf}\n`);
  return undefined;
};

/** Whether an id is that of a module's BTF, which needs the kernel's as a base; says why where it cannot tell. */
const isModule = (context: CommandContext, id: number): boolean => {
  const kernel = context.kernel();
  let fd: number;
  try {
    fd = kernel.fdById('btf', id);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    sayError(context, `can't get BTF object by id (${id}): ${error.message}`);
    return false;
  }
  const { kernelBtf, name } = kernel.btfInfo(fd);
  kernel.close(fd);
  return kernelBtf && name !== 'vmlinux';
};

/** BTF that the kernel holds. Throws CliError. */
export const btfOfId = (context: CommandContext, id: number, base: Btf | undefined): Btf => {
  if (!base && isModule(context, id)) {
    context.info(
      `Warning: valid base BTF was not specified with -B option, falling back to standard base BTF (${VMLINUX})`,
    );
    base = vmlinuxBase(context);
  }
  const kernel = context.kernel();
  try {
    const fd = kernel.fdById('btf', id);
    const { bytes } = kernel.btfInfo(fd);
    kernel.close(fd);
    return Btf.parse(bytes, base);
  } catch (error) {
    const errno = errnoOf(context, error);
    throw new CliError(`get btf by id (${id}): ${strerror(errno)}`, errnoStatus(errno));
  }
};
