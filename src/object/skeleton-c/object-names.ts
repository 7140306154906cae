// How a C skeleton names the parts of an object. Rule: bpftool 7.8, gen.c.
import type { Btf } from '../../btf/btf.ts';
import { BTF_KIND } from '../../btf/kinds.ts';
import { MAP_TYPE } from '../../isa/uapi.ts';
import { MAP_FLAG } from '../maps.ts';
import type { MapSpec, ObjectSpec } from '../spec.ts';

const DATA_SECTIONS: readonly string[] = ['.data', '.rodata', '.bss', '.kconfig'];
const ARENA_SECTION = '.addr_space.1';
const ARENA = 'arena';
/** Bytes of the longest name of a file's object. */
const MAX_NAME = 63;
/** Bytes of the longest name of a variable. */
const MAX_VARIABLE = 255;

export const identifier = (text: string): string => text.replace(/[^A-Za-z0-9_]/g, '_');

/** Name of the object in a file: the file's own without ".o". */
export const objectNameOf = (path: string): string => {
  const base = path.replace(/\/+$/, '').replace(/^.*\//, '').slice(0, MAX_NAME);
  return identifier(base.endsWith('.o') ? base.slice(0, -2) : base);
};

/** `__NAME_SKEL_H__`. */
export const headerGuard = (name: string, suffix: string): string => `__${name}_${suffix}__`.toUpperCase();

export const variableName = (name: string): string => identifier(name.slice(0, MAX_VARIABLE));

const isInternal = (map: MapSpec): boolean => map.kind !== 'user' && map.kind !== 'struct_ops';

/** Name of a map as user space sees it: that of the section for data sections with a name of their own. */
export const mapName = (map: MapSpec): string => {
  const own = (map.kind === 'data' && map.section !== '.data') || (map.kind === 'rodata' && map.section !== '.rodata');
  return own ? map.section : map.name;
};

/** Identifier of a map; undefined for a data section of no known kind. */
export const mapIdentifier = (map: MapSpec): string | undefined => {
  const name = mapName(map);
  if (!isInternal(map)) return name;
  const section = DATA_SECTIONS.find((candidate) => name.includes(candidate));
  return section && identifier(name.slice(name.indexOf(section) + 1));
};

/** Identifier of a data section's struct; undefined for other sections. */
export const sectionIdentifier = (name: string): string | undefined => {
  if (name === ARENA_SECTION) return ARENA;
  return DATA_SECTIONS.some((section) => name.startsWith(section)) ? identifier(name.slice(1)) : undefined;
};

/** Identifier of a map whose contents programs of user space can reach in memory; undefined for others. */
export const mappedIdentifier = (object: ObjectSpec, map: MapSpec): string | undefined => {
  if (map.type === MAP_TYPE.arena && object.arenaData) return ARENA;
  return isInternal(map) && map.flags & MAP_FLAG.MMAPABLE ? mapIdentifier(map) : undefined;
};

/** The DATASEC of a data section's struct; 0 when there is none. */
export const sectionTypeOf = (btf: Btf, ident: string): number => {
  for (let id = 1; id < btf.count; id++) {
    if (btf.kind(id) === BTF_KIND.DATASEC && sectionIdentifier(btf.name(id)) === ident) return id;
  }
  return 0;
};

export const isStructOps = (map: MapSpec): boolean => map.type === MAP_TYPE.struct_ops;

export interface NamedMap {
  map: MapSpec;
  ident: string;
}

/** The maps that have an identifier. */
export const namedMaps = (object: ObjectSpec): NamedMap[] =>
  object.maps.flatMap((map) => {
    const ident = mapIdentifier(map);
    return ident === undefined ? [] : [{ map, ident }];
  });
