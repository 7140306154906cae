// Strings.
import type { KfuncSet } from './kfunc-set.ts';

/** Rule: common_btf_ids, helpers.c. */
export const STRING_KFUNCS: KfuncSet = {
  hooks: ['common'],
  flags: {
    bpf_strcmp: 0,
    bpf_strcasecmp: 0,
    bpf_strchr: 0,
    bpf_strchrnul: 0,
    bpf_strnchr: 0,
    bpf_strrchr: 0,
    bpf_strlen: 0,
    bpf_strnlen: 0,
    bpf_strspn: 0,
    bpf_strcspn: 0,
    bpf_strstr: 0,
    bpf_strnstr: 0,
  },
};
