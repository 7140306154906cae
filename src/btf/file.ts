// BTF in files: raw data, or the .BTF section of an ELF file.
import { SHT } from '../elf/constants.ts';
import { ElfError, type ElfSection, readElf } from '../elf/elf.ts';
import { ERRNO } from '../errno.ts';
import { Btf, BtfError } from './btf.ts';
import { hasBtfMagic } from './header.ts';
import { relocateBtf } from './relocate.ts';

const BTF_SECTION = '.BTF';
const EXT_SECTION = '.BTF.ext';
/** Types of the kernel that a module built by itself brings along to refer to. */
const BASE_SECTION = '.BTF.base';
/** libbpf's own error number for a file of the wrong format. */
const LIBBPF_FORMAT_ERROR = 4001;

const formatError = (message: string) => new BtfError(message, { errno: LIBBPF_FORMAT_ERROR, warned: true });

/** Sections with types of an object file, unpacked where they are compressed. */
export interface BtfSectionBytes {
  btf: Uint8Array;
  ext: Uint8Array | undefined;
  base: Uint8Array | undefined;
  /** Bytes of a pointer of the machine that the file is for. */
  pointerSize: 4 | 8;
}

/** What `read` gives; in place of an ElfError, the error of libbpf with that message. */
const orRefuse = <T>(message: string, read: () => T): T => {
  try {
    return read();
  } catch (error) {
    if (error instanceof ElfError) throw formatError(message);
    throw error;
  }
};

/** What cannot be unpacked is taken for types as it is, which it is not. */
const unpackedOr = (section: ElfSection, stored: Uint8Array): Uint8Array => {
  try {
    return section.unpacked;
  } catch (error) {
    if (error instanceof ElfError) return stored;
    throw error;
  }
};

/**
 * Finds the sections with types of an ELF file; `path` is for messages. Throws BtfError.
 * Rule: libbpf 1.8, which does not unpack; its errors.
 */
export const btfSections = (bytes: Uint8Array, path: string): BtfSectionBytes => {
  // A file whose header is cut off counts as another kind of file.
  const elf = orRefuse(`failed to get EHDR from ${path}`, () => readElf(bytes));
  const names = orRefuse(`failed to get section names section index for ${path}`, () => elf.namesSection);
  const holder = elf.sections[names];
  if (holder === undefined) throw formatError(`failed to get e_shstrndx from ${path}`);
  orRefuse(`failed to get e_shstrndx from ${path}`, () => holder.data);
  const found = new Map<string, Uint8Array>();
  for (const section of elf.sections) {
    const { index, type } = section;
    if (index === 0) continue;
    const name = orRefuse(`failed to get section(${index}) name from ${path}`, () => section.name);
    if (name !== BTF_SECTION && name !== EXT_SECTION && name !== BASE_SECTION) continue;
    if (type !== SHT.PROGBITS) {
      throw formatError(`unexpected section type (${type}) of section(${index}, ${name}) from ${path}`);
    }
    const stored = orRefuse(`failed to get section(${index}, ${name}) data from ${path}`, () => section.data);
    found.set(name, unpackedOr(section, stored));
  }
  const btf = found.get(BTF_SECTION);
  if (!btf) {
    throw new BtfError(`failed to find '${BTF_SECTION}' ELF section in ${path}`, {
      errno: ERRNO.ENODATA,
      warned: true,
    });
  }
  return { btf, ext: found.get(EXT_SECTION), base: found.get(BASE_SECTION), pointerSize: elf.is64 ? 8 : 4 };
};

const parseElf = (bytes: Uint8Array, path: string, base: Btf | undefined): Btf => {
  const found = btfSections(bytes, path);
  const distilled = found.base && Btf.parse(found.base);
  const options = { pointerSize: found.pointerSize };
  if (!distilled || !base) return Btf.parse(found.btf, distilled ?? base, options);
  return relocateBtf(Btf.parse(found.btf, distilled, options), base);
};

/**
 * Opens the BTF of a file's contents on top of `base` when it is split BTF; `path` is for messages. Throws BtfError,
 * whose errno is the one that libbpf gives.
 */
export const parseBtfFile = (bytes: Uint8Array, path: string, base?: Btf): Btf => {
  if (bytes.length < 2) throw new BtfError(`${path} is empty`, { errno: ERRNO.EIO });
  return hasBtfMagic(bytes) ? Btf.parse(bytes, base) : parseElf(bytes, path, base);
};
