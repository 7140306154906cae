// Kernel functions that the verifier knows by name, found by their BTF id.
import { BTF_KIND } from '../../btf/btf.ts';
import type { KernelImage } from '../image/image.ts';

/** Rule: special_kfunc_list of verifier.c, 6.18. */
export const SPECIAL_KFUNCS = [
  'bpf_obj_new_impl',
  'bpf_obj_drop_impl',
  'bpf_refcount_acquire_impl',
  'bpf_list_push_front_impl',
  'bpf_list_push_back_impl',
  'bpf_list_pop_front',
  'bpf_list_pop_back',
  'bpf_list_front',
  'bpf_list_back',
  'bpf_cast_to_kern_ctx',
  'bpf_rdonly_cast',
  'bpf_rcu_read_lock',
  'bpf_rcu_read_unlock',
  'bpf_rbtree_remove',
  'bpf_rbtree_add_impl',
  'bpf_rbtree_first',
  'bpf_rbtree_root',
  'bpf_rbtree_left',
  'bpf_rbtree_right',
  'bpf_dynptr_from_skb',
  'bpf_dynptr_from_xdp',
  'bpf_dynptr_from_skb_meta',
  'bpf_xdp_pull_data',
  'bpf_dynptr_slice',
  'bpf_dynptr_slice_rdwr',
  'bpf_dynptr_clone',
  'bpf_percpu_obj_new_impl',
  'bpf_percpu_obj_drop_impl',
  'bpf_throw',
  'bpf_wq_set_callback_impl',
  'bpf_preempt_disable',
  'bpf_preempt_enable',
  'bpf_iter_css_task_new',
  'bpf_session_cookie',
  'bpf_get_kmem_cache',
  'bpf_local_irq_save',
  'bpf_local_irq_restore',
  'bpf_iter_num_new',
  'bpf_iter_num_next',
  'bpf_iter_num_destroy',
  'bpf_set_dentry_xattr',
  'bpf_remove_dentry_xattr',
  'bpf_res_spin_lock',
  'bpf_res_spin_unlock',
  'bpf_res_spin_lock_irqsave',
  'bpf_res_spin_unlock_irqrestore',
  '__bpf_trap',
  'bpf_task_work_schedule_signal_impl',
  'bpf_task_work_schedule_resume_impl',
  // Metadata of received packets: only for programs bound to a device (XDP_METADATA_KFUNC_xxx).
  'bpf_xdp_metadata_rx_timestamp',
  'bpf_xdp_metadata_rx_hash',
  'bpf_xdp_metadata_rx_vlan_tag',
] as const;

export type SpecialKfunc = (typeof SPECIAL_KFUNCS)[number];

const byImage = new WeakMap<KernelImage, Map<number, SpecialKfunc>>();

/** The name of the special kernel function with this BTF id of the image, if it is one. */
export function specialKfunc(image: KernelImage, btfId: number): SpecialKfunc | undefined {
  let ids = byImage.get(image);
  if (ids === undefined) {
    ids = new Map();
    const btf = image.btf();
    for (const name of SPECIAL_KFUNCS) {
      const id = btf.find(name, BTF_KIND.FUNC);
      if (id !== 0) ids.set(id, name);
    }
    byImage.set(image, ids);
  }
  return ids.get(btfId);
}
