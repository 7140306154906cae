// ELF64 little-endian reader: sections, symbols, relocations. Everything beyond the headers is read at first use.
import { inflateSync, zstdDecompressSync } from 'node:zlib';
import { EHDR_BYTES, REL_BYTES, RELA_BYTES, SHDR_BYTES, SHF, SHN, SHT, SYM_BYTES } from './constants.ts';

/** A file that is not ELF64 little-endian, or that contradicts itself. */
export class ElfError extends Error {
  override name = 'ElfError';
}

/** Largest section that is unpacked from SHF_COMPRESSED. */
const MAX_UNPACKED = 1 << 30;
/** Sizes of compression headers and the two methods (Elf64_Chdr). */
const CHDR_BYTES = 24;
const ELFCOMPRESS = { ZLIB: 1, ZSTD: 2 } as const;

/** An entry of a symbol table. */
export interface ElfSymbol {
  index: number;
  name: string;
  /** Offset of the name in the string table. */
  nameOffset: number;
  /** In a relocatable file an offset in its section, otherwise an address. */
  value: bigint;
  /** Bytes. */
  size: bigint;
  /** STB. */
  bind: number;
  /** STT. */
  type: number;
  /** STV. */
  visibility: number;
  /** Section number (extended numbers are resolved), or one of SHN. */
  section: number;
}

/** An entry of a relocation section. */
export interface ElfReloc {
  /** Bytes from the start of the section it applies to. */
  offset: bigint;
  /** Index in the symbol table that the relocation section links to. */
  symbol: number;
  type: number;
  /** Only in RELA sections. */
  addend?: bigint;
}

/** A section: its header, and its bytes on demand. */
export class ElfSection {
  readonly index: number;
  name = '';
  readonly type: number;
  readonly flags: number;
  readonly addr: bigint;
  /** Bytes from the start of the file. */
  readonly offset: number;
  /** Bytes; of a compressed section, those in the file. */
  readonly size: number;
  readonly link: number;
  readonly info: number;
  readonly align: number;
  readonly entsize: number;
  private readonly file: Uint8Array;
  private bytes: Uint8Array | undefined;

  /** Reads header number `index` at byte `at` of `file`, which must hold it. */
  constructor(file: Uint8Array, view: DataView, index: number, at: number) {
    this.file = file;
    this.index = index;
    this.type = view.getUint32(at + 4, true);
    this.flags = Number(view.getBigUint64(at + 8, true) & 0xffffffffn);
    this.addr = view.getBigUint64(at + 16, true);
    this.offset = Number(view.getBigUint64(at + 24, true));
    this.size = Number(view.getBigUint64(at + 32, true));
    this.link = view.getUint32(at + 40, true);
    this.info = view.getUint32(at + 44, true);
    this.align = Number(view.getBigUint64(at + 48, true));
    this.entsize = Number(view.getBigUint64(at + 56, true));
  }

  /** Offset of the name in the section name table. */
  nameOffset(view: DataView, at: number): number {
    return view.getUint32(at, true);
  }

  /**
   * The contents, unpacked where the section is compressed; empty for NOBITS (`size` says how many zeros it stands
   * for). A view of the file, not a copy. Throws ElfError when the section lies outside the file.
   */
  get data(): Uint8Array {
    this.bytes ??= this.read();
    return this.bytes;
  }

  private read(): Uint8Array {
    if (this.type === SHT.NOBITS || this.type === SHT.NULL) return new Uint8Array(0);
    if (!(this.offset + this.size <= this.file.length)) {
      throw new ElfError(`section ${this.index} '${this.name}' lies outside the file`);
    }
    const raw = this.file.subarray(this.offset, this.offset + this.size);
    return this.flags & SHF.COMPRESSED ? unpack(raw, this.name) : raw;
  }
}

function unpack(raw: Uint8Array, name: string): Uint8Array {
  if (raw.length < CHDR_BYTES) throw new ElfError(`compressed section '${name}' has no header`);
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  const method = view.getUint32(0, true);
  const size = Number(view.getBigUint64(8, true));
  if (size > MAX_UNPACKED) throw new ElfError(`compressed section '${name}' claims ${size} bytes`);
  const body = raw.subarray(CHDR_BYTES);
  const limit = { maxOutputLength: Math.max(size, 1) };
  let out: Uint8Array;
  try {
    if (method === ELFCOMPRESS.ZLIB) out = inflateSync(body, limit);
    else if (method === ELFCOMPRESS.ZSTD) out = zstdDecompressSync(body, limit);
    else throw new ElfError(`compressed section '${name}' uses unknown method ${method}`);
  } catch (error) {
    if (error instanceof ElfError) throw error;
    throw new ElfError(`compressed section '${name}' cannot be unpacked`);
  }
  if (out.length !== size) throw new ElfError(`compressed section '${name}' is ${out.length} bytes, not ${size}`);
  return new Uint8Array(out.buffer, out.byteOffset, out.length);
}

const decoder = new TextDecoder('utf-8');

/** The NUL-terminated string at `offset`; undefined when it starts or runs outside the table. */
export function stringAt(table: Uint8Array, offset: number): string | undefined {
  if (offset >= table.length) return undefined;
  const end = table.indexOf(0, offset);
  return end < 0 ? undefined : decoder.decode(table.subarray(offset, end));
}

/** An opened file. Sections are in header order; number 0 is the null section. */
export class ElfFile {
  readonly bytes: Uint8Array;
  /** ET. */
  readonly type: number;
  /** EM. */
  readonly machine: number;
  readonly flags: number;
  readonly sections: readonly ElfSection[];
  /** Number of the section that holds section names. */
  readonly namesSection: number;
  private readonly symbolTables = new Map<number, readonly ElfSymbol[]>();

  /** Reads the headers; throws ElfError. */
  constructor(given: Uint8Array) {
    // A plain view: the slice() of a Buffer does not copy as that of its parent class does.
    const bytes = new Uint8Array(given.buffer, given.byteOffset, given.length);
    this.bytes = bytes;
    if (bytes.length < EHDR_BYTES) throw new ElfError('file is too short for an ELF header');
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (view.getUint32(0, false) !== 0x7f454c46) throw new ElfError('file does not begin as an ELF file');
    if (bytes[4] !== 2) throw new ElfError('not a 64-bit ELF file');
    if (bytes[5] !== 1) throw new ElfError('not a little-endian ELF file');
    if (bytes[6] !== 1) throw new ElfError('unknown ELF version');
    this.type = view.getUint16(16, true);
    this.machine = view.getUint16(18, true);
    this.flags = view.getUint32(48, true);
    const table = Number(view.getBigUint64(40, true));
    const headerBytes = view.getUint16(58, true);
    let count = view.getUint16(60, true);
    let names = view.getUint16(62, true);
    if (table !== 0) {
      if (headerBytes !== SHDR_BYTES) throw new ElfError(`section headers of ${headerBytes} bytes`);
      if (!(table + SHDR_BYTES <= bytes.length)) throw new ElfError('section headers lie outside the file');
      // Numbers too large for the header stand in section 0.
      if (count === 0) count = Number(view.getBigUint64(table + 32, true));
      if (names === SHN.XINDEX) names = view.getUint32(table + 40, true);
      if (!(table + count * SHDR_BYTES <= bytes.length)) throw new ElfError('section headers lie outside the file');
    } else {
      count = 0;
    }
    const sections: ElfSection[] = [];
    for (let i = 0; i < count; i++) sections.push(new ElfSection(bytes, view, i, table + i * SHDR_BYTES));
    this.sections = sections;
    this.namesSection = names;
    if (count === 0) return;
    const strings = sections[names];
    if (strings === undefined || strings.type !== SHT.STRTAB) throw new ElfError('no table of section names');
    const nameBytes = strings.data;
    sections.forEach((section, i) => {
      if (section.type === SHT.NULL) return;
      const name = stringAt(nameBytes, section.nameOffset(view, table + i * SHDR_BYTES));
      if (name === undefined) throw new ElfError(`name of section ${i} lies outside the table of names`);
      section.name = name;
    });
  }

  /** The first section of that name. */
  section(name: string): ElfSection | undefined {
    return this.sections.find((s) => s.name === name && s.type !== SHT.NULL);
  }

  /** Entries of a symbol table section, number 0 included; read once. Throws ElfError. */
  symbols(section: ElfSection): readonly ElfSymbol[] {
    let found = this.symbolTables.get(section.index);
    if (found === undefined) {
      found = this.readSymbols(section);
      this.symbolTables.set(section.index, found);
    }
    return found;
  }

  /** The file's symbol table section (SHT_SYMTAB). */
  get symtab(): ElfSection | undefined {
    return this.sections.find((s) => s.type === SHT.SYMTAB);
  }

  private readSymbols(section: ElfSection): readonly ElfSymbol[] {
    const data = section.data;
    const strings = this.sections[section.link];
    if (strings === undefined || strings.type !== SHT.STRTAB) throw new ElfError('symbol table has no string table');
    if (data.length % SYM_BYTES !== 0) throw new ElfError('symbol table does not hold whole entries');
    const names = strings.data;
    const extended = this.sections.find((s) => s.type === SHT.SYMTAB_SHNDX && s.link === section.index)?.data;
    const numbers = extended && new DataView(extended.buffer, extended.byteOffset, extended.byteLength);
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    const out: ElfSymbol[] = [];
    for (let index = 0, at = 0; at < data.length; index++, at += SYM_BYTES) {
      const nameOffset = view.getUint32(at, true);
      const name = stringAt(names, nameOffset);
      if (name === undefined) throw new ElfError(`name of symbol ${index} lies outside the string table`);
      let number = view.getUint16(at + 6, true);
      if (number === SHN.XINDEX && numbers && index * 4 + 4 <= numbers.byteLength) {
        number = numbers.getUint32(index * 4, true);
      }
      out.push({
        index,
        name,
        nameOffset,
        value: view.getBigUint64(at + 8, true),
        size: view.getBigUint64(at + 16, true),
        bind: data[at + 4] >> 4,
        type: data[at + 4] & 15,
        visibility: data[at + 5] & 3,
        section: number,
      });
    }
    return out;
  }

  /** Entries of a REL or RELA section in file order. Throws ElfError. */
  relocations(section: ElfSection): ElfReloc[] {
    const bytes = section.type === SHT.RELA ? RELA_BYTES : section.type === SHT.REL ? REL_BYTES : 0;
    if (bytes === 0) throw new ElfError(`section '${section.name}' does not hold relocations`);
    const data = section.data;
    if (data.length % bytes !== 0) throw new ElfError(`section '${section.name}' does not hold whole entries`);
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    const out: ElfReloc[] = [];
    for (let at = 0; at < data.length; at += bytes) {
      const reloc: ElfReloc = {
        offset: view.getBigUint64(at, true),
        type: view.getUint32(at + 8, true),
        symbol: view.getUint32(at + 12, true),
      };
      if (bytes === RELA_BYTES) reloc.addend = view.getBigInt64(at + 16, true);
      out.push(reloc);
    }
    return out;
  }
}

/** Opens an ELF64 little-endian file held in memory; throws ElfError. Source of the layout: System V gABI. */
export const readElf = (bytes: Uint8Array): ElfFile => new ElfFile(bytes);
