// Arrays whose elements are programs, maps or events.
import { ERRNO, SysError } from '../../errno.ts';
import { MAP_TYPE } from '../../isa/uapi.ts';
import { ARRAY_HEADER, arrayIndex, checkArray, nextIndex, u32Key } from './array.ts';
import { FLAG, UPDATE } from './flags.ts';
import type { CreateAttr, InnerTemplate, MapAccess, MapFamily, MapRecord } from './record.ts';

const DESCRIPTOR_BYTES = 4;
const u32 = (b: Uint8Array): number => new DataView(b.buffer, b.byteOffset, 4).getUint32(0, true);

/** rule: fd_array_map_alloc_check, 6.18 */
function checkFdArray(attr: CreateAttr): number {
  if (attr.valueSize !== DESCRIPTOR_BYTES) return ERRNO.EINVAL;
  if (attr.flags & (FLAG.RDONLY_PROG | FLAG.WRONLY_PROG)) return ERRNO.EINVAL;
  return checkArray(attr);
}

const memlock = ({ map }: MapAccess): number => ARRAY_HEADER + 8 * map.maxEntries;

function lookupId(a: MapAccess, key: Uint8Array): Uint8Array {
  arrayIndex(a, key);
  const id = a.handles.reference(a.map, key);
  if (id === undefined) throw new SysError('ENOENT');
  return u32Key(id);
}

function removeId(a: MapAccess, key: Uint8Array): void {
  if (u32(key) >= a.map.maxEntries) throw new SysError('E2BIG');
  const kind = a.map.type === MAP_TYPE.prog_array ? 'prog' : 'map';
  if (a.handles.reference(a.map, key) === undefined) throw new SysError('ENOENT');
  a.handles.setReference(a.map, key, kind, undefined);
}

function checkUpdate(a: MapAccess, key: Uint8Array, flags: bigint): void {
  if (flags !== UPDATE.ANY) throw new SysError('EINVAL');
  if (u32(key) >= a.map.maxEntries) throw new SysError('E2BIG');
}

export const progArray: MapFamily = {
  holds: 'prog',
  check: checkFdArray,
  memlock,
  lookup: lookupId,
  update(a, key, value, flags) {
    checkUpdate(a, key, flags);
    const id = a.handles.idOf(u32(value), 'prog');
    const type = a.handles.progType(id);
    if (a.map.owner && a.map.owner.type !== type) throw new SysError('EINVAL');
    if (!a.map.owner) {
      a.db.run('UPDATE map SET owner = ? WHERE id = ?', JSON.stringify({ type, jited: true }), a.map.id);
    }
    a.handles.setReference(a.map, key, 'prog', id);
  },
  remove: removeId,
  nextKey: nextIndex,
};

/** Perf events and control groups cannot be opened on a simulated kernel: their arrays stay empty. */
export const eventArray: MapFamily = {
  check: checkFdArray,
  memlock,
  update(a, key, _value, flags) {
    checkUpdate(a, key, flags);
    throw new SysError('EBADF');
  },
  remove: removeId,
  nextKey: nextIndex,
  missing: { lookup: ERRNO.ENOTSUPP },
};

export const innerTemplate = (map: MapRecord): InnerTemplate => ({
  type: map.type,
  keySize: map.keySize,
  valueSize: map.valueSize,
  maxEntries: map.maxEntries,
  flags: map.flags,
});

/** Whether a map fits where the template stands; only arrays must agree in size. rule: bpf_map_meta_equal, 6.18 */
export function fitsTemplate(map: MapRecord, template: InnerTemplate): boolean {
  const same =
    map.type === template.type &&
    map.keySize === template.keySize &&
    map.valueSize === template.valueSize &&
    map.flags === template.flags;
  if (!same || map.type !== MAP_TYPE.array) return same;
  return (map.flags & FLAG.INNER_MAP) !== 0 || map.maxEntries === template.maxEntries;
}

/** The inner map that a value names, after its checks. */
export function innerMapId(a: MapAccess, value: Uint8Array): number {
  const id = a.handles.idOf(u32(value), 'map');
  if (!a.map.inner || !fitsTemplate(a.handles.mapById(id), a.map.inner)) throw new SysError('EINVAL');
  return id;
}

export const arrayOfMaps: MapFamily = {
  holds: 'map',
  check: checkFdArray,
  memlock,
  lookup: lookupId,
  update(a, key, value, flags) {
    checkUpdate(a, key, flags);
    a.handles.setReference(a.map, key, 'map', innerMapId(a, value));
  },
  remove: removeId,
  nextKey: nextIndex,
};
