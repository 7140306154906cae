// ELF reader for both classes and byte orders: sections, symbols, relocations. What lies beyond the headers is read at
// first use; what is wrong with it is said then, in libelf's words.
import { SHF, SHN, SHT } from './constants.ts';
import { ELF_FAULT, ElfError } from './errors.ts';
import { FieldReader, recordBytes, type SectionHeader } from './fields.ts';
import { unpack, withNativeHeader } from './unpack.ts';

export { ElfError } from './errors.ts';

/** An entry of a symbol table. */
export interface ElfSymbol {
  index: number;
  /** Throws ElfError where it lies outside of the string table. */
  readonly name: string;
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

const IDENT_BYTES = 16;
const MAGIC = [0x7f, 0x45, 0x4c, 0x46];
const ARCHIVE_MAGIC = Buffer.from('!<arch>\n');
const CLASS_64 = 2;
const LITTLE_ENDIAN = 1;
/** Bytes 4 to 6 of the file: class, byte order and version; the numbers that each may be. */
const KNOWN_IDENTITY = [[1, 2], [1, 2], [1]];

/** What a file is by its first bytes. Rule: libelf. */
export const elfKind = (bytes: Uint8Array): 'elf' | 'archive' | 'none' => {
  if (ARCHIVE_MAGIC.every((byte, i) => bytes[i] === byte)) return 'archive';
  const isElf =
    bytes.length >= IDENT_BYTES &&
    MAGIC.every((byte, i) => bytes[i] === byte) &&
    KNOWN_IDENTITY.every((known, i) => known.includes(bytes[4 + i]));
  return isElf ? 'elf' : 'none';
};

/** A section: its header, and its bytes on demand. */
export class ElfSection implements SectionHeader {
  readonly index: number;
  readonly nameOffset: number;
  readonly type: number;
  readonly flags: number;
  readonly wideFlags: bigint;
  readonly addr: bigint;
  /** Bytes from the start of the file. */
  readonly offset: number;
  /** Bytes; of a compressed section, those in the file. */
  readonly size: number;
  readonly link: number;
  readonly info: number;
  readonly align: number;
  readonly entsize: number;
  private readonly file: ElfFile;
  private knownName: string | undefined;
  private stored: Uint8Array | undefined;
  private whole: Uint8Array | undefined;

  constructor(file: ElfFile, index: number, header: SectionHeader) {
    this.file = file;
    this.index = index;
    this.nameOffset = header.nameOffset;
    this.type = header.type;
    this.flags = header.flags;
    this.wideFlags = header.wideFlags;
    this.addr = header.addr;
    this.offset = header.offset;
    this.size = header.size;
    this.link = header.link;
    this.info = header.info;
    this.align = header.align;
    this.entsize = header.entsize;
  }

  /** Throws ElfError where it cannot be had. */
  get name(): string {
    this.knownName ??= this.index === 0 ? '' : this.file.string(this.file.namesSection, this.nameOffset);
    return this.knownName;
  }

  get isCompressed(): boolean {
    return (this.flags & SHF.COMPRESSED) !== 0;
  }

  /**
   * The contents as libelf gives them: of a compressed section what is stored; empty for NOBITS (`size` says how many
   * zeros it stands for). A view of the file where possible, not a copy. Throws ElfError.
   */
  get data(): Uint8Array {
    this.stored ??= this.read();
    return this.stored;
  }

  /** The contents, unpacked where the section is compressed. Throws ElfError. */
  get unpacked(): Uint8Array {
    if (!this.isCompressed) return this.data;
    this.whole ??= unpack(this.rawBytes(), this.file.fields.over(this.rawBytes()));
    return this.whole;
  }

  private rawBytes(): Uint8Array {
    const { bytes } = this.file;
    if (!(this.offset + this.size <= bytes.length)) throw new ElfError(ELF_FAULT.HEADER);
    return bytes.subarray(this.offset, this.offset + this.size);
  }

  private read(): Uint8Array {
    if (this.type === SHT.NOBITS || this.size === 0) return new Uint8Array(0);
    const { fields } = this.file;
    if (this.isCompressed) {
      const raw = this.rawBytes();
      return withNativeHeader(raw, fields.over(raw));
    }
    if (this.size % recordBytes(this.type, fields.sizes) !== 0) throw new ElfError(ELF_FAULT.DATA);
    return this.rawBytes();
  }
}

class SymbolEntry implements ElfSymbol {
  readonly index: number;
  readonly nameOffset: number;
  readonly value: bigint;
  readonly size: bigint;
  readonly bind: number;
  readonly type: number;
  readonly visibility: number;
  readonly section: number;
  private readonly file: ElfFile;
  private readonly strings: number;
  private knownName: string | undefined;

  constructor(file: ElfFile, strings: number, index: number, fields: FieldReader, section: number) {
    const at = index * fields.sizes.symbol;
    const { is64 } = fields;
    // The narrow form has the two wide fields in front of the small ones.
    const small = at + (is64 ? 4 : 12);
    const info = fields.view.getUint8(small);
    this.file = file;
    this.strings = strings;
    this.index = index;
    this.nameOffset = fields.word(at);
    this.value = fields.wide(at + (is64 ? 8 : 4));
    this.size = fields.wide(at + (is64 ? 16 : 8));
    this.bind = info >> 4;
    this.type = info & 15;
    this.visibility = fields.view.getUint8(small + 1) & 3;
    this.section = section;
  }

  get name(): string {
    this.knownName ??= this.file.string(this.strings, this.nameOffset);
    return this.knownName;
  }
}

const decoder = new TextDecoder('utf-8');
/** Bytes of all names together; names that share their bytes may amount to far more than the file. */
const MAX_NAME_BYTES = 1 << 26;

/** An opened file. Sections are in header order; number 0 is the null section. */
export class ElfFile {
  readonly bytes: Uint8Array;
  readonly is64: boolean;
  readonly littleEndian: boolean;
  /** ET. */
  readonly type: number;
  /** EM. */
  readonly machine: number;
  readonly flags: number;
  /** Empty where the headers are cut off. */
  readonly sections: readonly ElfSection[];
  readonly fields: FieldReader;
  private readonly symbolTables = new Map<number, readonly ElfSymbol[]>();
  private nameBytes = 0;

  /** Reads the headers; throws ElfError. */
  constructor(given: Uint8Array) {
    // A plain view: the slice() of a Buffer does not copy as that of its parent class does.
    const bytes = new Uint8Array(given.buffer, given.byteOffset, given.length);
    if (elfKind(bytes) !== 'elf') throw new ElfError(ELF_FAULT.HANDLE);
    this.bytes = bytes;
    this.is64 = bytes[4] === CLASS_64;
    this.littleEndian = bytes[5] === LITTLE_ENDIAN;
    this.fields = new FieldReader(bytes, this.is64, this.littleEndian);
    const { fields } = this;
    if (bytes.length < fields.sizes.header) throw new ElfError(ELF_FAULT.FILE);
    this.type = fields.half(16);
    this.machine = fields.half(18);
    this.flags = fields.word(this.is64 ? 48 : 36);
    const table = this.tableOffset;
    const count = this.countSections(table);
    const sections: ElfSection[] = [];
    for (let i = 0; i < count; i++) {
      sections.push(new ElfSection(this, i, fields.sectionHeader(table + i * fields.sizes.section)));
    }
    this.sections = sections;
  }

  private get tableOffset(): number {
    return this.fields.wideNumber(this.is64 ? 40 : 32);
  }

  /** Section headers that are cut off count as none. Rule: libelf. */
  private countSections(table: number): number {
    const { fields, bytes } = this;
    const fits = (count: number): boolean => table + count * fields.sizes.section <= bytes.length;
    let count = fields.half(this.is64 ? 60 : 48);
    if (count === 0 && table !== 0) {
      if (table >= bytes.length || !fits(1)) return 0;
      // Numbers too large for the header stand in section 0.
      count = fields.sectionHeader(table).size;
      if (count > 0xffffffff) throw new ElfError(ELF_FAULT.FILE);
    }
    return table <= bytes.length && fits(count) ? count : 0;
  }

  /** Number of the section that holds section names. Throws ElfError. */
  get namesSection(): number {
    const number = this.fields.half(this.is64 ? 62 : 50);
    if (number !== SHN.XINDEX) return number;
    const [first] = this.sections;
    if (first === undefined) throw new ElfError(ELF_FAULT.HEADER);
    return first.link;
  }

  /** The NUL-terminated string at an offset of a string table section. Throws ElfError. */
  string(table: number, offset: number): string {
    const refuse = (fault: string): never => {
      throw new ElfError(fault, offset);
    };
    const section = this.sections[table] ?? refuse(ELF_FAULT.INDEX);
    if (section.type !== SHT.STRTAB) refuse(ELF_FAULT.SECTION);
    const bytes = section.unpacked;
    if (offset >= bytes.length) refuse(ELF_FAULT.RANGE);
    const end = bytes.indexOf(0, offset);
    this.nameBytes += end - offset;
    if (end < 0 || this.nameBytes > MAX_NAME_BYTES) refuse(ELF_FAULT.INDEX);
    return decoder.decode(bytes.subarray(offset, end));
  }

  /** The first section of that name; undefined also where a name before it cannot be had. */
  section(name: string): ElfSection | undefined {
    for (const section of this.sections) {
      if (section.index === 0) continue;
      try {
        if (section.name === name) return section;
      } catch (error) {
        if (error instanceof ElfError) return undefined;
        throw error;
      }
    }
    return undefined;
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
    const { data } = section;
    const fields = this.fields.over(data);
    const bytes = fields.sizes.symbol;
    const extended = this.sections.find((s) => s.type === SHT.SYMTAB_SHNDX && s.link === section.index)?.data;
    const numbers = extended && this.fields.over(extended);
    const out: ElfSymbol[] = [];
    for (let index = 0; (index + 1) * bytes <= data.length; index++) {
      let number = fields.half(index * bytes + (this.is64 ? 6 : 14));
      if (number === SHN.XINDEX && extended && numbers && index * 4 + 4 <= extended.length) {
        number = numbers.word(index * 4);
      }
      out.push(new SymbolEntry(this, section.link, index, fields, number));
    }
    return out;
  }

  /** Entries of a REL or RELA section in file order. Throws ElfError. */
  relocations(section: ElfSection): ElfReloc[] {
    const isRela = section.type === SHT.RELA;
    if (!isRela && section.type !== SHT.REL) throw new ElfError(ELF_FAULT.SECTION);
    const { data } = section;
    const fields = this.fields.over(data);
    const { rel, rela, address } = fields.sizes;
    const bytes = isRela ? rela : rel;
    const out: ElfReloc[] = [];
    for (let at = 0; at + bytes <= data.length; at += bytes) {
      const info = fields.wide(at + address);
      const reloc: ElfReloc = {
        offset: fields.wide(at),
        symbol: Number(this.is64 ? info >> 32n : info >> 8n),
        type: Number(this.is64 ? info & 0xffffffffn : info & 0xffn),
      };
      if (isRela) reloc.addend = BigInt.asIntN(address * 8, fields.wide(at + 2 * address));
      out.push(reloc);
    }
    return out;
  }
}

/** Opens an ELF file held in memory; throws ElfError. Source of the layout: System V gABI; of what is let pass: libelf. */
export const readElf = (bytes: Uint8Array): ElfFile => new ElfFile(bytes);
