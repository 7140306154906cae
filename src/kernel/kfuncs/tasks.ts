// Tasks, control groups, keys, and what ends a program.
import { KF, type KfuncSet } from './kfunc-set.ts';

/** Rule: generic_btf_ids, helpers.c. */
export const TASK_KFUNCS: KfuncSet = {
  hooks: ['tracing', 'tc', 'xdp', 'struct_ops', 'syscall', 'cgroup'],
  flags: {
    bpf_task_acquire: KF.ACQUIRE | KF.RCU | KF.RET_NULL,
    bpf_task_release: KF.RELEASE,
    bpf_cgroup_acquire: KF.ACQUIRE | KF.RCU | KF.RET_NULL,
    bpf_cgroup_release: KF.RELEASE,
    bpf_cgroup_ancestor: KF.ACQUIRE | KF.RCU | KF.RET_NULL,
    bpf_cgroup_from_id: KF.ACQUIRE | KF.RET_NULL,
    bpf_task_under_cgroup: KF.RCU,
    bpf_task_get_cgroup1: KF.ACQUIRE | KF.RCU | KF.RET_NULL,
    bpf_task_from_pid: KF.ACQUIRE | KF.RET_NULL,
    bpf_task_from_vpid: KF.ACQUIRE | KF.RET_NULL,
    bpf_send_signal_task: KF.TRUSTED_ARGS,
    bpf_lookup_user_key: KF.ACQUIRE | KF.RET_NULL | KF.SLEEPABLE,
    bpf_lookup_system_key: KF.ACQUIRE | KF.RET_NULL,
    bpf_key_put: KF.RELEASE,
    crash_kexec: KF.DESTRUCTIVE,
    bpf_throw: 0,
  },
};

/** Rule: generic_btf_ids, helpers.c: only where the kernel can verify signatures, although the function is always there. */
export const SIGNATURE_KFUNCS: KfuncSet = {
  hooks: TASK_KFUNCS.hooks,
  when: (view) => view.image.config('CONFIG_SYSTEM_DATA_VERIFICATION') === 'y',
  flags: {
    bpf_verify_pkcs7_signature: KF.SLEEPABLE,
  },
};

/** Rule: bpf_rstat_kfunc_ids, rstat.c. */
export const RSTAT_KFUNCS: KfuncSet = {
  hooks: ['tracing'],
  flags: {
    css_rstat_updated: 0,
    css_rstat_flush: KF.SLEEPABLE,
  },
};
