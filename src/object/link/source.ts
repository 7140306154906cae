// One object file that is being linked, and whether it may be.

import type { Btf } from '../../btf/btf.ts';
import { BtfError } from '../../btf/btf-error.ts';
import { TypePool } from '../../btf/dedup/pool.ts';
import { EM, ET, R_BPF, REL_BYTES, SHF, SHN, SHT, STB, STT, STV, SYM_BYTES } from '../../elf/constants.ts';
import { RECORDS_64, recordBytes } from '../../elf/fields.ts';
import { type BtfExt, BtfExtError, type ExtTable, readBtfExt } from '../btf-ext.ts';
import { parseObjectBtf } from '../btf-words.ts';
import { errstr } from '../errors.ts';
import type { LinkerMessages } from './linker-messages.ts';
import type { OutputSection } from './output-section.ts';
import {
  bindOf,
  bytesAt,
  contentsOf,
  type RawElf,
  type RawSection,
  type RawSymbol,
  readRawElf,
  readRelocations,
  readSymbols,
  typeOf,
  viewOf,
  visibilityOf,
} from './raw-elf.ts';

const INSN_BYTES = 8;
const RELOCATION_TYPES: readonly number[] = [R_BPF.ABS64, R_BPF.LDIMM64_ABS, R_BPF.ABS32, R_BPF.CALL32];

export interface SourceSection extends RawSection {
  /** Number in the file; 0 where only BTF has the section (.kconfig, .ksyms, extern .maps). */
  index: number;
  /** Left out of the result. */
  skipped: boolean;
  /** Only BTF has the section. */
  ephemeral: boolean;
  /** Where it went. */
  target: OutputSection | undefined;
  /** Bytes from the start of the target. */
  targetOffset: number;
  /** Id of its DATASEC; 0 without. */
  datasec: number;
}

export interface SourceObject {
  /** One character a byte. */
  name: string;
  littleEndian: boolean;
  /** Number 0 is not used; sections that only BTF has follow those of the file. */
  sections: SourceSection[];
  symbols: readonly RawSymbol[];
  /** The string table of the symbols. */
  symbolNames: Uint8Array;
  btf: Btf | undefined;
  /** The same types, to be changed. */
  types: TypePool | undefined;
  ext: BtfExt | undefined;
  /** Number of a symbol in the result, by its number here. */
  symbolMap: number[];
  /** Id of a type in the result, by its id here; 0 where it did not go. */
  typeMap: Int32Array;
}

const isDwarf = (name: string): boolean => name.startsWith('.debug_');

const isIgnored = ({ name, type, size }: RawSection): boolean => {
  if (type === SHT.STRTAB || type === SHT.LLVM_ADDRSIG) return true;
  if (type === SHT.PROGBITS && size === 0 && name === '.text') return true;
  if (isDwarf(name)) return true;
  if (!name.startsWith('.rel')) return false;
  const of = name.slice(4);
  return isDwarf(of) || of === '.BTF' || of === '.BTF.ext';
};

/** The alignment of contents as elfutils' libelf sees them: never stricter than their place in the file needs. */
const alignmentAt = (offset: number, align: bigint): bigint => {
  if (align === 0n) return 1n;
  if (offset === 0) return 0n;
  let possible = 1n;
  while (possible < align && possible < BigInt(offset)) possible *= 2n;
  return possible;
};

class Loader {
  readonly object: SourceObject;
  private readonly elf: RawElf;
  private readonly messages: LinkerMessages;
  private symtab = 0;

  constructor(elf: RawElf, name: string, messages: LinkerMessages) {
    this.elf = elf;
    this.messages = messages;
    this.object = {
      name,
      littleEndian: elf.littleEndian,
      sections: [],
      symbols: [],
      symbolNames: new Uint8Array(0),
      btf: undefined,
      types: undefined,
      ext: undefined,
      symbolMap: [],
      typeMap: new Int32Array(0),
    };
  }

  load(): SourceObject {
    const { elf, object } = this;
    const holder = elf.headers[elf.namesSection]?.section;
    const names = holder?.type === SHT.STRTAB ? contentsOf(elf, elf.namesSection) : undefined;
    for (const [index, { nameOffset, section }] of elf.headers.entries()) {
      const added: SourceSection = {
        ...section,
        index,
        skipped: false,
        ephemeral: false,
        target: undefined,
        targetOffset: 0,
        datasec: 0,
      };
      object.sections.push(added);
      if (index === 0) continue;
      const name = names && bytesAt(names, nameOffset);
      if (name === undefined) {
        const isTable = holder?.type === SHT.STRTAB;
        const missing = holder ? `invalid section${isTable ? ' header' : ''}` : 'invalid section index';
        const bad = names && nameOffset < names.length ? 'invalid section index' : 'offset out of range';
        const reason = names ? bad : missing;
        this.fail(`failed to get section #${index} name for ${object.name}: ${reason}`);
      }
      const data = contentsOf(elf, index);
      const isBroken = section.type !== SHT.NOBITS && section.size % recordBytes(section.type, RECORDS_64) !== 0;
      if (data === undefined || isBroken) {
        const reason = isBroken ? 'invalid data' : 'invalid section header';
        this.fail(`failed to get section #${index} (${name}) data from ${object.name}: ${reason}`);
      }
      added.name = name;
      added.data = data;
      this.sort(added);
    }
    this.check();
    return object;
  }

  private fail(text?: string, errno: 'EINVAL' | 'EOPNOTSUPP' = 'EINVAL'): never {
    return this.messages.fail(errno, text);
  }

  /** Notes what a section is for. */
  private sort(section: SourceSection): void {
    if (isIgnored(section)) {
      section.skipped = true;
      return;
    }
    switch (section.type) {
      case SHT.SYMTAB:
        if (this.symtab) this.fail('multiple SYMTAB sections found, not supported', 'EOPNOTSUPP');
        this.symtab = section.index;
        break;
      case SHT.PROGBITS:
        if (section.name === '.BTF') this.openBtf(section);
        else if (section.name === '.BTF.ext') this.openExt(section);
        break;
      case SHT.NOBITS:
      case SHT.REL:
        break;
      default:
        this.fail(`unrecognized section #${section.index} (${section.name}) in ${this.object.name}`);
    }
  }

  private openBtf(section: SourceSection): void {
    const { messages, object } = this;
    section.skipped = true;
    try {
      object.btf = parseObjectBtf(section.data);
      object.types = TypePool.from(object.btf);
    } catch (error) {
      if (!(error instanceof BtfError)) throw error;
      if (error.warned) messages.decoded.warn(error.message);
      else messages.decoded.debug(() => error.message);
      messages.fail(error.errno, `failed to parse .BTF from ${object.name}: ${errstr(error.errno)}`);
    }
  }

  private openExt(section: SourceSection): void {
    const { messages, object } = this;
    section.skipped = true;
    try {
      object.ext = readBtfExt(section.data, () => 0, messages.decoded);
    } catch (error) {
      if (!(error instanceof BtfExtError)) throw error;
      messages.fail(error.errno, `failed to parse .BTF.ext from '${object.name}': ${errstr(error.errno)}`);
    }
  }

  /** Rule: libbpf 1.8, linker_sanity_check_elf and what follows it. */
  private check(): void {
    const { elf, object } = this;
    if (!this.symtab) this.fail(`ELF is missing SYMTAB section in ${object.name}`);
    if (!elf.namesSection) this.fail(`ELF is missing section headers STRTAB section in ${object.name}`);
    for (const section of object.sections.slice(1)) this.checkSection(section);
    if (object.types) {
      for (let id = 1; id < object.types.count; id++) {
        try {
          object.types.length(id);
        } catch {
          this.fail();
        }
      }
    }
    if (object.ext) this.checkExt(object.ext);
  }

  private checkSection(section: SourceSection): void {
    const { index, name, align, type } = section;
    const file = this.object.name;
    if (name === '') this.fail(`ELF section #${index} has empty name in ${file}`);
    if (isDwarf(name)) return;
    if (align & (align - 1n)) {
      this.fail(`ELF section #${index} alignment ${align} is non pow-of-2 alignment in ${file}`);
    }
    const possible = alignmentAt(this.elf.headers[index].offset, align);
    if (possible !== align) {
      this.fail(`ELF section #${index} has inconsistent alignment addr=${align} != d=${possible} in ${file}`);
    }
    switch (type) {
      case SHT.SYMTAB:
        this.checkSymtab(section);
        break;
      case SHT.PROGBITS:
        if (section.flags & BigInt(SHF.EXECINSTR) && section.size % INSN_BYTES) {
          this.fail(`ELF section #${index} has unexpected size alignment ${section.size} in ${file}`);
        }
        break;
      case SHT.REL:
        this.checkRelocations(section);
        break;
      case SHT.STRTAB:
      case SHT.NOBITS:
      case SHT.LLVM_ADDRSIG:
        break;
      default:
        this.fail(`ELF section #${index} (${name}) has unrecognized type ${type} in ${file}`);
    }
  }

  private checkSymtab(section: SourceSection): void {
    const { object } = this;
    const { index, link } = section;
    if (section.entsize !== SYM_BYTES || section.size % SYM_BYTES) this.fail();
    const strings = object.sections[link];
    if (!link || !strings) {
      this.fail(`ELF SYMTAB section #${index} points to missing STRTAB section #${link} in ${object.name}`);
    }
    if (strings.type !== SHT.STRTAB) {
      this.fail(`ELF SYMTAB section #${index} points to invalid STRTAB section #${link} in ${object.name}`);
    }
    object.symbols = readSymbols(section.data, object.littleEndian);
    object.symbolNames = strings.data;
    for (const [i, symbol] of object.symbols.entries()) this.checkSymbol(section, symbol, i);
  }

  private checkSymbol({ index }: SourceSection, symbol: RawSymbol, i: number): void {
    const { object } = this;
    const bind = bindOf(symbol);
    const visibility = visibilityOf(symbol);
    const hasValue = symbol.value !== 0n || symbol.size !== 0n;
    if (i === 0) {
      if (symbol.nameOffset || symbol.info || symbol.other || symbol.section || hasValue) {
        this.fail(`ELF sym #0 is invalid in ${object.name}`);
      }
      return;
    }
    if (bind !== STB.LOCAL && bind !== STB.GLOBAL && bind !== STB.WEAK) {
      this.fail(`ELF sym #${i} in section #${index} has unsupported symbol binding ${bind}`);
    }
    if (visibility !== STV.DEFAULT && visibility !== STV.HIDDEN) {
      this.fail(`ELF sym #${i} in section #${index} has unsupported symbol visibility ${visibility}`);
    }
    if (symbol.section === SHN.UNDEF) {
      if (typeOf(symbol) !== STT.NOTYPE || bind === STB.LOCAL || hasValue) {
        this.fail(`ELF sym #${i} is invalid extern symbol in ${object.name}`);
      }
      return;
    }
    if (symbol.section < SHN.LORESERVE && symbol.section >= object.sections.length) {
      this.fail(`ELF sym #${i} in section #${index} points to missing section #${symbol.section} in ${object.name}`);
    }
    if (typeOf(symbol) === STT.SECTION && symbol.value !== 0n) this.fail();
  }

  private checkRelocations(section: SourceSection): void {
    const { object } = this;
    const { index, link, info, name } = section;
    const file = object.name;
    if (section.entsize !== REL_BYTES || section.size % REL_BYTES) this.fail();
    if (link !== this.symtab) {
      this.fail(`ELF relo section #${index} points to invalid SYMTAB section #${link} in ${file}`);
    }
    const target = object.sections[info];
    if (!info || !target) this.fail(`ELF relo section #${index} points to missing section #${info} in ${file}`);
    if (name !== `.rel${target.name}`) this.fail(`ELF relo section #${index} name has invalid name in ${file}`);
    if (target.skipped) return;
    if (target.type !== SHT.PROGBITS && target.type !== SHT.NOBITS) {
      this.fail(`ELF relo section #${index} points to invalid section #${info} in ${file}`);
    }
    const isCode = (target.flags & BigInt(SHF.EXECINSTR)) !== 0n;
    const symtabSize = object.sections[this.symtab].size;
    for (const [i, { offset, symbol, type }] of readRelocations(section.data, object.littleEndian).entries()) {
      if (!RELOCATION_TYPES.includes(type)) {
        this.fail(`ELF relo #${i} in section #${index} has unexpected type ${type} in ${file}`);
      }
      if (!symbol || symbol * SYM_BYTES >= symtabSize) {
        this.fail(`ELF relo #${i} in section #${index} points to invalid symbol #${symbol} in ${file}`);
      }
      if (isCode && offset % BigInt(INSN_BYTES)) {
        this.fail(`ELF relo #${i} in section #${index} points to missing symbol #${symbol} in ${file}`);
      }
    }
  }

  /** Types and strings that records refer to must exist. */
  private checkExt({ funcInfo, lineInfo, coreRelos }: BtfExt): void {
    const { btf } = this.object;
    if (!btf) this.fail();
    const word = (bytes: Uint8Array, at: number): number => viewOf(bytes).getUint32(at, true);
    const checkWord = (table: ExtTable, at: number, end: number): void => {
      for (const { bytes } of table.groups) {
        for (let p = at; p < bytes.length; p += table.recSize) if (word(bytes, p) >= end) this.fail();
      }
    };
    for (const table of [funcInfo, lineInfo, coreRelos]) {
      if (table.groups.some(({ nameOffset }) => nameOffset >= btf.stringEnd)) this.fail();
    }
    checkWord(funcInfo, 4, btf.count);
    checkWord(coreRelos, 4, btf.count);
    checkWord(lineInfo, 4, btf.stringEnd);
    checkWord(lineInfo, 8, btf.stringEnd);
    checkWord(coreRelos, 8, btf.stringEnd);
  }
}

/**
 * Opens an object to be linked; `name` is for messages, one character a byte. Throws ObjectError.
 * Rule: libbpf 1.8, linker.c, with its sentences.
 */
export const openSource = (
  bytes: Uint8Array,
  name: string,
  messages: LinkerMessages,
  output: { littleEndian: boolean | undefined },
): SourceObject => {
  messages.debug(`linker: adding object file '${name}'...`);
  const elf = readRawElf(bytes);
  if (!elf) return messages.fail('EINVAL', `failed to get ELF header for ${name}: invalid \`Elf' handle`);
  if (!elf.is64) return messages.fail('EINVAL', `failed to get ELF header for ${name}: invalid binary class`);
  if (output.littleEndian === undefined) {
    output.littleEndian = elf.littleEndian;
    messages.debug(`linker: set ${elf.littleEndian ? 'little' : 'big'}-endian output byte order`);
  } else if (output.littleEndian !== elf.littleEndian) {
    messages.fail('EOPNOTSUPP', `byte order mismatch with ELF file ${name}`);
  }
  if (elf.type !== ET.REL || elf.machine !== EM.BPF) {
    messages.fail('EOPNOTSUPP', `unsupported kind of ELF file ${name}: no error`);
  }
  return new Loader(elf, name, messages).load();
};

/** Name of a symbol; undefined when it lies outside of the string table. */
export const symbolName = (object: SourceObject, symbol: RawSymbol): string | undefined =>
  bytesAt(object.symbolNames, symbol.nameOffset);

/** The first section of that name. */
export const sectionByName = (object: SourceObject, name: string): SourceSection | undefined =>
  object.sections.find((section, i) => i > 0 && section.name === name);
