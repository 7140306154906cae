// Packets and sockets.
import { ATTACH_TYPE } from '../../isa/uapi.ts';
import { KF, type KfuncSet } from './kfunc-set.ts';

/** Rule: bpf_kfunc_check_set_skb, filter.c. */
export const SKB_KFUNCS: KfuncSet = {
  hooks: ['tc', 'sched_act', 'sk_skb', 'socket_filter', 'cgroup', 'lwt', 'netfilter', 'tracing'],
  flags: {
    bpf_dynptr_from_skb: KF.TRUSTED_ARGS,
  },
};

/** Rule: bpf_kfunc_check_set_skb_meta, filter.c. */
export const SKB_META_KFUNCS: KfuncSet = {
  hooks: ['tc', 'sched_act'],
  flags: {
    bpf_dynptr_from_skb_meta: KF.TRUSTED_ARGS,
  },
};

/** Rule: bpf_kfunc_check_set_xdp, filter.c; xdp_metadata_kfunc_ids, xdp.c. */
export const XDP_KFUNCS: KfuncSet = {
  hooks: ['xdp'],
  flags: {
    bpf_dynptr_from_xdp: 0,
    bpf_xdp_pull_data: 0,
    bpf_xdp_metadata_rx_timestamp: KF.TRUSTED_ARGS,
    bpf_xdp_metadata_rx_hash: KF.TRUSTED_ARGS,
    bpf_xdp_metadata_rx_vlan_tag: KF.TRUSTED_ARGS,
  },
};

/** Rule: bpf_kfunc_check_set_sock_addr, bpf_kfunc_check_set_sock_ops, filter.c. */
export const SOCK_ADDR_KFUNCS: KfuncSet = {
  hooks: ['cgroup'],
  flags: {
    bpf_sock_addr_set_sun_path: 0,
    bpf_sock_ops_enable_tx_tstamp: KF.TRUSTED_ARGS,
  },
};

/** Rule: bpf_kfunc_check_set_tcp_reqsk, filter.c; fou_kfunc_set, fou_bpf.c. */
export const TCP_REQSK_KFUNCS: KfuncSet = {
  hooks: ['tc'],
  flags: {
    bpf_sk_assign_tcp_reqsk: KF.TRUSTED_ARGS,
    bpf_skb_set_fou_encap: 0,
    bpf_skb_get_fou_encap: 0,
  },
};

/** Rule: bpf_sk_iter_kfunc_ids, filter.c. */
export const SOCK_ITER_KFUNCS: KfuncSet = {
  hooks: ['tracing'],
  when: (view) => view.expectedAttachType === ATTACH_TYPE.trace_iter,
  flags: {
    bpf_sock_destroy: KF.TRUSTED_ARGS,
  },
};

/** Rule: nf_ct_kfunc_set, nf_nat_kfunc_set. */
export const CONNTRACK_KFUNCS: KfuncSet = {
  hooks: ['xdp', 'tc'],
  flags: {
    bpf_xdp_ct_alloc: KF.ACQUIRE | KF.RET_NULL,
    bpf_xdp_ct_lookup: KF.ACQUIRE | KF.RET_NULL,
    bpf_skb_ct_alloc: KF.ACQUIRE | KF.RET_NULL,
    bpf_skb_ct_lookup: KF.ACQUIRE | KF.RET_NULL,
    bpf_ct_insert_entry: KF.ACQUIRE | KF.RET_NULL | KF.RELEASE,
    bpf_ct_release: KF.RELEASE,
    bpf_ct_set_timeout: KF.TRUSTED_ARGS,
    bpf_ct_change_timeout: KF.TRUSTED_ARGS,
    bpf_ct_set_status: KF.TRUSTED_ARGS,
    bpf_ct_change_status: KF.TRUSTED_ARGS,
    bpf_ct_set_nat_info: KF.TRUSTED_ARGS,
  },
};

/** Rule: xfrm_state_kfunc_set. */
export const XFRM_KFUNCS: KfuncSet = {
  hooks: ['xdp'],
  flags: {
    bpf_xdp_get_xfrm_state: KF.RET_NULL | KF.ACQUIRE,
    bpf_xdp_xfrm_state_release: KF.RELEASE,
  },
};
