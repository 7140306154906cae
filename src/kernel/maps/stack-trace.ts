// Stack traces by number: only programs put them in.
import { ERRNO } from '../../errno.ts';
import { absent, fail } from './fail.ts';
import { FLAG } from './flags.ts';
import { u32Of } from './numbers.ts';
import { type MapFamily, powerOfTwo } from './record.ts';

const POINTER = 8;
/** Bytes of a frame: an address, or struct bpf_stack_build_id. */
const ADDRESS = 8;
const BUILD_ID = 32;
const MAX_BUCKETS = 2 ** 31;

/** rule: stack_map_alloc, 6.18 */
export const stackTrace: MapFamily = {
  checkLate(attr, { maxStackDepth }) {
    const frame = attr.flags & FLAG.STACK_BUILD_ID ? BUILD_ID : ADDRESS;
    if (attr.flags & ~(FLAG.NUMA_NODE | FLAG.RDONLY | FLAG.WRONLY | FLAG.STACK_BUILD_ID)) return ERRNO.EINVAL;
    if (attr.maxEntries === 0 || attr.keySize !== 4 || attr.valueSize < ADDRESS) return ERRNO.EINVAL;
    if (attr.valueSize % frame || attr.valueSize / frame > maxStackDepth) return ERRNO.EINVAL;
    return attr.maxEntries > MAX_BUCKETS ? ERRNO.E2BIG : 0;
  },
  memlock: ({ map, sizeOf }) =>
    sizeOf('bpf_stack_map') +
    POINTER * powerOfTwo(map.maxEntries) +
    map.maxEntries * (sizeOf('stack_map_bucket') + map.valueSize),
  lookup: absent,
  lookupAndDelete: absent,
  remove: ({ map }, key) => fail(u32Of(key) >= powerOfTwo(map.maxEntries) ? ERRNO.E2BIG : ERRNO.ENOENT),
  nextKey: absent,
  missing: { update: ERRNO.EINVAL },
};
