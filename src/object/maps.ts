// The maps of an object: those that it declares, and those that hold its global data.
import type { Btf } from '../btf/btf.ts';
import { BTF_KIND, LINKAGE } from '../btf/kinds.ts';
import { SHT } from '../elf/constants.ts';
import { MAP_TYPE } from '../isa/uapi.ts';
import { kindWord } from './btf-words.ts';
import { type ObjectFile, sectionData } from './elf-collect.ts';
import { errstr, ObjectError } from './errors.ts';
import { fillMap, PIN_BY_NAME, parseMapDef } from './map-def.ts';
import type { ExternSpec, MapKind, MapSpec } from './spec.ts';
import { structOpsMaps } from './struct-ops-open.ts';

/** BPF_F_RDONLY_PROG and BPF_F_MMAPABLE. */
export const MAP_FLAG = { RDONLY_PROG: 0x80, MMAPABLE: 0x400, LINK: 0x2000, VTYPE_BTF_OBJ_FD: 0x8000 } as const;
/** BPF_OBJ_NAME_LEN without the NUL. */
const NAME_LENGTH = 15;
const PAGE_BYTES = 4096;
export const BPF_FS = '/sys/fs/bpf';
const LINKAGE_WORDS = ['static', 'global', 'extern'];

export interface MapOptions {
  /** Unknown attributes of a declaration are ignored. */
  relaxedMaps?: boolean;
  /** Folder for maps that are pinned by name; /sys/fs/bpf unless given. */
  pinRoot?: string;
}

export const emptyMap = (kind: MapKind, name: string, sectionIndex: number): MapSpec => ({
  kind,
  name,
  section: '',
  sectionIndex,
  sectionOffset: 0,
  variable: 0,
  type: MAP_TYPE.unspec,
  keySize: 0,
  valueSize: 0,
  maxEntries: 0,
  flags: 0,
  numaNode: 0,
  mapExtra: 0n,
  btfKeyTypeId: 0,
  btfValueTypeId: 0,
  ifindex: 0,
  slots: [],
  autocreate: true,
});

/**
 * Name of the map of a data section as the kernel gets it: 'object.rodata', at most 15 bytes, the section's own part
 * reserved at least 7; sections with a second dot keep only their own name. Rule: libbpf 1.8.
 */
export function internalMapName(object: string, section: string): string {
  const suffix = Math.min(Math.max(7, section.length), NAME_LENGTH);
  const prefix = section.indexOf('.', 1) >= 0 ? 0 : Math.min(NAME_LENGTH - suffix, object.length);
  return (object.slice(0, prefix) + section.slice(0, suffix)).replace(/[^A-Za-z0-9_.]/g, '_');
}

/** True when user space may see a variable of the section, so that the map is to be mapped into memory. */
function isMmapable(btf: Btf, id: number): boolean {
  if (id === 0 || btf.kind(id) !== BTF_KIND.DATASEC) return false;
  for (let i = 0; i < btf.vlen(id); i++) {
    const variable = btf.secType(id, i);
    if (btf.kind(variable) === BTF_KIND.VAR && btf.linkage(variable) !== LINKAGE.STATIC) return true;
  }
  return false;
}

interface DataSection {
  kind: 'data' | 'bss' | 'rodata' | 'kconfig';
  section: string;
  sectionIndex: number;
  size: number;
  data: Uint8Array | undefined;
}

function addDataMap(file: ObjectFile, object: string, btf: Btf | undefined, maps: MapSpec[], from: DataSection): void {
  const { messages } = file;
  const map = emptyMap(from.kind, internalMapName(object, from.section), from.sectionIndex);
  const readOnly = from.kind === 'rodata' || from.kind === 'kconfig';
  map.section = from.section;
  map.type = MAP_TYPE.array;
  map.keySize = 4;
  map.valueSize = from.size >>> 0;
  map.maxEntries = 1;
  map.flags = readOnly ? MAP_FLAG.RDONLY_PROG : 0;
  if (from.data) map.initialValue = from.data;
  if (btf) {
    map.btfValueTypeId = btf.find(from.section);
    if (isMmapable(btf, map.btfValueTypeId)) map.flags |= MAP_FLAG.MMAPABLE;
  }
  messages.debug(
    () => `map '${map.name}' (global data): at sec_idx ${map.sectionIndex}, offset 0, flags ${map.flags.toString(16)}.`,
  );
  if (map.valueSize === 0) {
    messages.warn(`failed to alloc map '${map.name}' content buffer: ${errstr(22)}`);
    throw new ObjectError('EINVAL');
  }
  maps.push(map);
  messages.debug(() => `map ${maps.length - 1} is "${map.name}"`);
}

function addUserMap(
  file: ObjectFile,
  btf: Btf,
  maps: MapSpec[],
  datasec: number,
  variable: number,
  sectionBytes: number,
  options: MapOptions,
): void {
  const { messages, mapsSection } = file;
  const id = btf.secType(datasec, variable);
  const name = btf.name(id);
  const offset = btf.secOffset(datasec, variable);
  const size = btf.secSize(datasec, variable);
  const refuse: (text: string, errno?: 'EINVAL' | 'EOPNOTSUPP') => never = (text, errno = 'EINVAL') => {
    messages.warn(text);
    throw new ObjectError(errno);
  };
  if (name === '') refuse(`map #${variable}: empty name.`);
  if (offset + size > sectionBytes) refuse(`map '${name}' BTF data is corrupted.`);
  if (btf.kind(id) !== BTF_KIND.VAR) refuse(`map '${name}': unexpected var kind ${kindWord(btf, id)}.`);
  if (btf.linkage(id) !== LINKAGE.GLOBAL) {
    const word = LINKAGE_WORDS[btf.linkage(id)] ?? 'unknown';
    refuse(`map '${name}': unsupported map linkage ${word}.`, 'EOPNOTSUPP');
  }
  const struct = btf.skipModsAndTypedefs(btf.type(id));
  if (btf.kind(struct) !== BTF_KIND.STRUCT) refuse(`map '${name}': unexpected def kind ${kindWord(btf, id)}.`);
  if (btf.size(struct) > size) refuse(`map '${name}': invalid def size.`);
  const map = emptyMap('user', name, mapsSection);
  map.sectionOffset = offset;
  map.variable = variable;
  maps.push(map);
  messages.debug(() => `map '${name}': at sec_idx ${mapsSection}, offset ${offset}.`);
  const def = parseMapDef({ btf, messages, mapName: name, strict: !options.relaxedMaps }, struct);
  fillMap(map, def, messages);
  if (def.pinning === PIN_BY_NAME) map.pinPath = `${options.pinRoot ?? BPF_FS}/${name}`;
  if (def.inner) {
    map.inner = emptyMap('user', `${name}.inner`, mapsSection);
    fillMap(map.inner, def.inner, messages);
  }
}

function addUserMaps(file: ObjectFile, btf: Btf | undefined, maps: MapSpec[], options: MapOptions): void {
  const { messages, mapsSection } = file;
  if (mapsSection < 0 || !btf) return;
  const bytes = sectionData(file, file.elf.sections[mapsSection]).length;
  const datasec = datasecOf(btf, '.maps');
  if (datasec === 0) {
    messages.warn("DATASEC '.maps' not found.");
    throw new ObjectError('ENOENT');
  }
  for (let i = 0; i < btf.vlen(datasec); i++) addUserMap(file, btf, maps, datasec, i, bytes, options);
}

/** The first DATASEC of that name; 0 when there is none. */
export const datasecOf = (btf: Btf, name: string): number => btf.find(name, BTF_KIND.DATASEC);

/** Index of the only arena, -1 without one; its contents come from the section of global arena variables. */
function findArena(file: ObjectFile, maps: readonly MapSpec[]): number {
  const { messages } = file;
  let arena = -1;
  maps.forEach((map, i) => {
    if (map.type !== MAP_TYPE.arena) return;
    if (arena >= 0) {
      messages.warn(`map '${map.name}': only single ARENA map is supported (map '${maps[arena].name}' is also ARENA)`);
      throw new ObjectError('EINVAL');
    }
    arena = i;
  });
  if (file.arenaSection === 0) return arena;
  if (arena < 0) {
    messages.warn(
      "elf: sec '.addr_space.1': to use global __arena variables the ARENA map should be explicitly " +
        'declared in SEC(".maps")',
    );
    throw new ObjectError('ENOENT');
  }
  const size = file.elf.sections[file.arenaSection].data.length;
  const room = maps[arena].maxEntries * PAGE_BYTES;
  if (Math.ceil(size / PAGE_BYTES) * PAGE_BYTES > room) {
    messages.warn(
      `elf: sec '.addr_space.1': declared ARENA map size (${room}) is too small to hold global __arena ` +
        `variables of size ${size}`,
    );
    throw new ObjectError('E2BIG');
  }
  return arena;
}

/** All maps in libbpf's order, and which of them is the arena. Throws ObjectError. */
export function collectMaps(
  file: ObjectFile,
  object: string,
  btf: Btf | undefined,
  externs: readonly ExternSpec[],
  options: MapOptions,
): { maps: MapSpec[]; arenaMap: number } {
  const maps: MapSpec[] = [];
  addUserMaps(file, btf, maps, options);
  const arenaMap = findArena(file, maps);
  for (const section of file.elf.sections) {
    const kind = file.roles[section.index];
    if (kind !== 'data' && kind !== 'rodata' && kind !== 'bss') continue;
    const size = section.type === SHT.NOBITS ? section.size : section.data.length;
    if (size === 0) continue;
    const data = kind === 'bss' ? undefined : section.data;
    addDataMap(file, object, btf, maps, { kind, section: section.name, sectionIndex: section.index, size, data });
  }
  const configs = externs.filter((e) => e.config);
  const last = configs.at(-1)?.config;
  if (last) {
    const size = last.offset + last.size;
    const from = {
      kind: 'kconfig',
      section: '.kconfig',
      sectionIndex: file.symtab.index,
      size,
      data: undefined,
    } as const;
    addDataMap(file, object, btf, maps, from);
  }
  if (file.hasStructOps && btf) structOpsMaps(file, btf, maps);
  return { maps, arenaMap };
}
