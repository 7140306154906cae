// Function and line records and CO-RE relocations of objects, put together by section.
import type { BtfExt, ExtTable } from '../btf-ext.ts';
import type { LinkerMessages } from './linker-messages.ts';
import type { LinkerOutput } from './output.ts';
import type { ExtRecords, OutputSection } from './output-section.ts';
import { viewOf } from './raw-elf.ts';
import { type SourceObject, sectionByName } from './source.ts';

const MAGIC = 0xeb9f;
const HEADER_BYTES = 32;

type Part = 'funcInfo' | 'lineInfo' | 'coreRelos';

/** Which words of a record are a type id, and which ones offsets of strings; word 0 is the offset of the code. */
const PARTS: Readonly<Record<Part, { name: string; type?: number; strings: readonly number[] }>> = {
  funcInfo: { name: 'func_info', type: 1, strings: [] },
  lineInfo: { name: 'line_info', strings: [1, 2] },
  coreRelos: { name: 'core_relo', type: 1, strings: [2] },
};
const ORDER: readonly Part[] = ['funcInfo', 'lineInfo', 'coreRelos'];

const appendTable = (
  output: LinkerOutput,
  object: SourceObject,
  part: Part,
  table: ExtTable,
  messages: LinkerMessages,
): void => {
  const types = object.types;
  if (!types) return;
  const { type, strings } = PARTS[part];
  const known = new Map<number, number>();
  const string = (offset: number): number => {
    let now = known.get(offset);
    if (now === undefined) {
      now = output.types.addStr(types.str(offset));
      known.set(offset, now);
    }
    return now;
  };
  for (const group of table.groups) {
    const name = types.str(group.nameOffset);
    const section = sectionByName(object, name);
    if (!section) messages.fail('EINVAL', `can't find section '${name}' referenced from .BTF.ext`);
    const records = output.targetOf(section)[part];
    if (records.recSize === 0) records.recSize = table.recSize;
    if (records.recSize !== table.recSize) {
      messages.fail('EINVAL', `incompatible .BTF.ext record sizes for section '${name}'`);
    }
    const view = viewOf(group.bytes);
    for (let at = 0; at < group.bytes.length; at += table.recSize) {
      const start = records.words.length;
      for (let p = 0; p < table.recSize; p += 4) records.words.push(view.getInt32(at + p, true));
      records.words[start] = (records.words[start] + section.targetOffset) | 0;
      if (type !== undefined) records.words[start + type] = object.typeMap[records.words[start + type]];
      for (const word of strings) records.words[start + word] = string(records.words[start + word] >>> 0);
    }
  }
};

/** Appends the records of an object. Throws ObjectError. Rule: libbpf 1.8, linker_append_btf_ext. */
export const appendExt = (output: LinkerOutput, object: SourceObject, messages: LinkerMessages): void => {
  const ext: BtfExt | undefined = object.ext;
  if (!ext) return;
  for (const part of ORDER) appendTable(output, object, part, ext[part], messages);
};

interface Table {
  part: Part;
  recSize: number;
  groups: { records: ExtRecords; nameOffset: number }[];
}

/** Sections that have records of one kind. */
const collect = (sections: readonly OutputSection[], part: Part, messages: LinkerMessages): OutputSection[] => {
  const found = sections.filter((section) => section[part].words.length > 0);
  for (const section of found) {
    const expected = found[0][part].recSize;
    const { recSize } = section[part];
    if (recSize === expected) continue;
    messages.warn(`mismatch in ${PARTS[part].name} record size ${expected} != ${recSize}`);
    messages.fail('EINVAL', '.BTF.ext generation failed: -EINVAL');
  }
  return found;
};

/**
 * Adds names of sections to the strings of the result; afterwards `bytes` gives the section .BTF.ext, with types
 * renumbered. Undefined when there are no records. Throws ObjectError.
 */
export const finishExt = (
  output: LinkerOutput,
  messages: LinkerMessages,
): ((newId: (id: number) => number, littleEndian: boolean) => Uint8Array) | undefined => {
  const sections = output.sections.slice(1);
  const found = ORDER.map((part) => ({ part, sections: collect(sections, part, messages) }));
  if (found.every((entry) => entry.sections.length === 0)) return undefined;
  const tables: Table[] = found.map(({ part, sections }) => ({
    part,
    recSize: sections[0]?.[part].recSize ?? 0,
    groups: sections.map((section) => ({
      records: section[part],
      nameOffset: output.types.addStr(section.name),
    })),
  }));
  return (newId, littleEndian) => writeExt(tables, newId, littleEndian);
};

const writeExt = (tables: readonly Table[], newId: (id: number) => number, littleEndian: boolean): Uint8Array => {
  const words: number[] = [];
  const header: number[] = [HEADER_BYTES];
  for (const { part, recSize, groups } of tables) {
    const start = words.length;
    const { type } = PARTS[part];
    if (groups.length) words.push(recSize);
    for (const { records, nameOffset } of groups) {
      const step = recSize / 4;
      words.push(nameOffset, records.words.length / step);
      for (const [i, word] of records.words.entries()) words.push(i % step === type ? newId(word) : word);
    }
    header.push(start * 4, (words.length - start) * 4);
  }
  const out = new Uint8Array(HEADER_BYTES + words.length * 4);
  const view = viewOf(out);
  view.setUint16(0, MAGIC, littleEndian);
  out[2] = 1;
  for (const [i, word] of [...header, ...words].entries()) view.setInt32(4 + i * 4, word, littleEndian);
  return out;
};
