// Hooks of netfilter.
import { BTF_KIND } from '../../btf/btf.ts';
import { FLAG, REG } from '../verifier/types.ts';
import { BASE_HELPERS } from './base-helpers.ts';
import { layoutOf, rangeOf } from './layout.ts';
import type { ProgramType } from './program-type.ts';

/** Fields of `struct bpf_nf_ctx` and the kernel structs that they lead to. */
const POINTERS = { skb: 'sk_buff', state: 'nf_hook_state' } as const;

export const netfilter: ProgramType = {
  name: 'netfilter',
  helpers: BASE_HELPERS,
  /** Rule: nf_is_valid_access. */
  isValidAccess(view, off, size, access, info) {
    if (access === 'write' || off < 0 || off % size !== 0) return false;
    const layout = layoutOf(view.image, 'bpf_nf_ctx');
    for (const field of ['skb', 'state'] as const) {
      const range = rangeOf(layout, field);
      if (off < range.off || off >= range.end) continue;
      if (size !== range.end - range.off) return false;
      const btf = view.image.btf();
      info.regType = REG.BTF_ID | FLAG.TRUSTED;
      info.btf = btf;
      info.btfId = btf.find(POINTERS[field], BTF_KIND.STRUCT);
      return info.btfId !== 0;
    }
    return false;
  },
  convertsContext: false,
  packet: 'none',
  kfuncHook: 'netfilter',
  returnRange: () => ({ min: 0, max: 1 }),
};
