// Whether declarations of one map in two objects agree.

import type { TypePool } from '../../btf/dedup/pool.ts';
import { BTF_KIND } from '../../btf/kinds.ts';
import { parseObjectBtf } from '../btf-words.ts';
import { ObjectError } from '../errors.ts';
import { type MapDef, parseMapDef } from '../map-def.ts';
import { decodeName, type LinkerMessages } from './linker-messages.ts';
import { skipModsAndTypedefs, TypeMatcher } from './match-types.ts';

/** Bytes that libbpf keeps of the name of an inner map. */
const MAX_INNER_NAME = 127;

/** Attributes that must be equal, in the order in which they are compared, and their names in messages. */
const BEHIND_TYPES: readonly (readonly [keyof MapDef, string])[] = [
  ['maxEntries', 'max_entries'],
  ['flags', 'map_flags'],
  ['numaNode', 'numa_node'],
  ['pinning', 'pinning'],
];

class MapMatcher {
  private readonly messages: LinkerMessages;
  private readonly types: TypeMatcher;

  constructor(messages: LinkerMessages, types: TypeMatcher) {
    this.messages = messages;
    this.types = types;
  }

  /** The attribute that differs; undefined when none does. */
  private difference(name: string, a: MapDef, b: MapDef): string | undefined {
    if (a.type !== b.type) return 'type';
    if (a.keySize !== b.keySize) return 'key_size';
    if (Boolean(a.keyTypeId) !== Boolean(b.keyTypeId)) return 'key type';
    if (a.parts.has('key') && !this.types.matches(name, a.keyTypeId, b.keyTypeId)) return 'key type';
    if (a.valueSize !== b.valueSize) return 'value_size';
    if (Boolean(a.valueTypeId) !== Boolean(b.valueTypeId)) return 'value type';
    // Rule: libbpf 1.8, which speaks of the key here too.
    if (a.parts.has('value') && !this.types.matches(name, a.valueTypeId, b.valueTypeId)) return 'key type';
    const other = BEHIND_TYPES.find(([field]) => a[field] !== b[field]);
    if (other) return other[1];
    return Boolean(a.inner) !== Boolean(b.inner) ? 'inner map' : undefined;
  }

  matches(name: string, a: MapDef, b: MapDef): boolean {
    const reason = this.difference(name, a, b);
    if (reason !== undefined) {
      this.messages.warn(`global '${name}': map ${reason} mismatch`);
      return false;
    }
    if (!a.inner || !b.inner) return true;
    return this.matches(`${name}.inner`.slice(0, MAX_INNER_NAME), a.inner, b.inner);
  }
}

/** Compares the map that the variable `a` of the result declares with that of the variable `b` of an object. */
export const mapsMatch = (
  messages: LinkerMessages,
  name: string,
  [output, a]: readonly [TypePool, number],
  [source, b]: readonly [TypePool, number],
): boolean => {
  if (source.kind(b) !== BTF_KIND.VAR) {
    messages.warn(`global '${name}': invalid map definition type [${b}]`);
    return false;
  }
  const parse = (types: TypePool, variable: number, text: string): MapDef | undefined => {
    const btf = parseObjectBtf(types.bytes(true));
    const struct = skipModsAndTypedefs(types, types.type(variable));
    try {
      const mapName = decodeName(name);
      return parseMapDef({ btf, messages: messages.decoded, mapName, strict: true }, struct);
    } catch (error) {
      if (!(error instanceof ObjectError)) throw error;
      messages.warn(`global '${name}': ${text}`);
      return undefined;
    }
  };
  const extra = parse(source, b, 'invalid map definition');
  const main = extra && parse(output, a, 'invalid dst map definition');
  if (!main) return false;
  return new MapMatcher(messages, new TypeMatcher(messages, output, source)).matches(name, main, extra);
};
