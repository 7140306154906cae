// Stream parsers and verdicts of socket maps.
import { SK_BASE_HELPERS } from './base-helpers.ts';
import type { HelperSet, ProgramType } from './program-type.ts';
import { PACKET_POINTERS, type SkbUse, skbAccess } from './skb-access.ts';

/** Rule: sk_skb_func_proto. */
const HELPERS: HelperSet = [
  {
    plain: [
      'skb_store_bytes',
      'skb_load_bytes',
      'get_socket_cookie',
      'get_socket_uid',
      'sk_redirect_map',
      'sk_redirect_hash',
      'sk_lookup_tcp',
      'sk_lookup_udp',
      'sk_release',
      'skc_lookup_tcp',
    ],
    variants: {
      skb_pull_data: 'sk_skb_pull_data',
      skb_change_tail: 'sk_skb_change_tail',
      skb_change_head: 'sk_skb_change_head',
      skb_adjust_room: 'sk_skb_adjust_room',
      perf_event_output: 'skb_event_output',
    },
  },
  ...SK_BASE_HELPERS,
];

/** Rule: sk_skb_is_valid_access. */
const SKB: SkbUse = {
  hidden: ['tc_classid', 'data_meta', 'tstamp', 'wire_len', 'hwtstamp', 'mark'],
  writable: ['tc_index', 'priority'],
  pointers: PACKET_POINTERS,
};

export const skSkb: ProgramType = {
  name: 'sk_skb',
  helpers: HELPERS,
  isValidAccess: (view, off, size, access, info) => skbAccess(SKB, view, off, size, access, info),
  convertsContext: true,
  packet: 'write',
  kfuncHook: 'sk_skb',
};
