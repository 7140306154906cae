// Packets that enter or leave the sockets of a cgroup.
import { ATTACH_TYPE } from '../../isa/uapi.ts';
import { CGROUP_COMMON } from './base-helpers.ts';
import type { HelperSet, ProgramType } from './program-type.ts';
import { PACKET_POINTERS, type SkbUse, skbAccess } from './skb-access.ts';
import { SOCKET_FILTER_HELPERS } from './socket-filter.ts';

/** Rule: cg_skb_func_proto. */
const HELPERS: HelperSet = [
  CGROUP_COMMON,
  {
    plain: [
      'sk_fullsock',
      'sk_storage_get',
      'sk_storage_delete',
      'skb_cgroup_id',
      'skb_ancestor_cgroup_id',
      'sk_cgroup_id',
      'sk_ancestor_cgroup_id',
      'sk_lookup_tcp',
      'sk_lookup_udp',
      'sk_release',
      'skc_lookup_tcp',
      'tcp_sock',
      'get_listener_sock',
      'skb_ecn_set_ce',
    ],
    variants: { perf_event_output: 'skb_event_output' },
  },
  ...SOCKET_FILTER_HELPERS,
];

/** Rule: cg_skb_is_valid_access. */
const SKB: SkbUse = {
  hidden: ['tc_classid', 'data_meta', 'wire_len'],
  writable: ['mark', 'priority', 'cb', 'tstamp'],
  pointers: PACKET_POINTERS,
  privileged: ['data', 'data_end'],
  privilegedToWrite: ['tstamp'],
};

export const cgroupSkb: ProgramType = {
  name: 'cgroup_skb',
  helpers: HELPERS,
  isValidAccess: (view, off, size, access, info) => skbAccess(SKB, view, off, size, access, info),
  convertsContext: true,
  packet: 'read',
  kfuncHook: 'cgroup',
  returnRange: (view) => ({ min: 0, max: view.expectedAttachType === ATTACH_TYPE.cgroup_inet_egress ? 3 : 1 }),
};
