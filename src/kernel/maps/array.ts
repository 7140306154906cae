// Arrays of values.
import { ERRNO, SysError } from '../../errno.ts';
import { MAP_TYPE } from '../../isa/uapi.ts';
import { ACCESS_MASK, accessFlagsOk, FLAG, UPDATE } from './flags.ts';
import { MAX_PER_CPU } from './hash.ts';
import { u32Bytes, u32Of } from './numbers.ts';
import { readArea, writeArea } from './pages.ts';
import { type CreateAttr, type MapAccess, type MapFamily, round8 } from './record.ts';

const POINTER = 8;
const MAX_VALUE = 0x7fffffff;

/** The index that a key names; ENOENT outside the array. */
export function arrayIndex({ map }: MapAccess, key: Uint8Array): number {
  const index = u32Of(key);
  if (index >= map.maxEntries) throw new SysError('ENOENT');
  return index;
}

/** Keys run from 0; a key that is none starts again. */
export function nextIndex({ map }: MapAccess, key: Uint8Array | undefined): Uint8Array {
  const index = key ? u32Of(key) : 0xffffffff;
  if (index >= map.maxEntries) return u32Bytes(0);
  if (index === map.maxEntries - 1) throw new SysError('ENOENT');
  return u32Bytes(index + 1);
}

/** rule: array_map_update_elem, 6.18. Gives the index. */
function updatedIndex({ map }: MapAccess, key: Uint8Array, flags: bigint): number {
  if (flags > UPDATE.EXIST) throw new SysError('EINVAL');
  const index = u32Of(key);
  if (index >= map.maxEntries) throw new SysError('E2BIG');
  if (flags === UPDATE.NOEXIST) throw new SysError('EEXIST');
  return index;
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
  if (attr.valueSize > MAX_VALUE) return ERRNO.E2BIG;
  if (perCpu && round8(attr.valueSize) > MAX_PER_CPU) return ERRNO.E2BIG;
  return 0;
}

export const array: MapFamily = {
  check: checkArray,
  valueArea: (attr) => round8(attr.valueSize) * attr.maxEntries,
  memlock({ map, sizeOf, pageSize }) {
    const header = sizeOf('bpf_array');
    const values = round8(map.valueSize) * map.maxEntries;
    if (!(map.flags & FLAG.MMAPABLE)) return header + values;
    return (Math.ceil(header / pageSize) + Math.ceil(values / pageSize)) * pageSize;
  },
  lookup: (a, key) => readArea(a, arrayIndex(a, key) * round8(a.map.valueSize), a.map.valueSize),
  update(a, key, value, flags) {
    const index = updatedIndex(a, key, flags & ~UPDATE.LOCK);
    writeArea(a, index * round8(a.map.valueSize), value);
  },
  nextKey: nextIndex,
  missing: { remove: ERRNO.EINVAL },
};

/** Bytes of one element: a value for each CPU. */
const perCpuBytes = (map: { valueSize: number }, cpus: number): number => round8(map.valueSize) * cpus;

export const percpuArray: MapFamily = {
  check: checkArray,
  memlock: ({ map, cpus, sizeOf }) => sizeOf('bpf_array') + (POINTER + perCpuBytes(map, cpus)) * map.maxEntries,
  valueBytes: perCpuBytes,
  lookup(a, key) {
    const size = perCpuBytes(a.map, a.cpus);
    return readArea(a, arrayIndex(a, key) * size, size);
  },
  update(a, key, value, flags) {
    writeArea(a, updatedIndex(a, key, flags) * value.length, value);
  },
  nextKey: nextIndex,
  missing: { remove: ERRNO.EINVAL },
};
