// Objects, lists and trees of the program.
import { KF, type KfuncSet } from './kfunc-set.ts';

/** Rule: generic_btf_ids, helpers.c. */
export const GRAPH_KFUNCS: KfuncSet = {
  hooks: ['tracing', 'tc', 'xdp', 'struct_ops', 'syscall', 'cgroup'],
  flags: {
    bpf_obj_new_impl: KF.ACQUIRE | KF.RET_NULL,
    bpf_percpu_obj_new_impl: KF.ACQUIRE | KF.RET_NULL,
    bpf_obj_drop_impl: KF.RELEASE,
    bpf_percpu_obj_drop_impl: KF.RELEASE,
    bpf_refcount_acquire_impl: KF.ACQUIRE | KF.RET_NULL | KF.RCU,
    bpf_list_push_front_impl: 0,
    bpf_list_push_back_impl: 0,
    bpf_list_pop_front: KF.ACQUIRE | KF.RET_NULL,
    bpf_list_pop_back: KF.ACQUIRE | KF.RET_NULL,
    bpf_list_front: KF.RET_NULL,
    bpf_list_back: KF.RET_NULL,
    bpf_rbtree_remove: KF.ACQUIRE | KF.RET_NULL,
    bpf_rbtree_add_impl: 0,
    bpf_rbtree_first: KF.RET_NULL,
    bpf_rbtree_root: KF.RET_NULL,
    bpf_rbtree_left: KF.RET_NULL,
    bpf_rbtree_right: KF.RET_NULL,
  },
};
