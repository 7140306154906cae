// Socket filters.
import { SK_BASE_HELPERS } from './base-helpers.ts';
import type { HelperSet, ProgramType } from './program-type.ts';
import { type SkbUse, skbAccess } from './skb-access.ts';

/** Rule: sk_filter_func_proto; cgroup_skb programs have these as well. */
export const SOCKET_FILTER_HELPERS: HelperSet = [
  {
    plain: ['skb_load_bytes', 'skb_load_bytes_relative', 'get_socket_cookie', 'get_netns_cookie', 'get_socket_uid'],
    variants: { perf_event_output: 'skb_event_output' },
  },
  ...SK_BASE_HELPERS,
];

/** Rule: sk_filter_is_valid_access. */
const SKB: SkbUse = {
  hidden: ['tc_classid', 'data', 'data_meta', 'data_end', 'family..local_port', 'tstamp', 'wire_len', 'hwtstamp'],
  writable: ['cb'],
  pointers: {},
};

export const socketFilter: ProgramType = {
  name: 'socket_filter',
  helpers: SOCKET_FILTER_HELPERS,
  isValidAccess: (view, off, size, access, info) => skbAccess(SKB, view, off, size, access, info),
  convertsContext: true,
  packet: 'none',
  loadsFromSkb: true,
  kfuncHook: 'socket_filter',
};
