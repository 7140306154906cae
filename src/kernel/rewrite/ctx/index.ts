// The context conversions by program type.
import { PROG_TYPE } from '../../../isa/uapi.ts';
import { SOCKOPT_CONTEXT, SYSCTL_CONTEXT } from './cgroup.ts';
import type { ContextRules } from './conversion.ts';
import { PERF_EVENT_CONTEXT } from './perf-event.ts';
import { SK_LOOKUP_CONTEXT, SK_REUSEPORT_CONTEXT } from './sk-lookup.ts';
import { SK_MSG_CONTEXT } from './sk-msg.ts';
import { FLOW_DISSECTOR_CONTEXT, SK_SKB_CONTEXT, SKB_CONTEXT, TC_CONTEXT } from './skb.ts';
import { SOCK_CONTEXT } from './sock.ts';
import { SOCK_ADDR_CONTEXT } from './sock-addr.ts';
import { SOCK_OPS_CONTEXT } from './sock-ops.ts';
import { XDP_CONTEXT } from './xdp.ts';

const RULES: ReadonlyMap<number, ContextRules> = new Map([
  [PROG_TYPE.socket_filter, SKB_CONTEXT],
  [PROG_TYPE.sched_cls, TC_CONTEXT],
  [PROG_TYPE.sched_act, TC_CONTEXT],
  [PROG_TYPE.xdp, XDP_CONTEXT],
  [PROG_TYPE.cgroup_skb, SKB_CONTEXT],
  [PROG_TYPE.cgroup_sock, SOCK_CONTEXT],
  [PROG_TYPE.lwt_in, SKB_CONTEXT],
  [PROG_TYPE.lwt_out, SKB_CONTEXT],
  [PROG_TYPE.lwt_xmit, SKB_CONTEXT],
  [PROG_TYPE.lwt_seg6local, SKB_CONTEXT],
  [PROG_TYPE.sk_skb, SK_SKB_CONTEXT],
  [PROG_TYPE.cgroup_sock_addr, SOCK_ADDR_CONTEXT],
  [PROG_TYPE.sock_ops, SOCK_OPS_CONTEXT],
  [PROG_TYPE.sk_msg, SK_MSG_CONTEXT],
  [PROG_TYPE.sk_reuseport, SK_REUSEPORT_CONTEXT],
  [PROG_TYPE.sk_lookup, SK_LOOKUP_CONTEXT],
  [PROG_TYPE.cgroup_sysctl, SYSCTL_CONTEXT],
  [PROG_TYPE.cgroup_sockopt, SOCKOPT_CONTEXT],
  [PROG_TYPE.perf_event, PERF_EVENT_CONTEXT],
  [PROG_TYPE.flow_dissector, FLOW_DISSECTOR_CONTEXT],
]);

/** Undefined: programs of the type access their context as it is. */
export const contextRules = (progType: number): ContextRules | undefined => RULES.get(progType);
