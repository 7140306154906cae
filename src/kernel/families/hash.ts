// Hash tables. Iteration is in the order of the keys' bytes: Linux's order depends on a random seed.
import { ERRNO, SysError } from '../../errno.ts';
import { MAP_TYPE } from '../../isa/uapi.ts';
import { u32Key } from './array.ts';
import { innerMapId } from './fd-array.ts';
import { ACCESS_MASK, accessFlagsOk, FLAG, UPDATE } from './flags.ts';
import { bytesOf, type CreateAttr, type MapAccess, type MapFamily, type MapRecord, round8 } from './record.ts';

/** sizeof of struct bpf_htab, struct bucket, struct htab_elem before its key. */
const HTAB = 832;
const BUCKET = 16;
const ELEMENT = 48;
const KMALLOC_MAX = 1 << 22;
/** Locks of the table that are charged for each CPU. */
const LOCK_COUNT = 8;

const isPerCpu = (type: number): boolean => type === MAP_TYPE.percpu_hash || type === MAP_TYPE.lru_percpu_hash;
const isLru = (type: number): boolean => type === MAP_TYPE.lru_hash || type === MAP_TYPE.lru_percpu_hash;

const powerOfTwo = (n: number): number => {
  let p = 1;
  while (p < n) p *= 2;
  return p;
};

/** rule: htab_map_alloc_check, 6.18 */
function check(attr: CreateAttr): number {
  const { flags } = attr;
  const known = FLAG.NO_PREALLOC | FLAG.NO_COMMON_LRU | FLAG.NUMA_NODE | ACCESS_MASK | FLAG.ZERO_SEED;
  if (flags & ~known || !accessFlagsOk(flags)) return ERRNO.EINVAL;
  if (!isLru(attr.type) && flags & FLAG.NO_COMMON_LRU) return ERRNO.EINVAL;
  if (isLru(attr.type) && flags & FLAG.NO_PREALLOC) return ERRNO.ENOTSUPP;
  if (flags & FLAG.NUMA_NODE && (flags & FLAG.NO_COMMON_LRU || isPerCpu(attr.type))) return ERRNO.EINVAL;
  if (attr.maxEntries === 0 || attr.keySize === 0 || attr.valueSize === 0) return ERRNO.EINVAL;
  if (attr.keySize + attr.valueSize >= KMALLOC_MAX - ELEMENT) return ERRNO.E2BIG;
  if (isPerCpu(attr.type) && round8(attr.valueSize) > 1 << 15) return ERRNO.E2BIG;
  if (attr.maxEntries > 2 ** 31) return ERRNO.E2BIG;
  return 0;
}

/** Elements an LRU table really has room for: a whole number for each CPU with separate lists. */
const entries = (map: MapRecord, cpus: number): number =>
  isLru(map.type) && map.flags & FLAG.NO_COMMON_LRU
    ? Math.max(cpus, Math.ceil(map.maxEntries / cpus) * cpus)
    : map.maxEntries;

/** rule: htab_map_mem_usage, 6.18 */
function memlock({ map, cpus }: MapAccess): number {
  const perCpu = isPerCpu(map.type);
  const value = round8(map.valueSize);
  const ofMaps = map.type === MAP_TYPE.hash_of_maps;
  const element = ELEMENT + round8(map.keySize) + (perCpu || ofMaps ? 8 : value);
  const n = entries(map, cpus);
  const base = HTAB + BUCKET * powerOfTwo(n) + cpus * 4 * LOCK_COUNT;
  if (map.flags & FLAG.NO_PREALLOC) {
    const one = element + 8 + (perCpu ? 16 + value * cpus : 0);
    return base + one * map.count;
  }
  if (perCpu) return base + element * n + value * cpus * n;
  if (isLru(map.type)) return base + element * n;
  return base + element * (ofMaps ? n : n + cpus) + 8 * cpus;
}

const find = (a: MapAccess, key: Uint8Array): Uint8Array | undefined => {
  const row = a.db.get('SELECT value FROM elem WHERE map = ? AND key = ?', a.map.id, key);
  return row && bytesOf(row.value);
};

function countBy(a: MapAccess, change: number): void {
  a.db.run('UPDATE map SET count = count + ? WHERE id = ?', change, a.map.id);
}

/** A number that grows with each use, to know the least recently used. */
const stamp = (a: MapAccess): number => a.db.next(`stamp:${a.map.id}`);

function lookup(a: MapAccess, key: Uint8Array): Uint8Array {
  const value = find(a, key);
  if (!value) throw new SysError('ENOENT');
  return Uint8Array.from(value);
}

/** Makes room by dropping the element that was used the longest time ago. */
function evict(a: MapAccess): void {
  const sql = 'SELECT key FROM elem WHERE map = ? AND stamp IS NOT NULL ORDER BY stamp LIMIT 1';
  const oldest = a.db.get(sql, a.map.id);
  if (oldest) remove(a, bytesOf(oldest.key));
}

function checkUpdateFlags(flags: bigint, exists: boolean): void {
  if ((flags & ~UPDATE.LOCK) > UPDATE.EXIST) throw new SysError('EINVAL');
  if (exists && flags & UPDATE.NOEXIST) throw new SysError('EEXIST');
  if (!exists && flags & UPDATE.EXIST) throw new SysError('ENOENT');
}

function store(a: MapAccess, key: Uint8Array, value: Uint8Array, flags: bigint): void {
  const exists = find(a, key) !== undefined;
  checkUpdateFlags(flags, exists);
  if (!exists) {
    // The count was read when the map was looked up in this transaction.
    if (a.map.count >= entries(a.map, a.cpus)) {
      if (!isLru(a.map.type)) throw new SysError('E2BIG');
      evict(a);
    }
    countBy(a, 1);
  }
  const used = isLru(a.map.type) ? stamp(a) : null;
  a.db.run('INSERT OR REPLACE INTO elem VALUES (?, ?, ?, ?)', a.map.id, key, value, used);
}

function remove(a: MapAccess, key: Uint8Array): void {
  if (a.db.run('DELETE FROM elem WHERE map = ? AND key = ?', a.map.id, key) === 0) throw new SysError('ENOENT');
  countBy(a, -1);
}

export function nextByteOrder(a: MapAccess, key: Uint8Array | undefined): Uint8Array {
  const after = key && find(a, key) ? key : undefined;
  const row = after
    ? a.db.get('SELECT key FROM elem WHERE map = ? AND key > ? ORDER BY key LIMIT 1', a.map.id, after)
    : a.db.get('SELECT key FROM elem WHERE map = ? ORDER BY key LIMIT 1', a.map.id);
  if (!row) throw new SysError('ENOENT');
  return Uint8Array.from(bytesOf(row.key));
}

export const hash: MapFamily = {
  check,
  memlock,
  lookup,
  update: store,
  remove,
  nextKey: nextByteOrder,
  valueBytes: (map, cpus) => (isPerCpu(map.type) ? round8(map.valueSize) * cpus : map.valueSize),
  lookupAndDelete(a, key) {
    const value = lookup(a, key);
    remove(a, key);
    return value;
  },
};

export const hashOfMaps: MapFamily = {
  holds: 'map',
  check: (attr) => (attr.valueSize !== 4 ? ERRNO.EINVAL : check(attr)),
  memlock,
  lookup(a, key) {
    lookup(a, key);
    return u32Key(a.handles.reference(a.map, key) ?? 0);
  },
  update(a, key, value, flags) {
    const id = innerMapId(a, value);
    store(a, key, u32Key(id), flags);
    a.handles.setReference(a.map, key, 'map', id);
  },
  remove(a, key) {
    remove(a, key);
    a.handles.setReference(a.map, key, 'map', undefined);
  },
  nextKey: nextByteOrder,
};
