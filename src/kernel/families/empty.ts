// Families whose elements only the kernel's own objects can fill (stack traces, devices, sockets, tasks…): they can be
// made and asked, and are empty.
import { ERRNO, SysError } from '../../errno.ts';
import { nextIndex } from './array.ts';
import { ACCESS_MASK, accessFlagsOk, FLAG, UPDATE } from './flags.ts';
import { bytesOf, type CreateAttr, type MapAccess, type MapFamily } from './record.ts';

const powerOfTwo = (n: number): number => {
  let p = 1;
  while (p < n) p *= 2;
  return p;
};

const flagsWithin = (attr: CreateAttr, known: number): boolean =>
  (attr.flags & ~known) === 0 && accessFlagsOk(attr.flags);

const fail = (errno: number): never => {
  throw new SysError(errno);
};

const absent = (): never => fail(ERRNO.ENOENT);
const u32 = (b: Uint8Array): number => new DataView(b.buffer, b.byteOffset, b.byteLength).getUint32(0, true);

/** Flags and place of an update of an array of kernel objects, in Linux's order of complaints. */
function checkPlace({ map }: MapAccess, key: Uint8Array, flags: bigint): void {
  if (flags > UPDATE.EXIST) fail(ERRNO.EINVAL);
  if (u32(key) >= map.maxEntries) fail(ERRNO.E2BIG);
  if (flags === UPDATE.NOEXIST) fail(ERRNO.EEXIST);
}

/** Deleting an empty place succeeds, one that is none is EINVAL. */
function clearPlace({ map }: MapAccess, key: Uint8Array): void {
  if (u32(key) >= map.maxEntries) fail(ERRNO.EINVAL);
}

const isDescriptorArray = (attr: CreateAttr): boolean =>
  attr.maxEntries !== 0 && attr.keySize === 4 && attr.valueSize === 4;
/** Values are a number, or a number and a program. */
const isDeviceArray = (attr: CreateAttr): boolean =>
  attr.maxEntries !== 0 && attr.keySize === 4 && (attr.valueSize === 4 || attr.valueSize === 8);
const DEVICE_FLAGS = FLAG.NUMA_NODE | FLAG.RDONLY | FLAG.WRONLY;

/** There are no network devices here: every interface number but 0, which empties a place, is unknown. rule: devmap.c */
const checkDevmap = (attr: CreateAttr): number =>
  isDeviceArray(attr) && !(attr.flags & ~DEVICE_FLAGS) ? 0 : ERRNO.EINVAL;

export const devmap: MapFamily = {
  addsFlags: FLAG.RDONLY_PROG,
  check: checkDevmap,
  memlock: ({ map }) => 344 + 8 * map.maxEntries,
  lookup: absent,
  update(a, key, value, flags) {
    checkPlace(a, key, flags);
    if (u32(value) !== 0) fail(ERRNO.EINVAL);
  },
  remove: clearPlace,
  nextKey: nextIndex,
};

export const devmapHash: MapFamily = {
  addsFlags: FLAG.RDONLY_PROG,
  check: checkDevmap,
  memlock: ({ map }) => 344 + 8 * powerOfTwo(map.maxEntries),
  lookup: absent,
  update: () => fail(ERRNO.EINVAL),
  remove: absent,
  nextKey: absent,
};

const MAX_QUEUE = 16384;

/** An entry is the length of a CPU's queue. rule: cpumap.c, 6.18 */
export const cpumap: MapFamily = {
  check(attr) {
    if (!isDeviceArray(attr) || attr.flags & ~FLAG.NUMA_NODE) return ERRNO.EINVAL;
    return attr.maxEntries > attr.maxCpus ? ERRNO.E2BIG : 0;
  },
  memlock: ({ map }) => 304 + 8 * map.maxEntries,
  lookup(a, key) {
    const row = a.db.get('SELECT value FROM elem WHERE map = ? AND key = ?', a.map.id, key);
    return row ? Uint8Array.from(bytesOf(row.value)) : absent();
  },
  update(a, key, value, flags) {
    checkPlace(a, key, flags);
    const length = u32(value);
    if (length > MAX_QUEUE) fail(ERRNO.EOVERFLOW);
    if (u32(key) >= a.cpus) fail(ERRNO.ENODEV);
    if (length === 0) a.db.run('DELETE FROM elem WHERE map = ? AND key = ?', a.map.id, key);
    else a.db.run('INSERT OR REPLACE INTO elem VALUES (?, ?, ?, NULL)', a.map.id, key, value);
  },
  remove(a, key) {
    clearPlace(a, key);
    a.db.run('DELETE FROM elem WHERE map = ? AND key = ?', a.map.id, key);
  },
  nextKey: nextIndex,
};

/** No sockets here: descriptors of them cannot be open. */
export const xskmap: MapFamily = {
  check: (attr) => (isDescriptorArray(attr) && !(attr.flags & ~DEVICE_FLAGS) ? 0 : ERRNO.EINVAL),
  memlock: ({ map }) => 304 + 8 * map.maxEntries,
  lookup: () => fail(ERRNO.EOPNOTSUPP),
  update({ map }, key, _value, flags) {
    if (flags > UPDATE.EXIST) fail(ERRNO.EINVAL);
    if (u32(key) >= map.maxEntries) fail(ERRNO.E2BIG);
    fail(ERRNO.EBADF);
  },
  remove: clearPlace,
  nextKey: nextIndex,
};

const isSocketMap = (attr: CreateAttr): boolean =>
  attr.maxEntries !== 0 && (attr.valueSize === 4 || attr.valueSize === 8) && !(attr.flags & ~DEVICE_FLAGS);
/** Only values of eight bytes, which hold a cookie, can be read. */
const cookieOnly = ({ map }: MapAccess): never => fail(map.valueSize === 8 ? ERRNO.ENOENT : ERRNO.ENOSPC);

export const sockmap: MapFamily = {
  check: (attr) => (isSocketMap(attr) && attr.keySize === 4 ? 0 : ERRNO.EINVAL),
  memlock: ({ map }) => 376 + 8 * map.maxEntries,
  lookup: cookieOnly,
  update: () => fail(ERRNO.EBADF),
  remove: () => fail(ERRNO.EINVAL),
  nextKey: nextIndex,
};

export const sockhash: MapFamily = {
  check: (attr) => (!isSocketMap(attr) || attr.keySize === 0 ? ERRNO.EINVAL : attr.keySize > 512 ? ERRNO.E2BIG : 0),
  memlock: ({ map }) => 384 + 16 * powerOfTwo(map.maxEntries),
  lookup: cookieOnly,
  update: () => fail(ERRNO.EBADF),
  remove: absent,
  nextKey: absent,
};

export const reuseportSockarray: MapFamily = {
  check(attr) {
    if (attr.valueSize !== 4 && attr.valueSize !== 8) return ERRNO.EINVAL;
    const shape = attr.maxEntries !== 0 && attr.keySize === 4;
    return shape && flagsWithin(attr, FLAG.NUMA_NODE | ACCESS_MASK) ? 0 : ERRNO.EINVAL;
  },
  memlock: ({ map }) => 296 + 8 * map.maxEntries,
  lookup: absent,
  update({ map }, key, value, flags) {
    if (flags > UPDATE.EXIST) fail(ERRNO.EINVAL);
    if (u32(key) >= map.maxEntries) fail(ERRNO.E2BIG);
    // A descriptor in eight bytes must still be one.
    fail(value.length === 8 && u32(value.subarray(4)) !== 0 ? ERRNO.EINVAL : ERRNO.EBADF);
  },
  remove({ map }, key) {
    fail(u32(key) >= map.maxEntries ? ERRNO.E2BIG : ERRNO.ENOENT);
  },
  nextKey: nextIndex,
};

const MAX_FRAMES = 127;

/** rule: stack_map_alloc, 6.18 */
export const stackTrace: MapFamily = {
  check(attr) {
    const unit = attr.flags & FLAG.STACK_BUILD_ID ? 32 : 8;
    if (attr.flags & ~(FLAG.NUMA_NODE | FLAG.RDONLY | FLAG.WRONLY | FLAG.STACK_BUILD_ID)) return ERRNO.EINVAL;
    if (attr.maxEntries === 0 || attr.keySize !== 4 || attr.valueSize < 8) return ERRNO.EINVAL;
    if (attr.valueSize % unit || attr.valueSize / unit > MAX_FRAMES) return ERRNO.EINVAL;
    return attr.maxEntries > 2 ** 31 ? ERRNO.E2BIG : 0;
  },
  memlock: ({ map }) => 320 + 8 * powerOfTwo(map.maxEntries) + map.maxEntries * (16 + map.valueSize),
  lookup: absent,
  lookupAndDelete: absent,
  remove: ({ map }, key) => fail(u32(key) >= powerOfTwo(map.maxEntries) ? ERRNO.E2BIG : ERRNO.ENOENT),
  nextKey: absent,
  missing: { update: ERRNO.EINVAL },
};

/** Storage of control groups by program: no entries of its own. rule: cgroup_storage_map_alloc, 6.18 */
export const cgroupStorage: MapFamily = {
  check(attr) {
    if (attr.keySize !== 16 && attr.keySize !== 8) return ERRNO.EINVAL;
    if (attr.valueSize === 0) return ERRNO.EINVAL;
    if (attr.valueSize > 4096) return ERRNO.E2BIG;
    const known = FLAG.NUMA_NODE | ACCESS_MASK;
    return flagsWithin(attr, known) && attr.maxEntries === 0 ? 0 : ERRNO.EINVAL;
  },
  memlock: () => 328,
  lookup: absent,
  update: (_a, _key, _value, flags) => fail(flags & ~UPDATE.EXIST ? ERRNO.EINVAL : ERRNO.ENOENT),
  nextKey: absent,
  missing: { remove: ERRNO.EINVAL },
};

/** Storage of sockets, files, tasks, control groups: needs BTF of its value. rule: bpf_local_storage_map_alloc_check */
export const localStorage: MapFamily = {
  check(attr) {
    if (attr.flags & ~(FLAG.NO_PREALLOC | FLAG.CLONE) || !(attr.flags & FLAG.NO_PREALLOC)) return ERRNO.EINVAL;
    if (attr.maxEntries || attr.keySize !== 4 || !attr.valueSize || !attr.hasBtf) return ERRNO.EINVAL;
    return attr.valueSize > 65535 - 64 ? ERRNO.E2BIG : 0;
  },
  memlock: ({ cpus }) => 448 + 16 * Math.max(2, powerOfTwo(cpus)),
  lookup: () => fail(ERRNO.EBADF),
  update: () => fail(ERRNO.EBADF),
  remove: () => fail(ERRNO.EBADF),
  missing: { nextKey: ERRNO.ENOTSUPP },
};

/** rule: arena_map_alloc, 6.18 */
export const arena: MapFamily = {
  direct: true,
  check(attr) {
    if (attr.keySize || attr.valueSize || attr.maxEntries === 0) return ERRNO.EINVAL;
    if (!(attr.flags & FLAG.MMAPABLE)) return ERRNO.EINVAL;
    const known = FLAG.SEGV_ON_FAULT | FLAG.MMAPABLE | FLAG.NO_USER_CONV;
    if (attr.flags & ~known || attr.extra & 4095n) return ERRNO.EINVAL;
    return attr.maxEntries > 2 ** 20 ? ERRNO.E2BIG : 0;
  },
  memlock: () => 0,
  missing: {
    lookup: ERRNO.EINVAL,
    update: ERRNO.EOPNOTSUPP,
    remove: ERRNO.EOPNOTSUPP,
    nextKey: ERRNO.EOPNOTSUPP,
  },
};
