// Which conversions a program type has.
import { PROG_TYPE, type ProgTypeName } from '../../../isa/uapi.ts';
import { SOCKOPT_CONTEXT, SYSCTL_CONTEXT } from './cgroup.ts';
import type { ContextRules } from './conversion.ts';
import { PERF_EVENT_CONTEXT } from './perf-event.ts';
import { SK_DROP, TC_ACT_SHOT } from './prologue.ts';
import { SK_LOOKUP_CONTEXT, SK_REUSEPORT_CONTEXT } from './sk-lookup.ts';
import { SK_MSG_CONTEXT } from './sk-msg.ts';
import { FLOW_DISSECTOR_CONTEXT, SK_SKB_CONTEXT, SKB_CONTEXT, TC_CONTEXT } from './skb.ts';
import { SOCK_CONTEXT } from './sock.ts';
import { SOCK_ADDR_CONTEXT } from './sock-addr.ts';
import { SOCK_OPS_CONTEXT } from './sock-ops.ts';
import { XDP_CONTEXT } from './xdp.ts';

/** What the rewriter must know of a program type. */
export interface ContextKind {
  /** Absent: accesses stay as they are. */
  rules?: ContextRules;
  /** Direct writes to the packet: 'none' needs nothing, a number is the verdict when no private copy can be had. */
  directWrite?: 'none' | number;
}

const KINDS: Readonly<Partial<Record<ProgTypeName, ContextKind>>> = {
  socket_filter: { rules: SKB_CONTEXT },
  sched_cls: { rules: TC_CONTEXT, directWrite: TC_ACT_SHOT },
  sched_act: { rules: TC_CONTEXT, directWrite: TC_ACT_SHOT },
  xdp: { rules: XDP_CONTEXT, directWrite: 'none' },
  cgroup_skb: { rules: SKB_CONTEXT },
  lwt_in: { rules: SKB_CONTEXT },
  lwt_out: { rules: SKB_CONTEXT },
  lwt_xmit: { rules: SKB_CONTEXT, directWrite: TC_ACT_SHOT },
  lwt_seg6local: { rules: SKB_CONTEXT },
  cgroup_sock: { rules: SOCK_CONTEXT },
  cgroup_sock_addr: { rules: SOCK_ADDR_CONTEXT },
  sock_ops: { rules: SOCK_OPS_CONTEXT },
  sk_skb: { rules: SK_SKB_CONTEXT, directWrite: SK_DROP },
  sk_msg: { rules: SK_MSG_CONTEXT, directWrite: 'none' },
  flow_dissector: { rules: FLOW_DISSECTOR_CONTEXT },
  sk_reuseport: { rules: SK_REUSEPORT_CONTEXT },
  sk_lookup: { rules: SK_LOOKUP_CONTEXT },
  cgroup_sysctl: { rules: SYSCTL_CONTEXT },
  cgroup_sockopt: { rules: SOCKOPT_CONTEXT, directWrite: 'none' },
  perf_event: { rules: PERF_EVENT_CONTEXT },
};

const byNumber = new Map<number, ContextKind>(
  Object.entries(KINDS).map(([name, kind]) => [PROG_TYPE[name as ProgTypeName], kind]),
);

/** The kind of a program type by number; an empty one where nothing is converted. */
export const contextKind = (progType: number): ContextKind => byNumber.get(progType) ?? {};
