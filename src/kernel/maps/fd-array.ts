// Arrays whose elements are programs, maps or events.
import { ERRNO, SysError } from '../../errno.ts';
import { MAP_TYPE } from '../../isa/uapi.ts';
import { arrayIndex, checkArray, nextIndex } from './array.ts';
import { FLAG, UPDATE } from './flags.ts';
import { u32Bytes, u32Of } from './numbers.ts';
import type { CreateAttr, InnerTemplate, MapAccess, MapCharge, MapFamily, MapRecord } from './record.ts';

const DESCRIPTOR_BYTES = 4;
const POINTER = 8;

/** rule: fd_array_map_alloc_check, 6.18 */
function check(attr: CreateAttr): number {
  if (attr.valueSize !== DESCRIPTOR_BYTES) return ERRNO.EINVAL;
  if (attr.flags & (FLAG.RDONLY_PROG | FLAG.WRONLY_PROG)) return ERRNO.EINVAL;
  return checkArray(attr);
}

const memlock = ({ map, sizeOf }: MapCharge): number => sizeOf('bpf_array') + POINTER * map.maxEntries;

function lookup(a: MapAccess, key: Uint8Array): Uint8Array {
  arrayIndex(a, key);
  const id = a.handles.reference(a.map, key);
  if (id === undefined) throw new SysError('ENOENT');
  return u32Bytes(id);
}

function remove(a: MapAccess, key: Uint8Array): void {
  if (u32Of(key) >= a.map.maxEntries) throw new SysError('E2BIG');
  if (a.handles.reference(a.map, key) === undefined) throw new SysError('ENOENT');
  a.handles.setReference(a.map, key, 'prog', undefined);
}

function checkUpdate(a: MapAccess, key: Uint8Array, flags: bigint): void {
  if (flags !== UPDATE.ANY) throw new SysError('EINVAL');
  if (u32Of(key) >= a.map.maxEntries) throw new SysError('E2BIG');
}

export const progArray: MapFamily = {
  holds: 'prog',
  owned: true,
  neverInner: true,
  check,
  memlock,
  lookup,
  update(a, key, value, flags) {
    checkUpdate(a, key, flags);
    a.handles.setReference(a.map, key, 'prog', a.handles.program(a.map, u32Of(value)));
  },
  remove,
  nextKey: nextIndex,
};

/** Events cannot be opened on a simulated kernel: the array stays empty. */
export const perfEventArray: MapFamily = {
  check,
  memlock,
  update(a, key, _value, flags) {
    checkUpdate(a, key, flags);
    throw new SysError('EBADF');
  },
  remove,
  nextKey: nextIndex,
  missing: { lookup: ERRNO.ENOTSUPP },
};

/** Control groups are not simulated: the array stays empty. */
export const cgroupArray: MapFamily = perfEventArray;

export const innerTemplate = (map: MapRecord): InnerTemplate => ({
  type: map.type,
  keySize: map.keySize,
  valueSize: map.valueSize,
  maxEntries: map.maxEntries,
  flags: map.flags,
  btf: map.btf,
  btfValueType: map.btfValueType,
});

/** Whether a map fits where the template stands; of arrays the sizes must agree. rule: bpf_map_meta_equal, 6.18 */
function fits(a: MapAccess, map: MapRecord, template: InnerTemplate): boolean {
  const same =
    map.type === template.type &&
    map.keySize === template.keySize &&
    map.valueSize === template.valueSize &&
    map.flags === template.flags &&
    a.handles.sameFields(map, template);
  if (!same || map.type !== MAP_TYPE.array) return same;
  return (map.flags & FLAG.INNER_MAP) !== 0 || map.maxEntries === template.maxEntries;
}

/** The inner map that a value names, after its checks. rule: bpf_map_fd_get_ptr, 6.18 */
export function innerMapId(a: MapAccess, value: Uint8Array): number {
  const map = a.handles.map(u32Of(value));
  if (!a.map.inner || !fits(a, map, a.map.inner)) throw new SysError('EINVAL');
  return map.id;
}

export const arrayOfMaps: MapFamily = {
  holds: 'map',
  neverInner: true,
  check,
  memlock,
  lookup,
  update(a, key, value, flags) {
    checkUpdate(a, key, flags);
    a.handles.setReference(a.map, key, 'map', innerMapId(a, value));
  },
  remove,
  nextKey: nextIndex,
};
