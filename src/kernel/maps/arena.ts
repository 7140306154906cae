// Arenas: memory shared by programs and user space; no elements at the system call.
import { ERRNO } from '../../errno.ts';
import { FLAG } from './flags.ts';
import type { MapFamily, MapRecord } from './record.ts';

const MAX_BYTES = 2 ** 32;
/** Where user space puts arenas that do not say where they want to be, from above downwards. */
const USER_TOP = 0x7f0000000000n;
const USER_PLACES = 0x4000n;

/**
 * First address of an arena in user space. A loader maps each arena as soon as it is made, and Linux then puts it where
 * there is room; here each has a place of its own by its id.
 */
export const arenaStart = ({ id, extra }: Pick<MapRecord, 'id' | 'extra'>): bigint =>
  extra !== 0n ? extra : USER_TOP - (BigInt(id) % USER_PLACES) * BigInt(MAX_BYTES);

/** rule: arena_map_alloc, 6.18 */
export const arena: MapFamily = {
  checkLate(attr, { pageSize }) {
    if (attr.keySize || attr.valueSize || attr.maxEntries === 0) return ERRNO.EINVAL;
    if (!(attr.flags & FLAG.MMAPABLE)) return ERRNO.EINVAL;
    const known = FLAG.SEGV_ON_FAULT | FLAG.MMAPABLE | FLAG.NO_USER_CONV;
    if (attr.flags & ~known || attr.extra & BigInt(pageSize - 1)) return ERRNO.EINVAL;
    const size = BigInt(attr.maxEntries) * BigInt(pageSize);
    if (size > MAX_BYTES) return ERRNO.E2BIG;
    return attr.extra >> 32n === (attr.extra + size - 1n) >> 32n ? 0 : ERRNO.ERANGE;
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
