// Bloom filters. Which values a filter takes for members by mistake depends on a random seed in Linux; here none are.
import { ERRNO, SysError } from '../../errno.ts';
import { ACCESS_MASK, accessFlagsOk, FLAG, UPDATE } from './flags.ts';
import type { CreateAttr, MapAccess, MapFamily } from './record.ts';

/** sizeof(struct bpf_bloom_filter) before its bits; hash functions when none are asked for. */
const FILTER = 312;
const DEFAULT_HASHES = 5;
const MIN_BITS = 64;

/** rule: bloom_map_alloc, 6.18 */
function check(attr: CreateAttr): number {
  const known = FLAG.NUMA_NODE | FLAG.ZERO_SEED | ACCESS_MASK;
  if (attr.keySize !== 0 || attr.valueSize === 0 || attr.maxEntries === 0) return ERRNO.EINVAL;
  if (attr.flags & ~known || !accessFlagsOk(attr.flags)) return ERRNO.EINVAL;
  return attr.extra & ~0xfn ? ERRNO.EINVAL : 0;
}

function memlock({ map }: MapAccess): number {
  const hashes = Number(map.extra & 0xfn) || DEFAULT_HASHES;
  const wanted = Math.floor((map.maxEntries * hashes) / 5) * 7;
  let bits = MIN_BITS;
  while (bits < wanted) bits *= 2;
  return FILTER + bits / 8;
}

export const bloomFilter: MapFamily = {
  check,
  memlock,
  lookup(a, _key) {
    // Asking for membership passes the value to look for; the door's lookup has none.
    throw new SysError(a.map.valueSize > 0 ? 'ENOENT' : 'EINVAL');
  },
  update(a, _key, value, flags) {
    if (flags !== UPDATE.ANY) throw new SysError('EINVAL');
    a.db.run('INSERT OR REPLACE INTO elem VALUES (?, ?, ?, NULL)', a.map.id, value, new Uint8Array(0));
  },
  missing: { remove: ERRNO.EOPNOTSUPP, nextKey: ERRNO.EOPNOTSUPP },
};
