// Hash tables. Iteration goes by the key as one little-endian number, ascending: Linux's order depends on a random seed.
import { ERRNO, SysError } from '../../errno.ts';
import { MAP_TYPE } from '../../isa/uapi.ts';
import { countElements, dropElement, findElement, nextElement, putElement, tick } from './elements.ts';
import { innerMapId } from './fd-array.ts';
import { ACCESS_MASK, accessFlagsOk, FLAG, UPDATE } from './flags.ts';
import { u32Bytes } from './numbers.ts';
import {
  bytesOf,
  type CreateAttr,
  type MapAccess,
  type MapCharge,
  type MapFamily,
  type MemoryLayout,
  powerOfTwo,
  round8,
} from './record.ts';

export const KMALLOC_MAX = 1 << 22;
/** PCPU_MIN_UNIT_SIZE */
export const MAX_PER_CPU = 1 << 15;
/** HASHTAB_MAP_LOCK_COUNT: ints charged for each CPU. */
const LOCK_COUNT = 8;
const MAX_BUCKETS = 2 ** 31;
/** Size of a free-list node, and of a pointer. */
const LIST_NODE = 8;
const POINTER = 8;

const isPerCpu = (type: number): boolean => type === MAP_TYPE.percpu_hash || type === MAP_TYPE.lru_percpu_hash;
const isLru = (type: number): boolean => type === MAP_TYPE.lru_hash || type === MAP_TYPE.lru_percpu_hash;

/** rule: htab_map_alloc_check and htab_map_alloc, 6.18 */
function check(attr: CreateAttr, layout: MemoryLayout): number {
  const { flags } = attr;
  const known = FLAG.NO_PREALLOC | FLAG.NO_COMMON_LRU | FLAG.NUMA_NODE | ACCESS_MASK | FLAG.ZERO_SEED;
  if (flags & ~known || !accessFlagsOk(flags)) return ERRNO.EINVAL;
  if (!isLru(attr.type) && flags & FLAG.NO_COMMON_LRU) return ERRNO.EINVAL;
  if (isLru(attr.type) && flags & FLAG.NO_PREALLOC) return ERRNO.ENOTSUPP;
  if (flags & FLAG.NUMA_NODE && (flags & FLAG.NO_COMMON_LRU || isPerCpu(attr.type))) return ERRNO.EINVAL;
  if (attr.maxEntries === 0 || attr.keySize === 0 || attr.valueSize === 0) return ERRNO.EINVAL;
  if (attr.keySize + attr.valueSize >= KMALLOC_MAX - layout.sizeOf('htab_elem')) return ERRNO.E2BIG;
  if (isPerCpu(attr.type) && round8(attr.valueSize) > MAX_PER_CPU) return ERRNO.E2BIG;
  return entries(attr, layout.cpus) > MAX_BUCKETS ? ERRNO.E2BIG : 0;
}

/** Lists of their own for each CPU are all of one length. */
function entries(attr: CreateAttr, cpus: number): number {
  if (!(attr.flags & FLAG.NO_COMMON_LRU)) return attr.maxEntries;
  const rounded = Math.ceil(attr.maxEntries / cpus) * cpus;
  return rounded > 0xffffffff ? Math.floor(attr.maxEntries / cpus) * cpus : rounded;
}

/** rule: htab_map_mem_usage, 6.18 */
function memlock({ map, cpus, sizeOf }: MapCharge): number {
  const perCpu = isPerCpu(map.type);
  const ofMaps = map.type === MAP_TYPE.hash_of_maps;
  const value = round8(map.valueSize);
  const element = sizeOf('htab_elem') + round8(map.keySize) + (perCpu ? POINTER : value);
  const base = sizeOf('bpf_htab') + sizeOf('bucket') * powerOfTwo(map.maxEntries) + cpus * 4 * LOCK_COUNT;
  if (map.flags & FLAG.NO_PREALLOC) {
    const one = element + LIST_NODE + (perCpu ? LIST_NODE + POINTER + value * cpus : 0);
    return base + one * map.count;
  }
  if (perCpu) return base + (element + value * cpus) * map.maxEntries;
  if (isLru(map.type)) return base + element * map.maxEntries;
  return base + element * (ofMaps ? map.maxEntries : map.maxEntries + cpus) + POINTER * cpus;
}

/** The key as it sorts. */
const storedKey = (key: Uint8Array): Uint8Array => Uint8Array.from(key).reverse();

function lookup(a: MapAccess, key: Uint8Array): Uint8Array {
  const value = findElement(a, storedKey(key));
  if (!value) throw new SysError('ENOENT');
  return value;
}

/** Makes room by dropping the element that was written the longest time ago. */
function evict(a: MapAccess): void {
  const sql = 'SELECT key FROM elem WHERE map = ? AND stamp IS NOT NULL ORDER BY stamp LIMIT 1';
  const oldest = a.db.get(sql, a.map.id);
  if (oldest && dropElement(a, bytesOf(oldest.key))) countElements(a, -1);
}

/** rule: htab_map_update_elem, check_flags, 6.18. Locked updates pass their flags without BPF_F_LOCK. */
function put(a: MapAccess, key: Uint8Array, value: Uint8Array, flags: bigint): void {
  if (flags > UPDATE.EXIST) throw new SysError('EINVAL');
  const stored = storedKey(key);
  const exists = findElement(a, stored) !== undefined;
  if (exists && flags === UPDATE.NOEXIST) throw new SysError('EEXIST');
  if (!exists && flags === UPDATE.EXIST) throw new SysError('ENOENT');
  const lru = isLru(a.map.type);
  if (!exists) {
    if (a.map.count >= a.map.maxEntries) {
      if (!lru) throw new SysError('E2BIG');
      evict(a);
    }
    countElements(a, 1);
  }
  putElement(a, stored, value, lru ? tick(a) : null);
}

function remove(a: MapAccess, key: Uint8Array): void {
  if (!dropElement(a, storedKey(key))) throw new SysError('ENOENT');
  countElements(a, -1);
}

const nextKey = (a: MapAccess, key: Uint8Array | undefined): Uint8Array =>
  nextElement(a, key && storedKey(key)).key.reverse();

export const hash: MapFamily = {
  check,
  entries,
  memlock,
  lookup,
  // Only plain tables know BPF_F_LOCK; whether the value has a lock has been checked.
  update: (a, key, value, flags) => put(a, key, value, a.map.type === MAP_TYPE.hash ? flags & ~UPDATE.LOCK : flags),
  remove,
  nextKey,
  valueBytes: (map, cpus) => (isPerCpu(map.type) ? round8(map.valueSize) * cpus : map.valueSize),
  lookupAndDelete(a, key) {
    const value = lookup(a, key);
    remove(a, key);
    return value;
  },
};

export const hashOfMaps: MapFamily = {
  holds: 'map',
  neverInner: true,
  check: (attr, layout) => (attr.valueSize !== 4 ? ERRNO.EINVAL : check(attr, layout)),
  memlock,
  lookup(a, key) {
    lookup(a, key);
    return u32Bytes(a.handles.reference(a.map, key) ?? 0);
  },
  update(a, key, value, flags) {
    const id = innerMapId(a, value);
    put(a, key, u32Bytes(id), flags);
    a.handles.setReference(a.map, key, 'map', id);
  },
  remove(a, key) {
    remove(a, key);
    a.handles.setReference(a.map, key, 'map', undefined);
  },
  nextKey,
};
