// Dynptrs.
import { KF, type KfuncSet } from './kfunc-set.ts';

/** Rule: common_btf_ids, helpers.c. */
export const DYNPTR_KFUNCS: KfuncSet = {
  hooks: ['common'],
  flags: {
    bpf_dynptr_slice: KF.RET_NULL,
    bpf_dynptr_slice_rdwr: KF.RET_NULL,
    bpf_dynptr_adjust: 0,
    bpf_dynptr_is_null: 0,
    bpf_dynptr_is_rdonly: 0,
    bpf_dynptr_size: 0,
    bpf_dynptr_clone: 0,
    bpf_dynptr_copy: 0,
    bpf_dynptr_memset: 0,
    bpf_probe_read_user_dynptr: 0,
    bpf_probe_read_kernel_dynptr: 0,
    bpf_probe_read_user_str_dynptr: 0,
    bpf_probe_read_kernel_str_dynptr: 0,
    bpf_copy_from_user_dynptr: KF.SLEEPABLE,
    bpf_copy_from_user_str_dynptr: KF.SLEEPABLE,
    bpf_copy_from_user_task_dynptr: KF.SLEEPABLE | KF.TRUSTED_ARGS,
    bpf_copy_from_user_task_str_dynptr: KF.SLEEPABLE | KF.TRUSTED_ARGS,
  },
};
