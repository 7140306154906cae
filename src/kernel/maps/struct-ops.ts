// Implementations of kernel structs of operations. None of these structs is simulated: making such a map always fails.
import { ERRNO } from '../../errno.ts';
import { FLAG } from './flags.ts';
import type { MapFamily } from './record.ts';

/** rule: bpf_struct_ops_map_alloc_check, bpf_struct_ops_map_alloc, 6.18 */
export const structOps: MapFamily = {
  check(attr) {
    if (attr.keySize !== 4 || attr.maxEntries !== 1 || attr.kernelType === 0) return ERRNO.EINVAL;
    return attr.flags & ~(FLAG.LINK | FLAG.VTYPE_BTF_OBJ_FD) ? ERRNO.EINVAL : 0;
  },
  checkLate: () => ERRNO.ENOTSUPP,
  memlock: () => 0,
};
