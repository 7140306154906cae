// Casts, critical sections, deferred work, streams, arenas and locks.
import { KF, type KfuncSet } from './kfunc-set.ts';

/** Rule: common_btf_ids, helpers.c; bpf_map_iter_kfunc_ids, map_iter.c. */
export const COMMON_KFUNCS: KfuncSet = {
  hooks: ['common'],
  flags: {
    bpf_cast_to_kern_ctx: KF.FASTCALL,
    bpf_rdonly_cast: KF.FASTCALL,
    bpf_rcu_read_lock: 0,
    bpf_rcu_read_unlock: 0,
    bpf_modify_return_test_tp: 0,
    bpf_wq_init: 0,
    bpf_wq_set_callback_impl: 0,
    bpf_wq_start: 0,
    bpf_preempt_disable: 0,
    bpf_preempt_enable: 0,
    bpf_copy_from_user_str: KF.SLEEPABLE,
    bpf_copy_from_user_task_str: KF.SLEEPABLE,
    bpf_get_kmem_cache: 0,
    bpf_local_irq_save: 0,
    bpf_local_irq_restore: 0,
    __bpf_trap: 0,
    bpf_cgroup_read_xattr: KF.RCU,
    bpf_stream_vprintk_impl: KF.TRUSTED_ARGS,
    bpf_task_work_schedule_signal_impl: KF.TRUSTED_ARGS,
    bpf_task_work_schedule_resume_impl: KF.TRUSTED_ARGS,
    bpf_map_sum_elem_count: KF.TRUSTED_ARGS,
  },
};

/** Rule: rqspinlock_kfunc_ids, rqspinlock.c. */
export const RES_LOCK_KFUNCS: KfuncSet = {
  hooks: ['common'],
  flags: {
    bpf_res_spin_lock: KF.RET_NULL,
    bpf_res_spin_unlock: 0,
    bpf_res_spin_lock_irqsave: KF.RET_NULL,
    bpf_res_spin_unlock_irqrestore: 0,
  },
};

/** Rule: arena_kfuncs, arena.c. */
export const ARENA_KFUNCS: KfuncSet = {
  hooks: ['common'],
  flags: {
    bpf_arena_alloc_pages: KF.TRUSTED_ARGS | KF.SLEEPABLE | KF.ARENA_RET | KF.ARENA_ARG2,
    bpf_arena_free_pages: KF.TRUSTED_ARGS | KF.SLEEPABLE | KF.ARENA_ARG2,
    bpf_arena_reserve_pages: KF.TRUSTED_ARGS | KF.SLEEPABLE | KF.ARENA_ARG2,
  },
};
