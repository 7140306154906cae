// Traffic control: classifiers and actions.
import { REG } from '../verifier/types.ts';
import { SK_BASE_HELPERS } from './base-helpers.ts';
import { writeNfConn } from './nf-conn.ts';
import type { HelperSet, ProgramType } from './program-type.ts';
import { PACKET_POINTERS, type SkbUse, skbAccess } from './skb-access.ts';

/** Rule: tc_cls_act_func_proto. */
const HELPERS: HelperSet = [
  {
    plain: [
      'skb_store_bytes',
      'skb_load_bytes',
      'skb_load_bytes_relative',
      'skb_pull_data',
      'csum_diff',
      'csum_update',
      'csum_level',
      'l3_csum_replace',
      'l4_csum_replace',
      'clone_redirect',
      'get_cgroup_classid',
      'skb_vlan_push',
      'skb_vlan_pop',
      'skb_change_proto',
      'skb_change_type',
      'skb_adjust_room',
      'skb_change_tail',
      'skb_change_head',
      'skb_get_tunnel_key',
      'skb_set_tunnel_key',
      'skb_get_tunnel_opt',
      'skb_set_tunnel_opt',
      'redirect',
      'redirect_neigh',
      'redirect_peer',
      'get_route_realm',
      'get_hash_recalc',
      'set_hash_invalid',
      'set_hash',
      'get_smp_processor_id',
      'skb_under_cgroup',
      'get_socket_cookie',
      'get_netns_cookie',
      'get_socket_uid',
      'sk_fullsock',
      'sk_storage_get',
      'sk_storage_delete',
      'skb_get_xfrm_state',
      'skb_cgroup_classid',
      'skb_cgroup_id',
      'skb_ancestor_cgroup_id',
      'sk_release',
      'tcp_sock',
      'get_listener_sock',
      'tcp_check_syncookie',
      'skb_ecn_set_ce',
      'tcp_gen_syncookie',
      'sk_assign',
      'skb_set_tstamp',
      'tcp_raw_gen_syncookie_ipv4',
      'tcp_raw_gen_syncookie_ipv6',
      'tcp_raw_check_syncookie_ipv4',
      'tcp_raw_check_syncookie_ipv6',
    ],
    variants: {
      perf_event_output: 'skb_event_output',
      fib_lookup: 'skb_fib_lookup',
      check_mtu: 'skb_check_mtu',
      sk_lookup_tcp: 'tc_sk_lookup_tcp',
      sk_lookup_udp: 'tc_sk_lookup_udp',
      skc_lookup_tcp: 'tc_skc_lookup_tcp',
    },
  },
  ...SK_BASE_HELPERS,
];

/** Rule: tc_cls_act_is_valid_access. */
const SKB: SkbUse = {
  hidden: ['family..local_port'],
  writable: ['mark', 'tc_index', 'priority', 'tc_classid', 'cb', 'tstamp', 'queue_mapping'],
  pointers: { ...PACKET_POINTERS, data_meta: REG.PACKET_META },
  tstampType: true,
};

const common = {
  helpers: HELPERS,
  isValidAccess: (view, off, size, access, info) => skbAccess(SKB, view, off, size, access, info),
  convertsContext: true,
  packet: 'write',
  structWrite: writeNfConn,
  loadsFromSkb: true,
} satisfies Omit<ProgramType, 'name'>;

export const schedCls: ProgramType = { name: 'sched_cls', ...common, kfuncHook: 'tc' };
export const schedAct: ProgramType = { name: 'sched_act', ...common, kfuncHook: 'sched_act' };
