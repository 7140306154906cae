// Maps that lead packets to network devices, CPUs and AF_XDP sockets. There are no devices or sockets on a simulated
// kernel, so that these maps can be made and asked, and all but cpumap stay empty.
import { ERRNO } from '../../errno.ts';
import { checkArray, nextIndex } from './array.ts';
import { countElements, dropElement, findElement, putElement } from './elements.ts';
import { absent, fail } from './fail.ts';
import { FLAG, UPDATE } from './flags.ts';
import { u32Of } from './numbers.ts';
import { type CreateAttr, type MapAccess, type MapFamily, powerOfTwo } from './record.ts';

const POINTER = 8;
const KNOWN_FLAGS = FLAG.NUMA_NODE | FLAG.RDONLY | FLAG.WRONLY;
/** Packets in the queue of a CPU. */
const MAX_QUEUE = 16384;

/** Values are a number, or a number and a program. */
const isDeviceMap = (attr: CreateAttr): boolean =>
  attr.maxEntries !== 0 && attr.keySize === 4 && (attr.valueSize === 4 || attr.valueSize === 8);

/** Flags and place of an update, in Linux's order of complaints. */
function checkPlace({ map }: MapAccess, key: Uint8Array, flags: bigint): void {
  if (flags > UPDATE.EXIST) fail(ERRNO.EINVAL);
  if (u32Of(key) >= map.maxEntries) fail(ERRNO.E2BIG);
  if (flags === UPDATE.NOEXIST) fail(ERRNO.EEXIST);
}

/** Deleting an empty place succeeds, one that is none is EINVAL. */
function clearPlace({ map }: MapAccess, key: Uint8Array): void {
  if (u32Of(key) >= map.maxEntries) fail(ERRNO.EINVAL);
}

/** rule: dev_map_alloc_check, 6.18 */
const checkDevmap = (attr: CreateAttr): number =>
  isDeviceMap(attr) && !(attr.flags & ~KNOWN_FLAGS) ? 0 : ERRNO.EINVAL;

/** Every interface number but 0, which empties a place, is unknown. */
export const devmap: MapFamily = {
  owned: true,
  addsFlags: FLAG.RDONLY_PROG,
  check: checkDevmap,
  memlock: ({ map, sizeOf }) => sizeOf('bpf_dtab') + POINTER * map.maxEntries + sizeOf('bpf_dtab_netdev') * map.count,
  lookup: absent,
  update(a, key, value, flags) {
    checkPlace(a, key, flags);
    if (u32Of(value) !== 0) fail(ERRNO.EINVAL);
    // Linux counts whatever is put into an empty place, even nothing.
    countElements(a, 1);
  },
  remove: clearPlace,
  nextKey: nextIndex,
};

export const devmapHash: MapFamily = {
  addsFlags: FLAG.RDONLY_PROG,
  check: checkDevmap,
  memlock: ({ map, sizeOf }) => sizeOf('bpf_dtab') + POINTER * powerOfTwo(map.maxEntries),
  lookup: absent,
  update: () => fail(ERRNO.EINVAL),
  remove: absent,
  nextKey: absent,
};

/** An entry is the length of a CPU's queue. rule: cpumap.c, 6.18 */
export const cpumap: MapFamily = {
  owned: true,
  checkLate(attr) {
    if (!isDeviceMap(attr) || attr.flags & ~FLAG.NUMA_NODE) return ERRNO.EINVAL;
    return attr.maxEntries > attr.maxCpus ? ERRNO.E2BIG : 0;
  },
  memlock: ({ map, sizeOf }) => sizeOf('bpf_cpu_map') + POINTER * map.maxEntries,
  lookup: (a, key) => findElement(a, key) ?? absent(),
  update(a, key, value, flags) {
    checkPlace(a, key, flags);
    const length = u32Of(value);
    if (length > MAX_QUEUE) fail(ERRNO.EOVERFLOW);
    if (u32Of(key) >= a.cpus) fail(ERRNO.ENODEV);
    if (length === 0) dropElement(a, key);
    else putElement(a, key, value);
  },
  remove(a, key) {
    clearPlace(a, key);
    dropElement(a, key);
  },
  nextKey: nextIndex,
};

/** rule: xsk_map_alloc, 6.18 */
export const xskmap: MapFamily = {
  checkLate(attr) {
    const shape = attr.maxEntries !== 0 && attr.keySize === 4 && attr.valueSize === 4;
    return shape && !(attr.flags & ~KNOWN_FLAGS) ? 0 : ERRNO.EINVAL;
  },
  memlock: ({ map, sizeOf }) => sizeOf('xsk_map') + POINTER * map.maxEntries,
  update(a, key, _value, flags) {
    if (flags > UPDATE.EXIST) fail(ERRNO.EINVAL);
    if (u32Of(key) >= a.map.maxEntries) fail(ERRNO.E2BIG);
    fail(ERRNO.EBADF);
  },
  remove: clearPlace,
  nextKey: nextIndex,
  missing: { lookup: ERRNO.EOPNOTSUPP },
};

/** Sockets of a group by number. rule: reuseport_array.c, 6.18 */
export const reuseportSockarray: MapFamily = {
  check: (attr) => (attr.valueSize !== 4 && attr.valueSize !== 8 ? ERRNO.EINVAL : checkArray(attr)),
  memlock: ({ map, sizeOf }) => sizeOf('reuseport_array') + POINTER * map.maxEntries,
  // Only values of eight bytes, which hold a cookie, can be read.
  lookup: ({ map }) => fail(map.valueSize === 8 ? ERRNO.ENOENT : ERRNO.ENOSPC),
  update({ map }, key, value, flags) {
    if (flags > UPDATE.EXIST) fail(ERRNO.EINVAL);
    if (u32Of(key) >= map.maxEntries) fail(ERRNO.E2BIG);
    // A descriptor in eight bytes must still be one.
    fail(value.length === 8 && u32Of(value.subarray(4)) !== 0 ? ERRNO.EINVAL : ERRNO.EBADF);
  },
  remove: ({ map }, key) => fail(u32Of(key) >= map.maxEntries ? ERRNO.E2BIG : ERRNO.ENOENT),
  nextKey: nextIndex,
};
