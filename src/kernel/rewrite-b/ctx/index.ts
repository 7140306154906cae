// The context conversions by program type.
import { PROG_TYPE } from '../../../isa/uapi.ts';
import type { ContextRules } from './conversion.ts';
import { FLOW_DISSECTOR_CONTEXT, SK_SKB_CONTEXT, SKB_CONTEXT, TC_CONTEXT } from './skb.ts';
import { SOCK_CONTEXT } from './sock.ts';
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
  [PROG_TYPE.flow_dissector, FLOW_DISSECTOR_CONTEXT],
]);

/** Undefined: programs of the type access their context as it is. */
export const contextRules = (progType: number): ContextRules | undefined => RULES.get(progType);
