// Maps declared by BTF: a variable of the section .maps whose struct type spells out the attributes.
import type { Btf } from '../btf/btf.ts';
import { BTF_KIND, isEnum } from '../btf/kinds.ts';
import { MAP_TYPE } from '../isa/uapi.ts';
import { kindWord } from './btf-words.ts';
import { ObjectError } from './errors.ts';
import type { Messages } from './print.ts';
import type { MapSpec } from './spec.ts';

const PAGE_BYTES = 4096;
/** Value of the attribute `pinning`: by the name of the map. */
export const PIN_BY_NAME = 1;

/** Attributes as declared; undefined where the declaration is silent. */
export interface MapDef {
  type: number;
  keySize: number;
  valueSize: number;
  keyTypeId: number;
  valueTypeId: number;
  maxEntries: number;
  flags: number;
  numaNode: number;
  pinning: number;
  mapExtra: bigint;
  inner: MapDef | undefined;
  /** Which attributes were declared. */
  parts: Set<string>;
}

const emptyDef = (): MapDef => ({
  type: 0,
  keySize: 0,
  valueSize: 0,
  keyTypeId: 0,
  valueTypeId: 0,
  maxEntries: 0,
  flags: 0,
  numaNode: 0,
  pinning: 0,
  mapExtra: 0n,
  inner: undefined,
  parts: new Set(),
});

export const isMapInMap = (type: number): boolean => type === MAP_TYPE.array_of_maps || type === MAP_TYPE.hash_of_maps;

const isRingbuf = (type: number): boolean => type === MAP_TYPE.ringbuf || type === MAP_TYPE.user_ringbuf;

interface Source {
  btf: Btf;
  messages: Messages;
  mapName: string;
  /** Unknown attributes are errors. */
  strict: boolean;
}

function invalid(source: Source, text: string, errno: 'EINVAL' | 'EOPNOTSUPP' = 'EINVAL'): never {
  source.messages.warn(`map '${source.mapName}': ${text}`);
  throw new ObjectError(errno);
}

/** A number, spelled as the length of an array behind a pointer: int (*name)[42]. */
function intAttribute(source: Source, struct: number, i: number): number {
  const { btf } = source;
  const name = btf.memberName(struct, i);
  const pointer = btf.skipModsAndTypedefs(btf.memberType(struct, i));
  if (btf.kind(pointer) !== BTF_KIND.PTR) {
    return invalid(source, `attr '${name}': expected PTR, got ${kindWord(btf, pointer)}.`);
  }
  const array = btf.type(pointer);
  if (btf.kind(array) !== BTF_KIND.ARRAY) {
    return invalid(source, `attr '${name}': expected ARRAY, got ${kindWord(btf, array)}.`);
  }
  return btf.arrayLength(array);
}

/** A 64-bit number: as above, or an enumeration with one value. */
function longAttribute(source: Source, struct: number, i: number): bigint {
  const { btf } = source;
  const type = btf.skipModsAndTypedefs(btf.memberType(struct, i));
  if (btf.kind(type) === BTF_KIND.PTR) return BigInt(intAttribute(source, struct, i));
  const name = btf.memberName(struct, i);
  if (!isEnum(btf.kind(type))) {
    return invalid(source, `attr '${name}': expected ENUM or ENUM64, got ${kindWord(btf, type)}.`);
  }
  if (btf.vlen(type) !== 1) return invalid(source, `attr '${name}': invalid __ulong`);
  // An ENUM's 32-bit value is a signed int there, which widens with its sign.
  const value = btf.enumValue(type, 0);
  return BigInt.asUintN(64, btf.kind(type) === BTF_KIND.ENUM ? BigInt.asIntN(32, value) : value);
}

/** The type behind the pointer of `key` or `value`, and its size. */
function typeAttribute(source: Source, struct: number, i: number): { typeId: number; size: number } {
  const { btf } = source;
  const name = btf.memberName(struct, i);
  const pointer = btf.memberType(struct, i);
  if (btf.kind(pointer) !== BTF_KIND.PTR) return invalid(source, `${name} spec is not PTR: ${kindWord(btf, pointer)}.`);
  const typeId = btf.type(pointer);
  const size = btf.resolveSize(typeId);
  if (size < 0) return invalid(source, `can't determine ${name} size for type [${typeId}]: -22.`);
  return { typeId, size };
}

function setSize(source: Source, def: MapDef, which: 'key' | 'value', size: number): void {
  const field = which === 'key' ? 'keySize' : 'valueSize';
  if (def[field] && def[field] !== size) invalid(source, `conflicting ${which} size ${def[field]} != ${size}.`);
  def[field] = size;
}

/** The attribute `values`: initial slots of a map in map, or of a program array. */
function valuesAttribute(source: Source, struct: number, i: number, def: MapDef, isInner: boolean): void {
  const { btf } = source;
  const mapInMap = isMapInMap(def.type);
  const progArray = def.type === MAP_TYPE.prog_array;
  const what = mapInMap ? 'map-in-map inner' : 'prog-array value';
  if (isInner) invalid(source, 'multi-level inner maps not supported.', 'EOPNOTSUPP');
  if (i !== btf.vlen(struct) - 1) invalid(source, `'values' member should be last.`);
  if (!mapInMap && !progArray) invalid(source, 'should be map-in-map or prog-array.', 'EOPNOTSUPP');
  if (def.valueSize && def.valueSize !== 4) invalid(source, `conflicting value size ${def.valueSize} != 4.`);
  def.valueSize = 4;
  const array = btf.memberType(struct, i);
  if (btf.kind(array) !== BTF_KIND.ARRAY || btf.arrayLength(array) !== 0) {
    invalid(source, `${what} spec is not a zero-sized array.`);
  }
  const pointer = btf.skipModsAndTypedefs(btf.arrayElem(array));
  if (btf.kind(pointer) !== BTF_KIND.PTR) {
    invalid(source, `${what} def is of unexpected kind ${kindWord(btf, pointer)}.`);
  }
  const target = btf.skipModsAndTypedefs(btf.type(pointer));
  if (progArray) {
    if (btf.kind(target) !== BTF_KIND.FUNC_PROTO) {
      invalid(source, `prog-array value def is of unexpected kind ${kindWord(btf, target)}.`);
    }
    return;
  }
  if (btf.kind(target) !== BTF_KIND.STRUCT) {
    invalid(source, `map-in-map inner def is of unexpected kind ${kindWord(btf, target)}.`);
  }
  def.inner = parseMapDef({ ...source, mapName: `${source.mapName}.inner`.slice(0, 127) }, target, true);
}

/** Reads the struct type of a declaration; throws ObjectError. Rule: libbpf 1.8. */
export function parseMapDef(source: Source, struct: number, isInner = false): MapDef {
  const { btf } = source;
  const def = emptyDef();
  for (let i = 0; i < btf.vlen(struct); i++) {
    const name = btf.memberName(struct, i);
    switch (name) {
      case 'type':
        def.type = intAttribute(source, struct, i);
        break;
      case 'max_entries':
        def.maxEntries = intAttribute(source, struct, i);
        break;
      case 'map_flags':
        def.flags = intAttribute(source, struct, i);
        break;
      case 'numa_node':
        def.numaNode = intAttribute(source, struct, i);
        break;
      case 'key_size':
        setSize(source, def, 'key', intAttribute(source, struct, i));
        break;
      case 'value_size':
        setSize(source, def, 'value', intAttribute(source, struct, i));
        break;
      case 'key': {
        const { typeId, size } = typeAttribute(source, struct, i);
        setSize(source, def, 'key', size);
        def.keyTypeId = typeId;
        break;
      }
      case 'value': {
        const { typeId, size } = typeAttribute(source, struct, i);
        setSize(source, def, 'value', size);
        def.valueTypeId = typeId;
        break;
      }
      case 'values':
        valuesAttribute(source, struct, i, def, isInner);
        break;
      case 'pinning':
        if (isInner) invalid(source, "inner def can't be pinned.");
        def.pinning = intAttribute(source, struct, i);
        if (def.pinning > PIN_BY_NAME) invalid(source, `invalid pinning value ${def.pinning}.`);
        break;
      case 'map_extra':
        def.mapExtra = longAttribute(source, struct, i);
        break;
      default:
        if (source.strict) invalid(source, `unknown field '${name}'.`, 'EOPNOTSUPP');
        source.messages.debug(() => `map '${source.mapName}': ignoring unknown field '${name}'.`);
        continue;
    }
    def.parts.add(name);
  }
  if (def.type === MAP_TYPE.unspec) invalid(source, "map type isn't specified.");
  return def;
}

/** Ring buffers need a power of two of pages; other sizes are rounded up. Rule: libbpf 1.8. */
function ringbufSize(size: number): number {
  if (size === 0) return 0;
  const isPower = (n: number): boolean => Number.isInteger(Math.log2(n));
  if (size % PAGE_BYTES === 0 && isPower(size / PAGE_BYTES)) return size;
  for (let pages = 1; pages <= 0xffffffff / PAGE_BYTES; pages *= 2) {
    if (pages * PAGE_BYTES > size) return pages * PAGE_BYTES;
  }
  return size;
}

/** Copies a declaration into a map and says what was found. */
export function fillMap(map: MapSpec, def: MapDef, messages: Messages): void {
  map.type = def.type;
  map.keySize = def.keySize;
  map.valueSize = def.valueSize;
  map.maxEntries = isRingbuf(def.type) ? ringbufSize(def.maxEntries) : def.maxEntries;
  map.flags = def.flags;
  map.mapExtra = def.mapExtra;
  map.numaNode = def.numaNode;
  map.btfKeyTypeId = def.keyTypeId;
  map.btfValueTypeId = def.valueTypeId;
  const { parts } = def;
  const found = (text: string): void => messages.debug(() => `map '${map.name}': found ${text}`);
  if (parts.has('type')) found(`type = ${def.type}.`);
  if (parts.has('key')) found(`key [${def.keyTypeId}], sz = ${def.keySize}.`);
  else if (parts.has('key_size')) found(`key_size = ${def.keySize}.`);
  if (parts.has('value')) found(`value [${def.valueTypeId}], sz = ${def.valueSize}.`);
  else if (parts.has('value_size')) found(`value_size = ${def.valueSize}.`);
  if (parts.has('max_entries')) found(`max_entries = ${def.maxEntries}.`);
  if (parts.has('map_flags')) found(`map_flags = 0x${def.flags.toString(16)}.`);
  if (parts.has('map_extra')) found(`map_extra = 0x${def.mapExtra.toString(16)}.`);
  if (parts.has('pinning')) found(`pinning = ${def.pinning}.`);
  if (parts.has('numa_node')) found(`numa_node = ${def.numaNode}.`);
  if (def.inner) found('inner map definition.');
}
