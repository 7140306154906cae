// Ring buffers: no elements at the system call; programs write, readers map the memory.
import { ERRNO } from '../../errno.ts';
import { FLAG } from './flags.ts';
import type { CreateAttr, MapCharge, MapFamily, MemoryLayout } from './record.ts';

/** Pages before the data, and the size of a pointer to each page: data pages are mapped twice. */
const CONTROL_PAGES = 3;
const POINTER = 8;

const isPowerOfTwo = (n: number): boolean => n > 0 && (n & (n - 1)) === 0;

/** rule: ringbuf_map_alloc, 6.18 */
function check(attr: CreateAttr, { pageSize }: MemoryLayout): number {
  if (attr.flags & ~FLAG.NUMA_NODE) return ERRNO.EINVAL;
  if (attr.keySize || attr.valueSize) return ERRNO.EINVAL;
  return isPowerOfTwo(attr.maxEntries) && attr.maxEntries % pageSize === 0 ? 0 : ERRNO.EINVAL;
}

function memlock({ map, pageSize, sizeOf }: MapCharge): number {
  const pages = map.maxEntries / pageSize;
  return sizeOf('bpf_ringbuf_map') + pageSize * (CONTROL_PAGES + pages) + POINTER * (CONTROL_PAGES + 2 * pages);
}

export const ringbuf: MapFamily = {
  checkLate: check,
  memlock,
  missing: { lookup: ERRNO.ENOTSUPP, update: ERRNO.ENOTSUPP, remove: ERRNO.ENOTSUPP, nextKey: ERRNO.ENOTSUPP },
};
