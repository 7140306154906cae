// What became of each source line: its instructions as loaded, as the verifier left them, and as machine code.
import { disasmInsn } from '../../isa/disasm.ts';
import { decodeInsns, type Insn } from '../../isa/insn.ts';
import type { ProgSource } from '../../syscall.ts';
import { type Disassemble, machineFunctions } from '../jited.ts';
import type { SourceLine } from '../xlated/program-lines.ts';
import { sourcePlace, sourceText } from '../xlated/source-line.ts';
import { prototypeReader, type XlatedProgram, xlatedNames, xlatedRows } from '../xlated.ts';

/** One instruction: its index, or its offset in the machine code of the function. */
export interface SourceInsn {
  at: number;
  text: string;
}

/** An instruction as it was loaded. */
export interface LoadedInsn extends SourceInsn {
  /** First translated slot that stands for it; -1: it was taken out. */
  becomes: number;
}

/** Instructions that come from one line record. */
export interface SourceGroup {
  /** Prototype of the function that begins here, else empty. */
  proto: string;
  /** Empty, with line 0, where the program has no line records. */
  source: string;
  file: string;
  line: number;
  column: number;
  bpf: LoadedInsn[];
  xlated: SourceInsn[];
  jited: SourceInsn[];
}

/** A group while it is filled; `start` is its first translated slot. */
type Open = SourceGroup & { start: number; record: SourceLine | undefined };

/** Names of calls and maps in the instructions as they were loaded. */
const loadedNames = {
  immName: (insn: Insn, next: Insn): string | undefined =>
    insn.src === 1 ? `map[id:${insn.imm}]` : insn.src === 2 ? `map[id:${insn.imm}][0]+${next.imm}` : undefined,
};

/**
 * Groups in the order of the translated program. Instructions that were taken out stay with what stood before them.
 * `source` is missing where a kernel does not keep what was loaded.
 */
export function sourceGroups(
  program: XlatedProgram,
  source: ProgSource | undefined,
  disassemble: Disassemble,
): SourceGroup[] {
  const groups = openGroups(program);
  if (groups.length === 0) return [];
  addXlated(program, groups);
  if (source) addLoaded(source, groups);
  addMachineCode(program, groups, disassemble);
  return groups.map(({ start: _, record: __, ...group }) => group);
}

/** The group that slot `at` of the translated program belongs to. */
function groupAt(groups: readonly Open[], at: number): Open {
  let low = 0;
  let high = groups.length;
  while (low + 1 < high) {
    const mid = (low + high) >> 1;
    if (groups[mid].start <= at) low = mid;
    else high = mid;
  }
  return groups[low];
}

function openGroups(program: XlatedProgram): Open[] {
  const { info, btf, lines } = program;
  const count = info.xlated.length >> 3;
  const records = new Map((lines?.records ?? []).map((record) => [record.insnOff, record]));
  const prototype = prototypeReader(program);
  const protos = new Map<number, string>();
  for (let i = 0; i < count; i++) {
    const proto = prototype(i);
    if (proto !== '') protos.set(i, proto);
  }
  const starts = new Set([0, ...records.keys(), ...protos.keys()].filter((at) => at < count));
  let record: SourceLine | undefined;
  return [...starts]
    .sort((a, b) => a - b)
    .map((start) => {
      record = records.get(start) ?? record;
      const place = record && btf ? sourcePlace(btf, record) : { file: '', line: 0, column: 0 };
      const text = record && btf ? sourceText(btf, record) : '';
      return { start, record, proto: protos.get(start) ?? '', source: text, ...place, bpf: [], xlated: [], jited: [] };
    });
}

function addXlated(program: XlatedProgram, groups: readonly Open[]): void {
  const names = xlatedNames(program);
  for (const { index, insn, next } of xlatedRows(decodeInsns(program.info.xlated))) {
    groupAt(groups, index).xlated.push({ at: index, text: disasmInsn(insn, next, names) });
  }
}

function addLoaded({ insns, origins }: ProgSource, groups: readonly Open[]): void {
  const first = new Map<number, number>();
  origins.forEach((origin, slot) => {
    if (origin >= 0 && !first.has(origin)) first.set(origin, slot);
  });
  let group = groups[0];
  for (const { index, insn, next } of xlatedRows(decodeInsns(insns))) {
    const becomes = first.get(index) ?? -1;
    if (becomes >= 0) group = groupAt(groups, becomes);
    group.bpf.push({ at: index, text: disasmInsn(insn, next, loadedNames), becomes });
  }
}

function addMachineCode(program: XlatedProgram, groups: readonly Open[], disassemble: Disassemble): void {
  const byRecord = new Map(groups.map((group) => [group.record, group]));
  const funcStarts = groups.filter((group) => group.proto !== '');
  for (const f of machineFunctions(program)) {
    let group = funcStarts[f.index] ?? groups[0];
    for (const insn of disassemble(f.code, f.address)) {
      const record = f.lines?.findAddress(f.address + BigInt(insn.offset), f.index, 0);
      group = byRecord.get(record ?? group.record) ?? group;
      group.jited.push({ at: insn.offset, text: insn.pieces.join('') });
    }
  }
}
