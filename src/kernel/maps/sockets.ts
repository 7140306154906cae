// Maps of sockets. There are none on a simulated kernel: the maps can be made and asked, and stay empty.
import { ERRNO } from '../../errno.ts';
import { nextIndex } from './array.ts';
import { absent, fail } from './fail.ts';
import { FLAG } from './flags.ts';
import { type CreateAttr, type MapAccess, type MapFamily, powerOfTwo } from './record.ts';

const POINTER = 8;
/** MAX_BPF_STACK: longer keys could not be given by a program. */
const MAX_KEY = 512;
const KNOWN_FLAGS = FLAG.NUMA_NODE | FLAG.RDONLY | FLAG.WRONLY;

const isSocketMap = (attr: CreateAttr): boolean =>
  attr.maxEntries !== 0 && (attr.valueSize === 4 || attr.valueSize === 8) && !(attr.flags & ~KNOWN_FLAGS);

/** Only values of eight bytes, which hold a cookie, can be read. */
const cookieOnly = ({ map }: MapAccess): never => fail(map.valueSize === 8 ? ERRNO.ENOENT : ERRNO.ENOSPC);

const MAX_FD = 0x7fffffffn;

/** No descriptor is one of a socket. rule: sock_map_update_elem_sys, 6.18 */
function noSocket({ map }: MapAccess, _key: Uint8Array, value: Uint8Array): never {
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  const fd = map.valueSize === 8 ? view.getBigUint64(0, true) : BigInt(view.getUint32(0, true));
  return fail(fd > MAX_FD ? ERRNO.EINVAL : ERRNO.EBADF);
}

/** rule: sock_map_alloc, 6.18 */
export const sockmap: MapFamily = {
  checkLate: (attr) => (isSocketMap(attr) && attr.keySize === 4 ? 0 : ERRNO.EINVAL),
  memlock: ({ map, sizeOf }) => sizeOf('bpf_stab') + POINTER * map.maxEntries,
  lookup: cookieOnly,
  update: noSocket,
  remove: () => fail(ERRNO.EINVAL),
  nextKey: nextIndex,
};

/** rule: sock_hash_alloc, 6.18 */
export const sockhash: MapFamily = {
  checkLate(attr) {
    if (!isSocketMap(attr) || attr.keySize === 0) return ERRNO.EINVAL;
    return attr.keySize > MAX_KEY ? ERRNO.E2BIG : 0;
  },
  memlock: ({ map, sizeOf }) => sizeOf('bpf_shtab') + sizeOf('bpf_shtab_bucket') * powerOfTwo(map.maxEntries),
  lookup: cookieOnly,
  update: noSocket,
  remove: absent,
  nextKey: absent,
};
