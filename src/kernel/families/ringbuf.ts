// Ring buffers: no elements at the system call; programs write, readers map the memory.
import { ERRNO } from '../../errno.ts';
import { FLAG } from './flags.ts';
import type { CreateAttr, MapAccess, MapFamily } from './record.ts';

/** sizeof(struct bpf_ringbuf_map), and pages before the data. */
const RINGBUF_MAP = 304;
const PAGE = 4096;
const CONTROL_PAGES = 3;

const isPowerOfTwo = (n: number): boolean => n > 0 && (n & (n - 1)) === 0;

/** rule: ringbuf_map_alloc, 6.18 */
function check(attr: CreateAttr): number {
  if (attr.flags & ~FLAG.NUMA_NODE) return ERRNO.EINVAL;
  if (attr.keySize || attr.valueSize) return ERRNO.EINVAL;
  return isPowerOfTwo(attr.maxEntries) && attr.maxEntries % PAGE === 0 ? 0 : ERRNO.EINVAL;
}

function memlock({ map }: MapAccess): number {
  const pages = map.maxEntries / PAGE;
  return RINGBUF_MAP + PAGE * (CONTROL_PAGES + pages) + 8 * (CONTROL_PAGES + 2 * pages);
}

export const ringbuf: MapFamily = {
  check,
  memlock,
  missing: { lookup: ERRNO.ENOTSUPP, update: ERRNO.ENOTSUPP, remove: ERRNO.ENOTSUPP, nextKey: ERRNO.ENOTSUPP },
};
