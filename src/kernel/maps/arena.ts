// Arenas: memory shared by programs and user space; no elements at the system call.
import { ERRNO } from '../../errno.ts';
import { FLAG } from './flags.ts';
import type { MapFamily } from './record.ts';

const MAX_BYTES = 2 ** 32;

/** rule: arena_map_alloc, 6.18 */
export const arena: MapFamily = {
  checkLate(attr, { pageSize }) {
    if (attr.keySize || attr.valueSize || attr.maxEntries === 0) return ERRNO.EINVAL;
    if (!(attr.flags & FLAG.MMAPABLE)) return ERRNO.EINVAL;
    const known = FLAG.SEGV_ON_FAULT | FLAG.MMAPABLE | FLAG.NO_USER_CONV;
    if (attr.flags & ~known || attr.extra & BigInt(pageSize - 1)) return ERRNO.EINVAL;
    return attr.maxEntries * pageSize > MAX_BYTES ? ERRNO.E2BIG : 0;
  },
  valueArea: (attr, { pageSize }) => attr.maxEntries * pageSize,
  memlock: () => 0,
  missing: {
    lookup: ERRNO.EINVAL,
    update: ERRNO.EOPNOTSUPP,
    remove: ERRNO.EOPNOTSUPP,
    nextKey: ERRNO.EOPNOTSUPP,
  },
};
