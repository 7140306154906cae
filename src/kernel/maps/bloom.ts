// Bloom filters. Which values a filter takes for members by mistake depends on a random seed in Linux; here none are.
import { ERRNO, SysError } from '../../errno.ts';
import { findElement, putElement } from './elements.ts';
import { ACCESS_MASK, accessFlagsOk, FLAG, UPDATE } from './flags.ts';
import { KMALLOC_MAX } from './hash.ts';
import { type CreateAttr, type MapCharge, type MapFamily, powerOfTwo } from './record.ts';

/** Hash functions when none are asked for. */
const DEFAULT_HASHES = 5;
const MIN_BITS = 64;
/** Filters that would need more have the largest number of bits. */
const MANY_BITS = 2 ** 31;
const MAX_BITS = 2 ** 32;
const HASHES_MASK = 0xfn;

/** rule: bloom_map_alloc, 6.18 */
function checkLate(attr: CreateAttr): number {
  const known = FLAG.NUMA_NODE | FLAG.ZERO_SEED | ACCESS_MASK;
  if (attr.keySize !== 0 || attr.valueSize === 0 || attr.maxEntries === 0) return ERRNO.EINVAL;
  if (attr.flags & ~known || !accessFlagsOk(attr.flags)) return ERRNO.EINVAL;
  return attr.extra & ~HASHES_MASK ? ERRNO.EINVAL : 0;
}

function memlock({ map, sizeOf }: MapCharge): number {
  const hashes = Number(map.extra & HASHES_MASK) || DEFAULT_HASHES;
  const product = map.maxEntries * hashes;
  const wanted = Math.floor(product / 5) * 7;
  const bits = product >= MAX_BITS || wanted > MANY_BITS ? MAX_BITS : powerOfTwo(Math.max(wanted, MIN_BITS));
  return sizeOf('bpf_bloom_filter') + bits / 8;
}

export const bloomFilter: MapFamily = {
  check: (attr) => (attr.valueSize > KMALLOC_MAX ? ERRNO.E2BIG : 0),
  checkLate,
  memlock,
  /** The value to look for is that of the caller's buffer, which is zero behind this door. */
  lookup(a) {
    const value = new Uint8Array(a.map.valueSize);
    if (!findElement(a, value)) throw new SysError('ENOENT');
    return value;
  },
  update(a, _key, value, flags) {
    if (flags !== UPDATE.ANY) throw new SysError('EINVAL');
    putElement(a, value, new Uint8Array(0));
  },
  missing: { remove: ERRNO.EOPNOTSUPP, nextKey: ERRNO.EOPNOTSUPP },
};
