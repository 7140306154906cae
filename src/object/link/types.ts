// BTF of objects: fixed where the compiler could not know, and put together.

import type { TypePool } from '../../btf/dedup/pool.ts';
import { BTF_KIND, LINKAGE } from '../../btf/kinds.ts';
import { sizeOf } from '../../btf/layout.ts';
import { STT } from '../../elf/constants.ts';
import type { LinkerMessages } from './linker-messages.ts';
import { isNonStatic, linkageOf } from './match-types.ts';
import type { LinkerOutput } from './output.ts';
import { type RawSymbol, typeOf } from './raw-elf.ts';
import { type SourceObject, type SourceSection, sectionByName, symbolName } from './source.ts';
import { EXTERN_SECTION } from './symbols.ts';

/** A section that only BTF has. */
const ephemeralSection = (name: string): SourceSection => ({
  name,
  type: 0,
  flags: 0n,
  size: 0,
  link: 0,
  info: 0,
  align: 0n,
  entsize: 0,
  data: new Uint8Array(0),
  index: 0,
  skipped: false,
  ephemeral: true,
  target: undefined,
  targetOffset: 0,
  datasec: 0,
});

/** Word index of variable `i` of a DATASEC: type, offset, size. */
const variableAt = (types: TypePool, datasec: number, i: number): number => types.at[datasec] + 3 + i * 3;

/**
 * Ties each DATASEC to its section, which is made up where the file has none, and sets the offsets of global
 * variables, which compilers leave 0. Throws ObjectError. Rule: libbpf 1.8, linker_fixup_btf.
 */
export const fixTypes = (object: SourceObject, messages: LinkerMessages): void => {
  const { types } = object;
  if (!types) return;
  let objects: Map<string, RawSymbol> | undefined;
  const symbolOf = (section: SourceSection, name: string): RawSymbol | undefined => {
    if (!objects) {
      objects = new Map();
      for (const symbol of object.symbols) {
        if (typeOf(symbol) !== STT.OBJECT) continue;
        const key = `${symbol.section} ${symbolName(object, symbol) ?? ''}`;
        if (!objects.has(key)) objects.set(key, symbol);
      }
    }
    return objects.get(`${section.index} ${name}`);
  };
  for (let id = 1; id < types.count; id++) {
    if (types.kind(id) !== BTF_KIND.DATASEC) continue;
    const sectionName = types.name(id);
    let section = sectionByName(object, sectionName);
    if (!section) {
      if (sectionName === EXTERN_SECTION) continue;
      section = ephemeralSection(sectionName);
      object.sections.push(section);
    }
    section.datasec = id;
    for (let i = 0; i < types.vlen(id); i++) {
      const at = variableAt(types, id, i);
      const variable = types.words[at];
      if (types.kind(variable) !== BTF_KIND.VAR || linkageOf(types, variable) !== LINKAGE.GLOBAL) continue;
      const name = types.name(variable);
      const symbol = symbolOf(section, name);
      if (!symbol) {
        messages.fail('ENOENT', `failed to find symbol for variable '${name}' in section '${sectionName}'`);
      }
      types.words[at + 1] = Number(BigInt.asIntN(32, symbol.value));
    }
  }
};

/** Appends types other than DATASEC; those of known global symbols are not repeated. */
const appendPlainTypes = (output: LinkerOutput, object: SourceObject, types: TypePool): void => {
  const strings = { at: (offset: number): string => types.str(offset) };
  const known = new Map<number, number>();
  for (let id = 1; id < types.count; id++) {
    if (types.kind(id) === BTF_KIND.DATASEC) continue;
    const global = isNonStatic(types, id) ? output.findGlobal(types.name(id)) : undefined;
    if (isNonStatic(types, id)) {
      // Variables of sections that every object has the same of have no symbol.
      if (!global) continue;
      if (global.underlying === 0 && global.pending === 0) global.pending = types.type(id);
      if (global.type) {
        object.typeMap[id] = global.type;
        continue;
      }
    }
    const copy = output.types.copy(types, id, strings, known);
    object.typeMap[id] = copy;
    if (global) {
      global.type = copy;
      global.pending = types.type(id);
    }
  }
};

/** Appends the variables of a section, those of known global symbols once. */
const appendVariables = (
  output: LinkerOutput,
  object: SourceObject,
  types: TypePool,
  section: SourceSection,
  messages: LinkerMessages,
): void => {
  const target = output.targetOf(section);
  target.hasTypes = true;
  for (let i = 0; i < types.vlen(section.datasec); i++) {
    const at = variableAt(types, section.datasec, i);
    const id = object.typeMap[types.words[at]];
    const name = isNonStatic(output.types, id) ? output.types.name(id) : undefined;
    const global = name === undefined ? undefined : output.findGlobal(name);
    if (global && global.section !== target.id) {
      messages.fail('EINVAL', `global '${name}': section mismatch ${global.section} vs ${target.id}`);
    }
    if (global && global.variable >= 0) {
      if (output.types.kind(id) === BTF_KIND.FUNC) continue;
      const size = sizeOf(output.types, global.underlying);
      if (size < 0) {
        messages.fail('EINVAL', `global '${name}': failed to resolve size of underlying type: -22`);
      }
      target.variables[global.variable * 3 + 2] = size;
      continue;
    }
    if (global) global.variable = target.variables.length / 3;
    const offset = section.targetOffset + types.words[at + 1];
    target.variables.push(id, offset, types.words[at + 2]);
  }
};

/** Appends the BTF of an object. Throws ObjectError. Rule: libbpf 1.8, linker_append_btf. */
export const appendTypes = (output: LinkerOutput, object: SourceObject, messages: LinkerMessages): void => {
  const { types } = object;
  if (!types) return;
  const first = output.types.count;
  object.typeMap = new Int32Array(types.count);
  appendPlainTypes(output, object, types);
  const newId = (id: number): number => {
    const mapped = object.typeMap[id];
    if (mapped === 0 && id !== 0) {
      messages.fail('EINVAL', `failed to find new ID mapping for original BTF type ID ${id}`);
    }
    return mapped;
  };
  for (let id = first; id < output.types.count; id++) output.types.mapIds(id, newId);

  // A definition decides what an earlier extern, or weak definition, is.
  for (const global of output.globals) {
    if (!global.pending) continue;
    global.underlying = object.typeMap[global.pending];
    global.pending = 0;
    output.types.words[output.types.at[global.type] + 2] = global.underlying;
  }
  for (const section of object.sections) {
    if (section.datasec && !section.skipped) appendVariables(output, object, types, section, messages);
  }
};
