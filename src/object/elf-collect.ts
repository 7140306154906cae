// First step of opening an object: which section of the ELF file is what, and where its programs begin and end.
import { type Btf, BtfError } from '../btf/btf.ts';
import { EM, ET, REL_BYTES, SHF, SHN, SHT, STB, STT, STV } from '../elf/constants.ts';
import { ElfError, type ElfFile, type ElfSection, type ElfSymbol, elfKind, readElf } from '../elf/elf.ts';
import { ELF_FAULT } from '../elf/errors.ts';
import { decodeInsns, INSN_BYTES } from '../isa/insn.ts';
import { type BtfExt, BtfExtError, readBtfExt } from './btf-ext.ts';
import { parseObjectBtf } from './btf-words.ts';
import { errstr, LIBBPF_ERRNO, ObjectError } from './errors.ts';
import type { Messages } from './print.ts';
import type { ProgramSpec } from './spec.ts';

/** What a section means to libbpf. */
export type SectionRole = 'data' | 'rodata' | 'bss' | 'struct_ops' | 'relocations';

/** An ELF file sorted out. */
export interface ObjectFile {
  path: string;
  messages: Messages;
  elf: ElfFile;
  symtab: ElfSection;
  symbols: readonly ElfSymbol[];
  /** By section number. */
  roles: (SectionRole | undefined)[];
  license: string;
  kernVersion: number | undefined;
  programs: ProgramSpec[];
  /** Bytes of code in `programs`. */
  codeBytes: number;
  textSection: number;
  /** Section number of .maps, -1 when there is none. */
  mapsSection: number;
  arenaSection: number;
  jumpTablesSection: number;
  hasStructOps: boolean;
  btfBytes: Uint8Array | undefined;
  btfExtBytes: Uint8Array | undefined;
}

const LICENSE_BYTES = 63;
/** The text of all programs together may exceed the file this many times, since symbols may share code. */
const MAX_CODE_FACTOR = 4;

const STRUCT_OPS_SECTIONS: ReadonlySet<string> = new Set([
  '.struct_ops',
  '.struct_ops.link',
  '?.struct_ops',
  '?.struct_ops.link',
]);

const isOrBegins = (name: string, stem: string): boolean => name === stem || name.startsWith(`${stem}.`);

/** Debugging sections and other things that no loader needs. */
function ignored(section: ElfSection): boolean {
  // Even a name that does not matter has to be there.
  const { name } = section;
  if (section.type === SHT.STRTAB || section.type === SHT.LLVM_ADDRSIG) return true;
  if (section.type === SHT.PROGBITS && section.size === 0 && name === '.text') return true;
  if (name.startsWith('.debug_')) return true;
  if (!name.startsWith('.rel')) return false;
  const target = name.slice(4);
  return target.startsWith('.debug_') || target === '.BTF' || target === '.BTF.ext';
}

/** Opens the ELF file; throws ObjectError with the reason printed. */
function openElf(bytes: Uint8Array, path: string, messages: Messages): ElfFile {
  const refuse: (text: string, errno?: number) => never = (text, errno = LIBBPF_ERRNO.FORMAT) => {
    messages.warn(text);
    throw new ObjectError(errno);
  };
  const orRefuse = <T>(text: string, read: () => T, errno?: number): T => {
    try {
      return read();
    } catch (error) {
      if (error instanceof ElfError) return refuse(`${text}: ${error.message}`, errno);
      throw error;
    }
  };
  if (elfKind(bytes) !== 'elf') refuse(`elf: '${path}' is not a proper ELF object`);
  const elf = orRefuse(`elf: failed to open ${path} as ELF file`, () => readElf(bytes), LIBBPF_ERRNO.LIBELF);
  if (!elf.is64) refuse(`elf: '${path}' is not a 64-bit ELF object`);
  const names = orRefuse(`elf: failed to get section names section index for ${path}`, () => elf.namesSection);
  const noNames = `elf: failed to get section names strings from ${path}`;
  const holder = elf.sections[names] ?? refuse(`${noNames}: ${ELF_FAULT.HANDLE}`);
  orRefuse(noNames, () => holder.data);
  if (elf.type !== ET.REL || (elf.machine !== EM.NONE && elf.machine !== EM.BPF)) {
    refuse(`elf: ${path} is not a valid eBPF object file`);
  }
  return elf;
}

/** Name of a symbol; undefined after saying that it cannot be had. */
export function symbolName(file: { path: string; messages: Messages }, symbol: ElfSymbol): string | undefined {
  try {
    return symbol.name;
  } catch (error) {
    if (!(error instanceof ElfError)) throw error;
    file.messages.warn(nameFault(file.path, error));
    return undefined;
  }
}

/** libbpf's sentence for a name that cannot be had, be it of a section or a symbol. */
export const nameFault = (path: string, { stringOffset, message }: ElfError): string =>
  `elf: failed to get section name string at offset ${stringOffset} from ${path}: ${message}`;

/** Contents of a section; throws ObjectError. */
export function sectionData(file: { elf: ElfFile; path: string; messages: Messages }, section: ElfSection): Uint8Array {
  try {
    return section.data;
  } catch (error) {
    if (!(error instanceof ElfError)) throw error;
    file.messages.warn(
      `elf: failed to get section(${section.index}) ${section.name} data from ${file.path}: ${error.message}`,
    );
    throw new ObjectError(LIBBPF_ERRNO.FORMAT);
  }
}

function findSymbols(elf: ElfFile, path: string, messages: Messages): ElfSection {
  let found: ElfSection | undefined;
  for (const section of elf.sections) {
    if (section.index === 0 || section.type !== SHT.SYMTAB) continue;
    if (found) {
      messages.warn(`elf: multiple symbol tables in ${path}`);
      throw new ObjectError(LIBBPF_ERRNO.FORMAT);
    }
    sectionData({ elf, path, messages }, section);
    found = section;
  }
  if (!found) {
    messages.warn(`elf: couldn't find symbol table in ${path}, stripped object file?`);
    throw new ObjectError('ENOENT');
  }
  return found;
}

/** Reads the sections of an object as libbpf 1.8 does; throws ObjectError. */
export function collectElf(bytes: Uint8Array, path: string, messages: Messages): ObjectFile {
  const elf = openElf(bytes, path, messages);
  const symtab = findSymbols(elf, path, messages);
  let symbols: readonly ElfSymbol[];
  try {
    symbols = elf.symbols(symtab);
  } catch (error) {
    if (!(error instanceof ElfError)) throw error;
    messages.warn(`elf: failed to get section(${symtab.index}) ${symtab.name} data from ${path}: ${error.message}`);
    throw new ObjectError(LIBBPF_ERRNO.FORMAT);
  }
  const file: ObjectFile = {
    path,
    messages,
    elf,
    symtab,
    symbols,
    roles: new Array(elf.sections.length).fill(undefined),
    license: '',
    kernVersion: undefined,
    programs: [],
    codeBytes: 0,
    textSection: 0,
    mapsSection: -1,
    arenaSection: 0,
    jumpTablesSection: 0,
    hasStructOps: false,
    btfBytes: undefined,
    btfExtBytes: undefined,
  };
  for (const section of elf.sections) {
    if (section.index > 0 && !ignored(section)) classify(file, section);
  }
  if (symtab.link === 0 || symtab.link >= elf.sections.length) {
    messages.warn(`elf: symbol strings section missing or invalid in ${path}`);
    throw new ObjectError(LIBBPF_ERRNO.FORMAT);
  }
  if (!elf.littleEndian) messages.debug(() => `converted ${file.programs.length} BPF programs to native byte order`);
  file.programs.sort((a, b) => a.sectionIndex - b.sectionIndex || a.start - b.start);
  // .text may have been found only after other sections were read.
  for (const program of file.programs) {
    program.subprogram = file.textSection !== 0 && program.sectionIndex === file.textSection;
  }
  return file;
}

function classify(file: ObjectFile, section: ElfSection): void {
  const { messages, roles } = file;
  const { name, index } = section;
  const data = sectionData(file, section);
  const size = section.type === SHT.NOBITS ? section.size : data.length;
  messages.debug(
    () =>
      `elf: section(${index}) ${name}, size ${size}, link ${section.link | 0}, ` +
      `flags ${section.wideFlags.toString(16)}, type=${section.type | 0}`,
  );
  switch (name) {
    case 'license':
      readLicense(file, data);
      return;
    case 'version':
      readVersion(file, data);
      return;
    case 'maps':
      messages.warn("elf: legacy map definitions in 'maps' section are not supported by libbpf v1.0+");
      throw new ObjectError('EOPNOTSUPP');
    case '.maps':
      file.mapsSection = index;
      return;
    case '.BTF':
    case '.BTF.ext':
      if (section.type !== SHT.PROGBITS) throw new ObjectError(LIBBPF_ERRNO.FORMAT);
      if (name === '.BTF') file.btfBytes = data;
      else file.btfExtBytes = data;
      return;
  }
  if (section.type === SHT.SYMTAB) return;
  if (section.type === SHT.PROGBITS && data.length > 0) {
    if (section.flags & SHF.EXECINSTR) {
      if (name === '.text') file.textSection = index;
      addPrograms(file, section, data);
    } else if (isOrBegins(name, '.data')) roles[index] = 'data';
    else if (isOrBegins(name, '.rodata')) roles[index] = 'rodata';
    else if (STRUCT_OPS_SECTIONS.has(name)) {
      roles[index] = 'struct_ops';
      file.hasStructOps = true;
    } else if (name === '.addr_space.1') file.arenaSection = index;
    else if (name === '.jumptables') file.jumpTablesSection = index;
    else messages.info(`elf: skipping unrecognized data section(${index}) ${name}`);
  } else if (section.type === SHT.REL) {
    const target = file.elf.sections[section.info];
    if (section.entsize !== REL_BYTES || target === undefined) throw new ObjectError(LIBBPF_ERRNO.FORMAT);
    const wanted = name.startsWith('.rel') && (name === '.rel.maps' || STRUCT_OPS_SECTIONS.has(name.slice(4)));
    if (!(target.flags & SHF.EXECINSTR) && !wanted) {
      messages.info(`elf: skipping relo section(${index}) ${name} for section(${section.info}) ${target.name}`);
      return;
    }
    roles[index] = 'relocations';
  } else if (section.type === SHT.NOBITS && isOrBegins(name, '.bss')) {
    roles[index] = 'bss';
  } else {
    messages.info(`elf: skipping section(${index}) ${name} (size ${section.size})`);
  }
}

function readLicense(file: ObjectFile, data: Uint8Array): void {
  if (data.length === 0) {
    file.messages.warn(`invalid license section in ${file.path}`);
    throw new ObjectError(LIBBPF_ERRNO.FORMAT);
  }
  const end = data.indexOf(0);
  const text = data.subarray(0, Math.min(end < 0 ? data.length : end, LICENSE_BYTES));
  file.license = new TextDecoder().decode(text);
  file.messages.debug(() => `license of ${file.path} is ${file.license}`);
}

function readVersion(file: ObjectFile, data: Uint8Array): void {
  if (data.length !== 4) {
    file.messages.warn(`invalid kver section in ${file.path}`);
    throw new ObjectError(LIBBPF_ERRNO.FORMAT);
  }
  file.kernVersion = new DataView(data.buffer, data.byteOffset).getUint32(0, true);
  file.messages.debug(() => `kernel version of ${file.path} is ${file.kernVersion?.toString(16)}`);
}

function addPrograms(file: ObjectFile, section: ElfSection, data: Uint8Array): void {
  const { messages } = file;
  for (const symbol of file.symbols) {
    if (symbol.section !== section.index || symbol.type !== STT.FUNC) continue;
    const start = Number(symbol.value);
    const size = Number(symbol.size);
    const name = symbolName(file, symbol);
    if (name === undefined) {
      messages.warn(`sec '${section.name}': failed to get symbol name for offset ${symbol.value}`);
      throw new ObjectError(LIBBPF_ERRNO.FORMAT);
    }
    if (!(start + size <= data.length)) {
      messages.warn(`sec '${section.name}': program at offset ${symbol.value} crosses section boundary`);
      throw new ObjectError(LIBBPF_ERRNO.FORMAT);
    }
    if (section.index !== file.textSection && symbol.bind === STB.LOCAL) {
      messages.warn(`sec '${section.name}': program '${name}' is static and not supported`);
      throw new ObjectError('EOPNOTSUPP');
    }
    messages.debug(
      () =>
        `sec '${section.name}': found program '${name}' at insn offset ${Math.floor(start / INSN_BYTES)} ` +
        `(${start} bytes), code size ${Math.floor(size / INSN_BYTES)} insns (${size} bytes)`,
    );
    if (size === 0 || size % INSN_BYTES || start % INSN_BYTES) {
      messages.warn(`sec '${section.name}': corrupted program '${name}', offset ${start}, size ${size}`);
      throw new ObjectError('EINVAL');
    }
    const optional = section.name.startsWith('?');
    const global = symbol.bind !== STB.LOCAL;
    file.programs.push({
      name,
      section: optional ? section.name.slice(1) : section.name,
      sectionIndex: section.index,
      start: start / INSN_BYTES,
      insns: decodeInsns(data.subarray(start, start + size), file.elf.littleEndian),
      relocs: [],
      subprogram: false,
      global,
      markStatic: global && (symbol.visibility === STV.HIDDEN || symbol.visibility === STV.INTERNAL),
      autoload: !optional,
      rule: undefined,
      type: 0,
      expectedAttachType: 0,
      flags: 0,
      ifindex: 0,
      attachProgFd: 0,
      attachBtfId: 0,
      attachBtfObjFd: 0,
    });
    file.codeBytes += size;
    if (file.codeBytes > file.elf.bytes.length * MAX_CODE_FACTOR) {
      messages.warn(`sec '${section.name}': programs overlap beyond reason`);
      throw new ObjectError(LIBBPF_ERRNO.FORMAT);
    }
  }
}

/** An undefined symbol that something outside of the object has to provide. */
export const isExtern = (symbol: ElfSymbol): boolean =>
  symbol.section === SHN.UNDEF &&
  (symbol.bind === STB.GLOBAL || symbol.bind === STB.WEAK) &&
  symbol.type === STT.NOTYPE;

/** Opens .BTF and .BTF.ext; throws ObjectError when they are needed and cannot be had. Pointers are 8 bytes. */
export function openBtf(file: ObjectFile): { btf: Btf | undefined; btfExt: BtfExt | undefined } {
  const { messages, elf } = file;
  const needed = file.mapsSection >= 0 || file.hasStructOps;
  const missing = (errno: number): void => {
    if (!needed) return;
    messages.warn('BTF is required, but is missing or corrupted.');
    throw new ObjectError(errno);
  };
  let btf: Btf | undefined;
  if (file.btfBytes) {
    try {
      btf = parseObjectBtf(file.btfBytes);
    } catch (error) {
      if (!(error instanceof BtfError)) throw error;
      const { message, errno, warned } = error;
      if (warned) messages.warn(message);
      else messages.debug(() => message);
      messages.warn(`Error loading ELF section .BTF: ${errstr(errno)}.`);
      missing(errno);
      return { btf: undefined, btfExt: undefined };
    }
  }
  if (!btf) {
    if (file.btfExtBytes) {
      messages.debug(() => 'Ignore ELF section .BTF.ext because its depending ELF section .BTF is not found.');
    }
    missing(2);
    return { btf, btfExt: undefined };
  }
  const strings = btf;
  const sectionIndex = (nameOffset: number): number => {
    let name = '';
    try {
      name = strings.str(nameOffset);
    } catch (error) {
      if (!(error instanceof BtfError)) throw error;
    }
    return name === '' ? 0 : (elf.section(name)?.index ?? 0);
  };
  let btfExt: BtfExt | undefined;
  if (file.btfExtBytes) {
    try {
      btfExt = readBtfExt(file.btfExtBytes, sectionIndex, messages);
    } catch (error) {
      if (!(error instanceof BtfExtError)) throw error;
      messages.warn(`Error loading ELF section .BTF.ext: ${errstr(error.errno)}. Ignored and continue.`);
      missing(error.errno);
    }
  }
  return { btf, btfExt };
}
