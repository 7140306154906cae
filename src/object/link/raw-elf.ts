// Object files as the linker reads them: of either byte order, every field as it stands.
import { EHDR_BYTES, REL_BYTES, SHDR_BYTES, SHF, SHN, SHT, SYM_BYTES } from '../../elf/constants.ts';
import { FieldReader } from '../../elf/fields.ts';
import { withNativeHeader } from '../../elf/unpack.ts';

/** Names are one character a byte. */
export interface RawSection {
  name: string;
  type: number;
  flags: bigint;
  size: number;
  link: number;
  info: number;
  align: bigint;
  entsize: number;
  /** Empty for NOBITS. */
  data: Uint8Array;
}

export interface RawSymbol {
  nameOffset: number;
  /** Binding and type. */
  info: number;
  /** Visibility. */
  other: number;
  section: number;
  value: bigint;
  size: bigint;
}

export interface RawRelocation {
  /** Bytes from the start of the section. */
  offset: bigint;
  symbol: number;
  type: number;
}

export interface RawElf {
  littleEndian: boolean;
  type: number;
  machine: number;
  is64: boolean;
  /** Number of the section with names; 0 when there is none. */
  namesSection: number;
  /** Headers in order, number 0 included. */
  headers: readonly { offset: number; nameOffset: number; section: RawSection }[];
  bytes: Uint8Array;
}

const MAGIC = 0x7f454c46;
/** By the numbers of the header. */
const IS_LITTLE_ENDIAN = [undefined, true, false] as const;
const CLASSES = { 32: 1, 64: 2 } as const;
const VERSION = 1;

export const bindOf = (symbol: RawSymbol): number => symbol.info >> 4;
export const typeOf = (symbol: RawSymbol): number => symbol.info & 15;
export const visibilityOf = (symbol: RawSymbol): number => symbol.other & 3;

/** The NUL-terminated bytes at `offset`; undefined outside of the table. */
export const bytesAt = (table: Uint8Array, offset: number): string | undefined => {
  if (offset >= table.length) return undefined;
  const end = table.indexOf(0, offset);
  return end < 0 ? undefined : Buffer.from(table.buffer, table.byteOffset + offset, end - offset).toString('latin1');
};

export const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

const sectionAt = (view: DataView, at: number, le: boolean): RawElf['headers'][number] => {
  const wide = (offset: number): number => Number(view.getBigUint64(at + offset, le));
  return {
    nameOffset: view.getUint32(at, le),
    offset: wide(24),
    section: {
      name: '',
      type: view.getUint32(at + 4, le),
      flags: view.getBigUint64(at + 8, le),
      size: wide(32),
      link: view.getUint32(at + 40, le),
      info: view.getUint32(at + 44, le),
      align: view.getBigUint64(at + 48, le),
      entsize: wide(56),
      data: new Uint8Array(0),
    },
  };
};

/** Reads the headers; undefined when they are no ELF headers. */
export const readRawElf = (bytes: Uint8Array): RawElf | undefined => {
  if (bytes.length < EHDR_BYTES) return undefined;
  const view = viewOf(bytes);
  const [, , , , fileClass, order, version] = bytes;
  const le = IS_LITTLE_ENDIAN[order];
  const is64 = fileClass === CLASSES[64];
  if (view.getUint32(0) !== MAGIC || le === undefined || version !== VERSION) return undefined;
  if (!is64 && fileClass !== CLASSES[32]) return undefined;
  const elf = { littleEndian: le, type: view.getUint16(16, le), machine: view.getUint16(18, le), is64, bytes };
  if (!is64) return { ...elf, namesSection: 0, headers: [] };
  const table = Number(view.getBigUint64(40, le));
  let count = view.getUint16(60, le);
  let names = view.getUint16(62, le);
  const fits = (n: number): boolean => table + n * SHDR_BYTES <= bytes.length;
  if (table === 0 || !fits(1)) return { ...elf, namesSection: 0, headers: [] };
  // Numbers too large for the header stand in section 0.
  if (count === 0) count = Number(view.getBigUint64(table + 32, le));
  if (names === SHN.XINDEX) names = view.getUint32(table + 40, le);
  if (!fits(count)) return { ...elf, namesSection: 0, headers: [] };
  const headers = Array.from({ length: count }, (_, i) => sectionAt(view, table + i * SHDR_BYTES, le));
  return { ...elf, namesSection: names, headers };
};

/** The contents of a section; undefined when it lies outside of the file. */
export const contentsOf = (elf: RawElf, index: number): Uint8Array | undefined => {
  const { offset, section } = elf.headers[index];
  if (section.type === SHT.NOBITS || section.type === SHT.NULL || section.size === 0) return new Uint8Array(0);
  if (!(offset + section.size <= elf.bytes.length)) return undefined;
  const raw = elf.bytes.subarray(offset, offset + section.size);
  if (!(section.flags & BigInt(SHF.COMPRESSED))) return raw;
  return withNativeHeader(raw, new FieldReader(raw, elf.is64, elf.littleEndian));
};

/** Entries of a symbol table; those that are whole. */
export const readSymbols = (data: Uint8Array, le: boolean): RawSymbol[] => {
  const view = viewOf(data);
  return Array.from({ length: Math.floor(data.length / SYM_BYTES) }, (_, i) => {
    const at = i * SYM_BYTES;
    return {
      nameOffset: view.getUint32(at, le),
      info: data[at + 4],
      other: data[at + 5],
      section: view.getUint16(at + 6, le),
      value: view.getBigUint64(at + 8, le),
      size: view.getBigUint64(at + 16, le),
    };
  });
};

/** Entries of a REL section; those that are whole. */
export const readRelocations = (data: Uint8Array, le: boolean): RawRelocation[] => {
  const view = viewOf(data);
  return Array.from({ length: Math.floor(data.length / REL_BYTES) }, (_, i) => {
    const at = i * REL_BYTES;
    const info = view.getBigUint64(at + 8, le);
    return {
      offset: view.getBigUint64(at, le),
      symbol: Number(info >> 32n),
      type: Number(info & 0xffffffffn),
    };
  });
};

export const writeSymbols = (symbols: readonly RawSymbol[], le: boolean): Uint8Array => {
  const out = new Uint8Array(symbols.length * SYM_BYTES);
  const view = viewOf(out);
  for (const [i, symbol] of symbols.entries()) {
    const at = i * SYM_BYTES;
    view.setUint32(at, symbol.nameOffset, le);
    out[at + 4] = symbol.info;
    out[at + 5] = symbol.other;
    view.setUint16(at + 6, symbol.section, le);
    view.setBigUint64(at + 8, symbol.value, le);
    view.setBigUint64(at + 16, symbol.size, le);
  }
  return out;
};

/** Writes one entry of a REL section into its contents. */
export const putRelocation = (data: Uint8Array, at: number, entry: RawRelocation, le: boolean): void => {
  const view = viewOf(data);
  view.setBigUint64(at, BigInt.asUintN(64, entry.offset), le);
  view.setBigUint64(at + 8, (BigInt(entry.symbol) << 32n) | BigInt(entry.type), le);
};
