// CPU masks.
import { KF, type KfuncSet } from './kfunc-set.ts';

/** Rule: cpumask_kfunc_btf_ids, cpumask.c. */
export const CPUMASK_KFUNCS: KfuncSet = {
  hooks: ['tracing', 'struct_ops', 'syscall'],
  flags: {
    bpf_cpumask_create: KF.ACQUIRE | KF.RET_NULL,
    bpf_cpumask_release: KF.RELEASE,
    bpf_cpumask_acquire: KF.ACQUIRE | KF.TRUSTED_ARGS,
    bpf_cpumask_first: KF.RCU,
    bpf_cpumask_first_zero: KF.RCU,
    bpf_cpumask_first_and: KF.RCU,
    bpf_cpumask_set_cpu: KF.RCU,
    bpf_cpumask_clear_cpu: KF.RCU,
    bpf_cpumask_test_cpu: KF.RCU,
    bpf_cpumask_test_and_set_cpu: KF.RCU,
    bpf_cpumask_test_and_clear_cpu: KF.RCU,
    bpf_cpumask_setall: KF.RCU,
    bpf_cpumask_clear: KF.RCU,
    bpf_cpumask_and: KF.RCU,
    bpf_cpumask_or: KF.RCU,
    bpf_cpumask_xor: KF.RCU,
    bpf_cpumask_equal: KF.RCU,
    bpf_cpumask_intersects: KF.RCU,
    bpf_cpumask_subset: KF.RCU,
    bpf_cpumask_empty: KF.RCU,
    bpf_cpumask_full: KF.RCU,
    bpf_cpumask_copy: KF.RCU,
    bpf_cpumask_any_distribute: KF.RCU,
    bpf_cpumask_any_and_distribute: KF.RCU,
    bpf_cpumask_weight: KF.RCU,
    bpf_cpumask_populate: KF.RCU,
  },
};
