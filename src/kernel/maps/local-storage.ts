// Storage that hangs on sockets, files, tasks and control groups. None of these is simulated: the maps can be made, and
// descriptors of such things are never open.
import { ERRNO } from '../../errno.ts';
import { MAP_TYPE } from '../../isa/uapi.ts';
import { absent, fail } from './fail.ts';
import { ACCESS_MASK, accessFlagsOk, FLAG, UPDATE } from './flags.ts';
import { type MapFamily, type MemoryLayout, powerOfTwo } from './record.ts';

/** Sizes of the keys: control group and attach type, or the control group alone. */
const CGROUP_KEYS: readonly number[] = [16, 8];
const U16_MAX = 65535;
/** The smallest unit of per-CPU memory. */
const MAX_PER_CPU = 32768;
const MIN_BUCKETS = 2;

/** rule: BPF_LOCAL_STORAGE_MAX_VALUE_SIZE, 6.18 */
const maxValue = ({ sizeOf }: MemoryLayout): number => U16_MAX - sizeOf('bpf_local_storage_elem');

/** By program, not by key. rule: cgroup_storage_map_alloc, 6.18 */
export const cgroupStorage: MapFamily = {
  neverInner: true,
  checkLate(attr, layout) {
    if (!CGROUP_KEYS.includes(attr.keySize) || attr.valueSize === 0) return ERRNO.EINVAL;
    const perCpu = attr.type === MAP_TYPE.percpu_cgroup_storage;
    if (attr.valueSize > Math.min(maxValue(layout), perCpu ? MAX_PER_CPU : U16_MAX)) return ERRNO.E2BIG;
    if (attr.flags & ~(FLAG.NUMA_NODE | ACCESS_MASK) || !accessFlagsOk(attr.flags)) return ERRNO.EINVAL;
    return attr.maxEntries === 0 ? 0 : ERRNO.EINVAL;
  },
  memlock: ({ sizeOf }) => sizeOf('bpf_cgroup_storage_map'),
  lookup: absent,
  update: (_a, _key, _value, flags) => fail(flags & ~UPDATE.EXIST ? ERRNO.EINVAL : ERRNO.ENOENT),
  nextKey: absent,
  missing: { remove: ERRNO.EINVAL },
};

/** Needs BTF of its value. rule: bpf_local_storage_map_alloc_check, 6.18 */
export const localStorage: MapFamily = {
  check(attr, layout) {
    if (attr.flags & ~(FLAG.NO_PREALLOC | FLAG.CLONE) || !(attr.flags & FLAG.NO_PREALLOC)) return ERRNO.EINVAL;
    if (attr.maxEntries || attr.keySize !== 4 || !attr.valueSize || !attr.hasBtf) return ERRNO.EINVAL;
    return attr.valueSize > maxValue(layout) ? ERRNO.E2BIG : 0;
  },
  memlock: ({ cpus, sizeOf }) =>
    sizeOf('bpf_local_storage_map') + sizeOf('bpf_local_storage_map_bucket') * Math.max(MIN_BUCKETS, powerOfTwo(cpus)),
  lookup: () => fail(ERRNO.EBADF),
  update: () => fail(ERRNO.EBADF),
  remove: () => fail(ERRNO.EBADF),
};
