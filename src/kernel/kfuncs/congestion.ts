// Congestion control of TCP.
import type { KfuncSet } from './kfunc-set.ts';

/** Rule: bpf_tcp_ca_check_kfunc_ids and those of cubic, dctcp and bbr. */
export const CONGESTION_KFUNCS: KfuncSet = {
  hooks: ['struct_ops'],
  flags: {
    tcp_reno_ssthresh: 0,
    tcp_reno_cong_avoid: 0,
    tcp_reno_undo_cwnd: 0,
    tcp_slow_start: 0,
    tcp_cong_avoid_ai: 0,
    cubictcp_init: 0,
    cubictcp_recalc_ssthresh: 0,
    cubictcp_cong_avoid: 0,
    cubictcp_state: 0,
    cubictcp_cwnd_event: 0,
    cubictcp_acked: 0,
    dctcp_init: 0,
    dctcp_update_alpha: 0,
    dctcp_cwnd_event: 0,
    dctcp_ssthresh: 0,
    dctcp_cwnd_undo: 0,
    dctcp_state: 0,
    bbr_init: 0,
    bbr_main: 0,
    bbr_sndbuf_expand: 0,
    bbr_undo_cwnd: 0,
    bbr_cwnd_event: 0,
    bbr_ssthresh: 0,
    bbr_min_tso_segs: 0,
    bbr_set_state: 0,
  },
};
