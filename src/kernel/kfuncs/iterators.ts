// Open-coded iterators.
import { KF, type KfuncSet } from './kfunc-set.ts';

/** Rule: common_btf_ids, helpers.c. */
export const ITERATOR_KFUNCS: KfuncSet = {
  hooks: ['common'],
  flags: {
    bpf_iter_num_new: KF.ITER_NEW,
    bpf_iter_num_next: KF.ITER_NEXT | KF.RET_NULL,
    bpf_iter_num_destroy: KF.ITER_DESTROY,
    bpf_iter_task_vma_new: KF.ITER_NEW | KF.RCU,
    bpf_iter_task_vma_next: KF.ITER_NEXT | KF.RET_NULL,
    bpf_iter_task_vma_destroy: KF.ITER_DESTROY,
    bpf_iter_css_task_new: KF.ITER_NEW | KF.TRUSTED_ARGS,
    bpf_iter_css_task_next: KF.ITER_NEXT | KF.RET_NULL,
    bpf_iter_css_task_destroy: KF.ITER_DESTROY,
    bpf_iter_css_new: KF.ITER_NEW | KF.TRUSTED_ARGS | KF.RCU_PROTECTED,
    bpf_iter_css_next: KF.ITER_NEXT | KF.RET_NULL,
    bpf_iter_css_destroy: KF.ITER_DESTROY,
    bpf_iter_task_new: KF.ITER_NEW | KF.TRUSTED_ARGS | KF.RCU_PROTECTED,
    bpf_iter_task_next: KF.ITER_NEXT | KF.RET_NULL,
    bpf_iter_task_destroy: KF.ITER_DESTROY,
    bpf_iter_bits_new: KF.ITER_NEW,
    bpf_iter_bits_next: KF.ITER_NEXT | KF.RET_NULL,
    bpf_iter_bits_destroy: KF.ITER_DESTROY,
    bpf_iter_kmem_cache_new: KF.ITER_NEW | KF.SLEEPABLE,
    bpf_iter_kmem_cache_next: KF.ITER_NEXT | KF.RET_NULL | KF.SLEEPABLE,
    bpf_iter_kmem_cache_destroy: KF.ITER_DESTROY | KF.SLEEPABLE,
    bpf_iter_dmabuf_new: KF.ITER_NEW | KF.SLEEPABLE,
    bpf_iter_dmabuf_next: KF.ITER_NEXT | KF.RET_NULL | KF.SLEEPABLE,
    bpf_iter_dmabuf_destroy: KF.ITER_DESTROY | KF.SLEEPABLE,
  },
};
