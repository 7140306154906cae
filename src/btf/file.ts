// BTF in files: raw data, or the .BTF section of an ELF file.
import { SHT } from '../elf/constants.ts';
import { ElfError, type ElfFile, readElf } from '../elf/elf.ts';
import { ERRNO } from '../errno.ts';
import { Btf, BtfError } from './btf.ts';
import { hasBtfMagic } from './header.ts';

const BTF_SECTION = '.BTF';
/** Types of the kernel that a module built by itself brings along to refer to. */
const BASE_SECTION = '.BTF.base';
/** libbpf's own error number for a file of the wrong format. */
const LIBBPF_FORMAT_ERROR = 4001;
const POINTER_SIZE = 8;

const formatError = (message: string) => new BtfError(message, { errno: LIBBPF_FORMAT_ERROR, warned: true });

const sectionData = (elf: ElfFile, name: string, path: string): Uint8Array | undefined => {
  const section = elf.section(name);
  if (!section) return undefined;
  if (section.type !== SHT.PROGBITS) {
    throw formatError(`unexpected section type (${section.type}) of section(${section.index}, ${name}) from ${path}`);
  }
  return section.data;
};

const parseElf = (bytes: Uint8Array, path: string, base: Btf | undefined): Btf => {
  let own: Uint8Array | undefined;
  let kernelTypes: Uint8Array | undefined;
  try {
    const elf = readElf(bytes);
    own = sectionData(elf, BTF_SECTION, path);
    kernelTypes = sectionData(elf, BASE_SECTION, path);
  } catch (error) {
    if (error instanceof ElfError) throw formatError(`failed to get EHDR from ${path}`);
    throw error;
  }
  if (!own) {
    throw new BtfError(`failed to find '${BTF_SECTION}' ELF section in ${path}`, {
      errno: ERRNO.ENODATA,
      warned: true,
    });
  }
  if (kernelTypes && base) {
    throw new BtfError(`${path} brings types of the kernel along, which cannot be matched with another base`);
  }
  return Btf.parse(own, kernelTypes ? Btf.parse(kernelTypes) : base, { pointerSize: POINTER_SIZE });
};

/**
 * Opens the BTF of a file's contents on top of `base` when it is split BTF; `path` is for messages. Throws BtfError,
 * whose errno is the one that libbpf gives.
 */
export const parseBtfFile = (bytes: Uint8Array, path: string, base?: Btf): Btf => {
  if (bytes.length < 2) throw new BtfError(`${path} is empty`, { errno: ERRNO.EIO });
  return hasBtfMagic(bytes) ? Btf.parse(bytes, base) : parseElf(bytes, path, base);
};
