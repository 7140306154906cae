// Where the fields of ELF records lie, for files of both classes and both byte orders (System V gABI).
import { SHT } from './constants.ts';

/** Bytes of the records of a class. */
export interface RecordSizes {
  header: number;
  section: number;
  symbol: number;
  rel: number;
  rela: number;
  compression: number;
  address: number;
}

export const RECORDS_32: RecordSizes = {
  header: 52,
  section: 40,
  symbol: 16,
  rel: 8,
  rela: 12,
  compression: 12,
  address: 4,
};

export const RECORDS_64: RecordSizes = {
  header: 64,
  section: 64,
  symbol: 24,
  rel: 16,
  rela: 24,
  compression: 24,
  address: 8,
};

const WORD = 4;

/** Bytes of the records that a section of some type holds; 1 where it holds bytes. Rule: libelf. */
export const recordBytes = (type: number, sizes: RecordSizes): number => {
  switch (type) {
    case SHT.SYMTAB:
    case SHT.DYNSYM:
      return sizes.symbol;
    case SHT.REL:
      return sizes.rel;
    case SHT.RELA:
      return sizes.rela;
    case SHT.DYNAMIC:
      return 2 * sizes.address;
    case SHT.INIT_ARRAY:
    case SHT.FINI_ARRAY:
    case SHT.PREINIT_ARRAY:
      return sizes.address;
    case SHT.HASH:
    case SHT.GROUP:
    case SHT.SYMTAB_SHNDX:
      return WORD;
    default:
      return 1;
  }
};

/** A section header. 64-bit fields are numbers: what a double cannot hold lies outside of any file. */
export interface SectionHeader {
  nameOffset: number;
  type: number;
  /** The low 32 bits. */
  flags: number;
  wideFlags: bigint;
  addr: bigint;
  offset: number;
  size: number;
  link: number;
  info: number;
  align: number;
  entsize: number;
}

/** Reads fields of one file. */
export class FieldReader {
  readonly view: DataView;
  readonly littleEndian: boolean;
  readonly is64: boolean;
  readonly sizes: RecordSizes;

  constructor(bytes: Uint8Array, is64: boolean, littleEndian: boolean) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.is64 = is64;
    this.littleEndian = littleEndian;
    this.sizes = is64 ? RECORDS_64 : RECORDS_32;
  }

  /** The same kind of file, other bytes. */
  over(bytes: Uint8Array): FieldReader {
    return new FieldReader(bytes, this.is64, this.littleEndian);
  }

  half(at: number): number {
    return this.view.getUint16(at, this.littleEndian);
  }

  word(at: number): number {
    return this.view.getUint32(at, this.littleEndian);
  }

  /** A field as wide as an address. */
  wide(at: number): bigint {
    return this.is64 ? this.view.getBigUint64(at, this.littleEndian) : BigInt(this.word(at));
  }

  wideNumber(at: number): number {
    return this.is64 ? Number(this.view.getBigUint64(at, this.littleEndian)) : this.word(at);
  }

  sectionHeader(at: number): SectionHeader {
    const { address } = this.sizes;
    // Four fields of an address's width, two words, two more of an address's width.
    const words = at + 8 + 4 * address;
    return {
      nameOffset: this.word(at),
      type: this.word(at + 4),
      flags: this.is64 && !this.littleEndian ? this.word(at + 12) : this.word(at + 8),
      wideFlags: this.wide(at + 8),
      addr: this.wide(at + 8 + address),
      offset: this.wideNumber(at + 8 + 2 * address),
      size: this.wideNumber(at + 8 + 3 * address),
      link: this.word(words),
      info: this.word(words + 4),
      align: this.wideNumber(words + 8),
      entsize: this.wideNumber(words + 8 + address),
    };
  }
}
