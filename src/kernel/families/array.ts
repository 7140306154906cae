// Arrays: values in pages of the state file, absent pages being zero.
import { ERRNO, SysError } from '../../errno.ts';
import { MAP_TYPE } from '../../isa/uapi.ts';
import { ACCESS_MASK, accessFlagsOk, FLAG, UPDATE } from './flags.ts';
import { bytesOf, type CreateAttr, type MapAccess, type MapFamily, round8 } from './record.ts';

const PAGE = 4096;
/** sizeof(struct bpf_array), before the values. */
export const ARRAY_HEADER = 312;

const pageRound = (n: number): number => Math.ceil(n / PAGE) * PAGE;
const u32 = (key: Uint8Array): number => new DataView(key.buffer, key.byteOffset, 4).getUint32(0, true);
export const u32Key = (index: number): Uint8Array => {
  const key = new Uint8Array(4);
  new DataView(key.buffer).setUint32(0, index, true);
  return key;
};

/** Reads bytes of the value area. */
export function readArea(access: MapAccess, offset: number, size: number): Uint8Array {
  const out = new Uint8Array(size);
  for (let at = offset; at < offset + size; ) {
    const number = Math.floor(at / PAGE);
    const end = Math.min((number + 1) * PAGE, offset + size);
    const row = access.db.get('SELECT bytes FROM page WHERE map = ? AND number = ?', access.map.id, number);
    if (row) out.set(bytesOf(row.bytes).subarray(at - number * PAGE, end - number * PAGE), at - offset);
    at = end;
  }
  return out;
}

/** Writes bytes of the value area. */
export function writeArea(access: MapAccess, offset: number, bytes: Uint8Array): void {
  for (let at = offset; at < offset + bytes.length; ) {
    const number = Math.floor(at / PAGE);
    const end = Math.min((number + 1) * PAGE, offset + bytes.length);
    const row = access.db.get('SELECT bytes FROM page WHERE map = ? AND number = ?', access.map.id, number);
    const page = row ? Uint8Array.from(bytesOf(row.bytes)) : new Uint8Array(PAGE);
    page.set(bytes.subarray(at - offset, end - offset), at - number * PAGE);
    access.db.run('INSERT OR REPLACE INTO page VALUES (?, ?, ?)', access.map.id, number, page);
    at = end;
  }
}

/** The index that a key names; ENOENT outside the array. */
export function arrayIndex({ map }: MapAccess, key: Uint8Array): number {
  const index = u32(key);
  if (index >= map.maxEntries) throw new SysError('ENOENT');
  return index;
}

/** Keys run from 0; a key that is none starts again. */
export function nextIndex({ map }: MapAccess, key: Uint8Array | undefined): Uint8Array {
  const index = key ? u32(key) : 0xffffffff;
  if (index >= map.maxEntries) return u32Key(0);
  if (index === map.maxEntries - 1) throw new SysError('ENOENT');
  return u32Key(index + 1);
}

function checkFlags(flags: bigint, index: number, map: { maxEntries: number }): void {
  if ((flags & ~UPDATE.LOCK) > UPDATE.EXIST) throw new SysError('EINVAL');
  if (index >= map.maxEntries) throw new SysError('E2BIG');
  if (flags & UPDATE.NOEXIST) throw new SysError('EEXIST');
}

/** rule: array_map_alloc_check, 6.18 */
export function checkArray(attr: CreateAttr): number {
  const perCpu = attr.type === MAP_TYPE.percpu_array;
  const known = FLAG.NUMA_NODE | FLAG.MMAPABLE | ACCESS_MASK | FLAG.PRESERVE_ELEMS | FLAG.INNER_MAP;
  if (attr.maxEntries === 0 || attr.keySize !== 4 || attr.valueSize === 0) return ERRNO.EINVAL;
  if (attr.flags & ~known || !accessFlagsOk(attr.flags)) return ERRNO.EINVAL;
  if (perCpu && attr.flags & FLAG.NUMA_NODE) return ERRNO.EINVAL;
  if (attr.type !== MAP_TYPE.array && attr.flags & (FLAG.MMAPABLE | FLAG.INNER_MAP)) return ERRNO.EINVAL;
  if (attr.type !== MAP_TYPE.perf_event_array && attr.flags & FLAG.PRESERVE_ELEMS) return ERRNO.EINVAL;
  if (attr.valueSize > 0x7fffffff) return ERRNO.E2BIG;
  if (perCpu && round8(attr.valueSize) > 1 << 15) return ERRNO.E2BIG;
  return 0;
}

const elementBytes = ({ map }: MapAccess): number => round8(map.valueSize);

export const array: MapFamily = {
  direct: true,
  check: checkArray,
  memlock: (a) =>
    a.map.flags & FLAG.MMAPABLE
      ? pageRound(ARRAY_HEADER) + pageRound(elementBytes(a) * a.map.maxEntries)
      : ARRAY_HEADER + elementBytes(a) * a.map.maxEntries,
  lookup: (a, key) => readArea(a, arrayIndex(a, key) * elementBytes(a), a.map.valueSize),
  update(a, key, value, flags) {
    const index = u32(key);
    checkFlags(flags, index, a.map);
    writeArea(a, index * elementBytes(a), value);
  },
  nextKey: nextIndex,
  missing: { remove: ERRNO.EINVAL },
};

export const percpuArray: MapFamily = {
  check: checkArray,
  memlock: (a) => ARRAY_HEADER + 8 * a.map.maxEntries + elementBytes(a) * a.cpus * a.map.maxEntries,
  valueBytes: (map, cpus) => round8(map.valueSize) * cpus,
  lookup: (a, key) => readArea(a, arrayIndex(a, key) * elementBytes(a) * a.cpus, elementBytes(a) * a.cpus),
  update(a, key, value, flags) {
    const index = u32(key);
    checkFlags(flags, index, a.map);
    if (flags & UPDATE.LOCK) throw new SysError('EINVAL');
    writeArea(a, index * elementBytes(a) * a.cpus, value);
  },
  nextKey: nextIndex,
  missing: { remove: ERRNO.EINVAL },
};
