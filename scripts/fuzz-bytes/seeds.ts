// What is mutated: small object files and BTF data of the tests, with the places of their fields.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Btf, BtfError } from '../../src/btf/btf.ts';
import { parseBtfFile } from '../../src/btf/file.ts';
import { hasBtfMagic, readSections } from '../../src/btf/header.ts';
import { SHT } from '../../src/elf/constants.ts';
import { type ElfFile, type ElfSection, readElf } from '../../src/elf/elf.ts';
import type { Field, Role, Seed } from './mutate.ts';

const TESTDATA = fileURLToPath(new URL('../../testdata/', import.meta.url));
/** Larger inputs take longer and find no more. */
const MAX_BYTES = 6000;

/** Files below a folder of the test data, in a fixed order. */
const files = (ending: RegExp): string[] =>
  (readdirSync(TESTDATA, { recursive: true }) as string[])
    .filter((name) => ending.test(name) && !name.includes('damaged'))
    .sort()
    .map((name) => join(TESTDATA, name));

const fieldsFrom = (start: number, layout: readonly (readonly [bytes: Field['bytes'], role: Role])[]): Field[] => {
  let at = start;
  return layout.map(([bytes, role]) => {
    const field = { at, bytes, role };
    at += bytes;
    return field;
  });
};

const BTF_HEADER = fieldsFrom(0, [
  [2, 'word'],
  [1, 'word'],
  [1, 'word'],
  [4, 'size'],
  [4, 'offset'],
  [4, 'size'],
  [4, 'offset'],
  [4, 'size'],
]);

/** Fields of BTF data that begins at `start` of a file. */
const btfFields = (data: Uint8Array, btf: Btf, start: number): Field[] => {
  const fields = BTF_HEADER.map((field) => ({ ...field, at: field.at + start }));
  let at = start + readSections(data, btf.base !== undefined).types.start;
  for (let id = btf.firstId; id < btf.count; id++) {
    const layout = btf.layouts[btf.kind(id)];
    const words = btf.wordsOf(id).length;
    const isId = (i: number): boolean =>
      i === 2
        ? layout.reference === true
        : i > 2 + layout.info && (i - 3 - layout.info) % layout.element === layout.elementId;
    const isName = (i: number): boolean =>
      i > 2 + layout.info && (i - 3 - layout.info) % layout.element === layout.elementName;
    for (let i = 0; i < words; i++, at += 4) {
      const plain: Role = (layout.infoIds ?? []).includes(i - 3) || isId(i) ? 'id' : i === 2 ? 'size' : 'word';
      const role: Role = i === 0 || isName(i) ? 'name' : i === 1 ? 'info' : plain;
      fields.push({ at, bytes: 4, role });
    }
  }
  return fields;
};

const ELF_HEADER = fieldsFrom(16, [
  [2, 'kind'],
  [2, 'word'],
  [4, 'word'],
  [8, 'word'],
  [8, 'offset'],
  [8, 'offset'],
  [4, 'word'],
  [2, 'size'],
  [2, 'size'],
  [2, 'count'],
  [2, 'size'],
  [2, 'count'],
  [2, 'id'],
]);

const SECTION_HEADER: readonly (readonly [Field['bytes'], Role])[] = [
  [4, 'name'],
  [4, 'kind'],
  [8, 'word'],
  [8, 'word'],
  [8, 'offset'],
  [8, 'size'],
  [4, 'id'],
  [4, 'id'],
  [8, 'word'],
  [8, 'size'],
];

const SYMBOL: readonly (readonly [Field['bytes'], Role])[] = [
  [4, 'name'],
  [1, 'word'],
  [1, 'word'],
  [2, 'id'],
  [8, 'offset'],
  [8, 'size'],
];

const RELOCATION: readonly (readonly [Field['bytes'], Role])[] = [
  [8, 'offset'],
  [4, 'kind'],
  [4, 'id'],
];

const isPlainBtf = (section: ElfSection): boolean =>
  section.name === '.BTF' && section.type === SHT.PROGBITS && !section.isCompressed;

const sizeOf = (layout: readonly (readonly [number, Role])[]): number =>
  layout.reduce((sum, [bytes]) => sum + bytes, 0);

/** Fields of a 64-bit file. */
const elfFields = (bytes: Uint8Array, elf: ElfFile): Field[] => {
  const fields = [...ELF_HEADER];
  const table = elf.fields.wideNumber(40);
  elf.sections.forEach((section, i) => {
    fields.push(...fieldsFrom(table + i * sizeOf(SECTION_HEADER), SECTION_HEADER));
    const each = (layout: readonly (readonly [Field['bytes'], Role])[]): void => {
      const step = sizeOf(layout);
      for (let at = 0; at + step <= section.size; at += step) fields.push(...fieldsFrom(section.offset + at, layout));
    };
    if (section.type === SHT.SYMTAB) each(SYMBOL);
    else if (section.type === SHT.REL) each(RELOCATION);
    else if (section.name === '.BTF.ext') each([[4, 'size']]);
    else if (isPlainBtf(section)) {
      const data = bytes.subarray(section.offset, section.offset + section.size);
      fields.push(...btfFields(data, parseBtfFile(bytes, ''), section.offset));
    }
  });
  return fields;
};

export interface Seeds {
  objects: Seed[];
  types: Seed[];
  /** BTF under the split BTF among `types`. */
  base: Btf;
}

/** Object files of the test data that are small enough, and the BTF data in and beside them. */
export const loadSeeds = (): Seeds => {
  const objects: Seed[] = [];
  const types: Seed[] = [];
  const basePath = join(TESTDATA, 'btf/base.btf');
  const base = parseBtfFile(readFileSync(basePath), basePath);
  const addTypes = (name: string, data: Uint8Array): void => {
    if (data.length > MAX_BYTES) return;
    try {
      const btf = parseBtfFile(data, name, name.includes('split') ? base : undefined);
      const { littleEndian } = readSections(data, btf.base !== undefined);
      types.push({ name, bytes: data, littleEndian, fields: btfFields(data, btf, 0), ids: btf.count });
    } catch (error) {
      if (!(error instanceof BtfError)) throw error;
    }
  };
  for (const path of files(/\.btf$/)) addTypes(path.slice(TESTDATA.length), new Uint8Array(readFileSync(path)));
  for (const path of files(/\.o$/)) {
    const bytes = new Uint8Array(readFileSync(path));
    if (bytes.length > 3 * MAX_BYTES || hasBtfMagic(bytes)) continue;
    const name = path.slice(TESTDATA.length);
    const elf = readElf(bytes);
    const section = elf.section('.BTF');
    if (section && isPlainBtf(section)) addTypes(`${name} .BTF`, section.data.slice());
    if (bytes.length > MAX_BYTES || !elf.is64) continue;
    const { littleEndian } = elf;
    objects.push({ name, bytes, littleEndian, fields: elfFields(bytes, elf), ids: elf.sections.length });
  }
  return { objects, types, base };
};
