// Relocations of program code: what each one refers to, found out before any kernel is asked.
import { SHN, STB, STT } from '../elf/constants.ts';
import type { ElfReloc, ElfSection, ElfSymbol } from '../elf/elf.ts';
import { INSN_BYTES, type Insn, LDIMM64 } from '../isa/insn.ts';
import { CALL_KIND, CLASS, JMP } from '../isa/opcode.ts';
import { isExtern, type ObjectFile, sectionData, symbolName } from './elf-collect.ts';
import { LIBBPF_ERRNO, ObjectError } from './errors.ts';
import { type ExternSpec, type MapKind, type MapSpec, type ProgramSpec, RELOC, type RelocSpec } from './spec.ts';

export const CALL_CODE = CLASS.JMP | JMP.CALL;

/** Index of the program that holds instruction `insn` of a section; -1 when none does. The list must be sorted. */
export function findProgram(programs: readonly ProgramSpec[], section: number, insn: number): number {
  let low = 0;
  let high = programs.length - 1;
  if (high < 0) return -1;
  while (low < high) {
    const middle = low + Math.floor((high - low + 1) / 2);
    const program = programs[middle];
    const before = program.sectionIndex < section || (program.sectionIndex === section && program.start <= insn);
    if (before) low = middle;
    else high = middle - 1;
  }
  const program = programs[low];
  const inside =
    program.sectionIndex === section && insn >= program.start && insn < program.start + program.insns.length;
  return inside ? low : -1;
}

/** Sorts by instruction, then by kind, as libbpf does. */
export const sortRelocs = (relocs: RelocSpec[]): RelocSpec[] =>
  relocs.sort((a, b) => a.insn - b.insn || a.type - b.type);

/** What relocations may refer to. */
export interface RelocTargets {
  programs: ProgramSpec[];
  maps: readonly MapSpec[];
  externs: readonly ExternSpec[];
  arenaMap: number;
}

const reloc = (type: number, insn: number): RelocSpec => ({ type, insn, map: -1, offset: 0, extern: -1, size: 0 });

/** Adds the relocations of one code section to its programs; throws ObjectError. Rule: libbpf 1.8. */
export function programRelocs(
  file: ObjectFile,
  targets: RelocTargets,
  relocSection: ElfSection,
  relocs: readonly ElfReloc[],
): void {
  const { messages, elf } = file;
  const section = elf.sections[relocSection.info];
  const bytes = sectionData(file, section).length;
  const refuse: (text: string) => never = (text) => {
    messages.warn(`sec '${relocSection.name}': ${text}`);
    throw new ObjectError(LIBBPF_ERRNO.FORMAT);
  };
  messages.debug(
    () => `sec '${relocSection.name}': collecting relocation for section(${section.index}) '${section.name}'`,
  );
  relocs.forEach((entry, i) => {
    const symbol = file.symbols[entry.symbol];
    if (!symbol) refuse(`symbol #${entry.symbol} not found for relo #${i}`);
    if (symbol.section >= elf.sections.length) {
      refuse(`corrupted symbol #${entry.symbol} pointing to invalid section #${symbol.section} for relo #${i}`);
    }
    if (entry.offset % BigInt(INSN_BYTES) || entry.offset >= BigInt(bytes)) {
      refuse(`invalid offset 0x${entry.offset.toString(16)} for relo #${i}`);
    }
    const insn = Number(entry.offset) / INSN_BYTES;
    const isSection = symbol.type === STT.SECTION && symbol.nameOffset === 0;
    const name = isSection ? elf.sections[symbol.section].name : (symbolName(file, symbol) ?? '<?');
    messages.debug(() => `sec '${relocSection.name}': relo #${i}: insn #${insn} against '${name}'`);
    const index = findProgram(targets.programs, section.index, insn);
    if (index < 0) {
      messages.debug(
        () =>
          `sec '${relocSection.name}': relo #${i}: couldn't find program in section '${section.name}' for ` +
          `insn #${insn}, probably overridden weak function, skipping...`,
      );
      return;
    }
    const program = targets.programs[index];
    program.relocs.push(resolve(file, targets, program, insn - program.start, symbol, name));
  });
}

const isLdImm64 = (insn: Insn): boolean => insn.code === LDIMM64;

function isSubprogram(symbol: ElfSymbol, text: number): boolean {
  if (symbol.section !== text) return false;
  if (symbol.bind === STB.LOCAL && symbol.type === STT.SECTION) return true;
  return (symbol.bind === STB.GLOBAL || symbol.bind === STB.WEAK) && symbol.type === STT.FUNC;
}

function resolve(
  file: ObjectFile,
  targets: RelocTargets,
  program: ProgramSpec,
  at: number,
  symbol: ElfSymbol,
  name: string,
): RelocSpec {
  const { messages, elf } = file;
  const { maps } = targets;
  const insn = program.insns[at];
  const refuse: (text: string) => never = (text) => {
    messages.warn(`prog '${program.name}': ${text}`);
    throw new ObjectError(LIBBPF_ERRNO.RELOC);
  };
  const isCall = insn.code === CALL_CODE;
  // The second half of a 64-bit load must be there to be filled in.
  if (!isCall && (!isLdImm64(insn) || program.insns[at + 1] === undefined)) {
    refuse(`invalid relo against '${name}' for insns[${at}].code 0x${insn.code.toString(16)}`);
  }
  if (isExtern(symbol)) {
    const index = targets.externs.findIndex((e) => e.symbol === symbol.index);
    if (index < 0) refuse(`extern relo failed to find extern for '${name}' (${symbol.index})`);
    const extern = targets.externs[index];
    messages.debug(
      () => `prog '${program.name}': found extern #${index} '${extern.name}' (sym ${extern.symbol}) for insn #${at}`,
    );
    return { ...reloc(isCall ? RELOC.EXTERN_CALL : RELOC.EXTERN_LD64, at), extern: index };
  }
  const value = Number(symbol.value & 0xffffffffn);
  const sectionName = elf.sections[symbol.section].name;
  if (isCall) {
    if (insn.src !== CALL_KIND.PSEUDO) refuse('incorrect bpf_call opcode');
    if (symbol.section === 0 || symbol.section !== file.textSection) {
      refuse(`bad call relo against '${name}' in section '${sectionName}'`);
    }
    if (value % INSN_BYTES) refuse(`bad call relo against '${name}' at offset ${symbol.value}`);
    return { ...reloc(RELOC.CALL, at), offset: value };
  }
  if (symbol.section === 0 || symbol.section >= SHN.LORESERVE) {
    refuse(
      `invalid relo against '${name}' in special section 0x${symbol.section.toString(16)}; ` +
        'forgot to initialize global var?..',
    );
  }
  if (file.textSection !== 0 && isSubprogram(symbol, file.textSection)) {
    if (value % INSN_BYTES || insn.imm % INSN_BYTES) {
      refuse(`bad subprog addr relo against '${name}' at offset ${symbol.value}+${insn.imm}`);
    }
    return { ...reloc(RELOC.SUBPROG_ADDR, at), offset: value };
  }
  if (symbol.section === file.arenaSection) {
    if (targets.arenaMap < 0) refuse(`bad arena data relocation at insn ${at}, no arena maps defined`);
    const arena = maps[targets.arenaMap];
    messages.debug(
      () =>
        `prog '${program.name}': found arena map ${targets.arenaMap} (${arena.name}, sec ${arena.sectionIndex}, ` +
        `off ${arena.sectionOffset}) for insn ${at}`,
    );
    return { ...reloc(RELOC.DATA, at), map: targets.arenaMap, offset: value };
  }
  if (symbol.section === file.jumpTablesSection) {
    return { ...reloc(RELOC.INSN_ARRAY, at), offset: value, size: Number(symbol.size & 0x7fffffffn) };
  }
  const kind = dataKind(file, symbol.section);
  if (kind === undefined) {
    if (symbol.section !== file.mapsSection) {
      refuse(`bad map relo against '${name}' in section '${sectionName}'`);
    }
    const index = maps.findIndex(
      (m) => m.kind === 'user' && m.sectionIndex === symbol.section && BigInt(m.sectionOffset) === symbol.value,
    );
    if (index < 0) {
      refuse(`map relo failed to find map for section '${sectionName}', off ${symbol.value}`);
    }
    const map = maps[index];
    messages.debug(
      () =>
        `prog '${program.name}': found map ${index} (${map.name}, sec ${map.sectionIndex}, ` +
        `off ${map.sectionOffset}) for insn #${at}`,
    );
    return { ...reloc(RELOC.MAP, at), map: index };
  }
  // A symbol of the symbol table itself would be taken for kconfig, which has no section.
  if (kind === 'kconfig') refuse(`bad data relo against section '${sectionName}'`);
  const index = maps.findIndex((m) => m.kind === kind && m.sectionIndex === symbol.section);
  if (index < 0) refuse(`data relo failed to find map for section '${sectionName}'`);
  const map = maps[index];
  messages.debug(
    () =>
      `prog '${program.name}': found data map ${index} (${map.name}, sec ${map.sectionIndex}, ` +
      `off ${map.sectionOffset}) for insn ${at}`,
  );
  return { ...reloc(RELOC.DATA, at), map: index, offset: value };
}

function dataKind(file: ObjectFile, section: number): MapKind | undefined {
  if (section === file.symtab.index) return 'kconfig';
  const role = file.roles[section];
  return role === 'data' || role === 'rodata' || role === 'bss' ? role : undefined;
}
