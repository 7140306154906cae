// Lightweight tunnels: routes that hand packets to a program.
import { SK_BASE_HELPERS } from './base-helpers.ts';
import type { HelperSet, ProgramType } from './program-type.ts';
import { PACKET_POINTERS, type SkbUse, skbAccess } from './skb-access.ts';

/** Rule: lwt_out_func_proto. */
const OUT_HELPERS: HelperSet = [
  {
    plain: [
      'skb_load_bytes',
      'skb_pull_data',
      'csum_diff',
      'get_cgroup_classid',
      'get_route_realm',
      'get_hash_recalc',
      'get_smp_processor_id',
      'skb_under_cgroup',
    ],
    variants: { perf_event_output: 'skb_event_output' },
  },
  ...SK_BASE_HELPERS,
];

/** Rule: lwt_xmit_func_proto. */
const XMIT_HELPERS: HelperSet = [
  {
    plain: [
      'skb_get_tunnel_key',
      'skb_set_tunnel_key',
      'skb_get_tunnel_opt',
      'skb_set_tunnel_opt',
      'redirect',
      'clone_redirect',
      'skb_change_tail',
      'skb_change_head',
      'skb_store_bytes',
      'csum_update',
      'csum_level',
      'l3_csum_replace',
      'l4_csum_replace',
      'set_hash_invalid',
    ],
    variants: { lwt_push_encap: 'lwt_xmit_push_encap' },
  },
  ...OUT_HELPERS,
];

/** Rule: lwt_is_valid_access. */
const SKB: SkbUse = {
  hidden: ['tc_classid', 'family..local_port', 'data_meta', 'tstamp', 'wire_len', 'hwtstamp'],
  writable: ['mark', 'priority', 'cb'],
  pointers: PACKET_POINTERS,
};

const common = {
  isValidAccess: (view, off, size, access, info) => skbAccess(SKB, view, off, size, access, info),
  convertsContext: true,
  kfuncHook: 'lwt',
} satisfies Partial<ProgramType>;

export const lwtIn: ProgramType = {
  name: 'lwt_in',
  helpers: [{ variants: { lwt_push_encap: 'lwt_in_push_encap' } }, ...OUT_HELPERS],
  packet: 'read',
  ...common,
};
export const lwtOut: ProgramType = { name: 'lwt_out', helpers: OUT_HELPERS, packet: 'read', ...common };
export const lwtXmit: ProgramType = { name: 'lwt_xmit', helpers: XMIT_HELPERS, packet: 'write', ...common };
export const lwtSeg6local: ProgramType = {
  name: 'lwt_seg6local',
  helpers: [
    {
      when: (view) => view.image.config('CONFIG_IPV6_SEG6_BPF') === 'y',
      plain: ['lwt_seg6_store_bytes', 'lwt_seg6_action', 'lwt_seg6_adjust_srh'],
    },
    ...OUT_HELPERS,
  ],
  packet: 'read',
  ...common,
};
