// Families whose elements only the kernel's own objects can fill (stack traces, devices, sockets, tasks…): they can be
// made and asked, and are empty.
import { ERRNO, SysError } from '../../../errno.ts';
import { MAP_TYPE } from '../../../isa/uapi.ts';
import { nextIndex } from './array.ts';
import { ACCESS_MASK, accessFlagsOk, FLAG } from './flags.ts';
import type { CreateAttr, MapAccess, MapFamily } from './record.ts';

const powerOfTwo = (n: number): number => {
  let p = 1;
  while (p < n) p *= 2;
  return p;
};

const flagsWithin = (attr: CreateAttr, known: number): boolean =>
  (attr.flags & ~known) === 0 && accessFlagsOk(attr.flags);

const absent = (): never => {
  throw new SysError('ENOENT');
};

/** An array of kernel objects that is empty. */
const emptyArray = (check: (attr: CreateAttr) => number, memlock: (a: MapAccess) => number): MapFamily => ({
  check,
  memlock,
  lookup: absent,
  update: () => {
    throw new SysError('EBADF');
  },
  remove: absent,
  nextKey: nextIndex,
});

const isDescriptorArray = (attr: CreateAttr): boolean =>
  attr.maxEntries !== 0 && attr.keySize === 4 && attr.valueSize === 4;

/** rule: dev_map_alloc, 6.18: values are an interface, or an interface and a program. */
export const devmap: MapFamily = emptyArray(
  (attr) =>
    attr.maxEntries !== 0 && attr.keySize === 4 && (attr.valueSize === 4 || attr.valueSize === 8) && !(attr.flags & ~FLAG.NUMA_NODE & ~ACCESS_MASK)
      ? 0
      : ERRNO.EINVAL,
  ({ map }) => (map.type === MAP_TYPE.devmap ? 344 + 8 * map.maxEntries : 344 + 8 * powerOfTwo(map.maxEntries)),
);

export const cpumap: MapFamily = emptyArray(
  (attr) =>
    attr.maxEntries !== 0 && attr.keySize === 4 && (attr.valueSize === 4 || attr.valueSize === 8) && !(attr.flags & ~FLAG.NUMA_NODE)
      ? attr.maxEntries > 1024
        ? ERRNO.E2BIG
        : 0
      : ERRNO.EINVAL,
  ({ map }) => 304 + 8 * map.maxEntries,
);

export const xskmap: MapFamily = {
  ...emptyArray(
    (attr) => (isDescriptorArray(attr) && !(attr.flags & ~(FLAG.NUMA_NODE | ACCESS_MASK)) ? 0 : ERRNO.EINVAL),
    ({ map }) => 304 + 8 * map.maxEntries,
  ),
  lookup: () => {
    throw new SysError('EOPNOTSUPP');
  },
};

const isSocketMap = (attr: CreateAttr): boolean =>
  attr.maxEntries !== 0 && (attr.valueSize === 4 || attr.valueSize === 8) && !(attr.flags & ~(FLAG.NUMA_NODE | ACCESS_MASK));

export const sockmap: MapFamily = emptyArray(
  (attr) => (isSocketMap(attr) && attr.keySize === 4 ? 0 : ERRNO.EINVAL),
  ({ map }) => 376 + 8 * map.maxEntries,
);

export const sockhash: MapFamily = {
  ...emptyArray(
    (attr) => (!isSocketMap(attr) || attr.keySize === 0 ? ERRNO.EINVAL : attr.keySize > 512 ? ERRNO.E2BIG : 0),
    ({ map }) => 384 + 16 * powerOfTwo(map.maxEntries),
  ),
  nextKey: absent,
};

export const reuseportSockarray: MapFamily = emptyArray(
  (attr) => {
    if (attr.valueSize !== 4 && attr.valueSize !== 8) return ERRNO.EINVAL;
    return attr.maxEntries !== 0 && attr.keySize === 4 && flagsWithin(attr, FLAG.NUMA_NODE | ACCESS_MASK) ? 0 : ERRNO.EINVAL;
  },
  ({ map }) => 296 + 8 * map.maxEntries,
);

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
  remove: absent,
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
  update: absent,
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
  lookup: () => {
    throw new SysError('EBADF');
  },
  update: () => {
    throw new SysError('EBADF');
  },
  remove: () => {
    throw new SysError('EBADF');
  },
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

