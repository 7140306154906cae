// Events in the life of a cgroup's TCP connections.
import { REG } from '../verifier/types.ts';
import { type ContextRules, judge, OR_NULL } from './access-rules.ts';
import { CGROUP_COMMON, SK_BASE_HELPERS } from './base-helpers.ts';
import type { ProgramType } from './program-type.ts';

/** Rule: sock_ops_is_valid_access. */
const CONTEXT: ContextRules = {
  struct: 'bpf_sock_ops',
  rules: [
    { field: 'reply', start: true, read: 4, write: 4 },
    { field: 'sk_txhash', start: true, read: 4, write: 4 },
    { field: 'bytes_received..bytes_acked', read: 8, write: 'no' },
    { field: 'sk', read: 8, write: 'no', gives: OR_NULL.socket },
    { field: 'skb_data', read: 8, write: 'no', gives: REG.PACKET },
    { field: 'skb_data_end', read: 8, write: 'no', gives: REG.PACKET_END },
    { field: 'skb_tcp_flags', start: true, read: 'narrow4', write: 'no' },
    { field: 'skb_hwtstamp', read: 8, write: 'no' },
  ],
  otherwise: { read: 4, write: 'no' },
};

export const sockOps: ProgramType = {
  name: 'sock_ops',
  /** Rule: sock_ops_func_proto. */
  helpers: [
    CGROUP_COMMON,
    {
      plain: [
        'sock_ops_cb_flags_set',
        'sock_map_update',
        'sock_hash_update',
        'sk_storage_get',
        'sk_storage_delete',
        'tcp_sock',
      ],
      variants: {
        setsockopt: 'sock_ops_setsockopt',
        getsockopt: 'sock_ops_getsockopt',
        get_socket_cookie: 'get_socket_cookie_sock_ops',
        perf_event_output: 'event_output_data',
        get_netns_cookie: 'get_netns_cookie_sock_ops',
        load_hdr_opt: 'sock_ops_load_hdr_opt',
        store_hdr_opt: 'sock_ops_store_hdr_opt',
        reserve_hdr_opt: 'sock_ops_reserve_hdr_opt',
      },
    },
    ...SK_BASE_HELPERS,
  ],
  isValidAccess: (view, off, size, access, info) => judge(CONTEXT, view, off, size, access, info),
  convertsContext: true,
  packet: 'none',
  kfuncHook: 'cgroup',
  returnRange: () => ({ min: 0, max: 1 }),
};
