// Express data path.
import { ATTACH_TYPE } from '../../isa/uapi.ts';
import { REG } from '../verifier/types.ts';
import { type ContextRules, judge } from './access-rules.ts';
import { SK_BASE_HELPERS } from './base-helpers.ts';
import { writeNfConn } from './nf-conn.ts';
import type { HelperSet, ProgramType } from './program-type.ts';

/** Rule: xdp_func_proto. */
const HELPERS: HelperSet = [
  {
    plain: [
      'get_smp_processor_id',
      'csum_diff',
      'xdp_adjust_head',
      'xdp_adjust_meta',
      'xdp_adjust_tail',
      'xdp_get_buff_len',
      'xdp_load_bytes',
      'xdp_store_bytes',
      'sk_release',
      'tcp_check_syncookie',
      'tcp_gen_syncookie',
      'tcp_raw_gen_syncookie_ipv4',
      'tcp_raw_gen_syncookie_ipv6',
      'tcp_raw_check_syncookie_ipv4',
      'tcp_raw_check_syncookie_ipv6',
    ],
    variants: {
      perf_event_output: 'xdp_event_output',
      redirect: 'xdp_redirect',
      redirect_map: 'xdp_redirect_map',
      fib_lookup: 'xdp_fib_lookup',
      check_mtu: 'xdp_check_mtu',
      sk_lookup_udp: 'xdp_sk_lookup_udp',
      sk_lookup_tcp: 'xdp_sk_lookup_tcp',
      skc_lookup_tcp: 'xdp_skc_lookup_tcp',
    },
  },
  ...SK_BASE_HELPERS,
];

/** Rule: xdp_is_valid_access. */
const CONTEXT: ContextRules = {
  struct: 'xdp_md',
  rules: [
    { field: 'data', read: 4, write: 'no', gives: REG.PACKET, plainLoad: true },
    { field: 'data_end', read: 4, write: 'no', gives: REG.PACKET_END, plainLoad: true },
    { field: 'data_meta', read: 4, write: 'no', gives: REG.PACKET_META, plainLoad: true },
    {
      field: 'egress_ifindex',
      read: 4,
      write: 'no',
      when: (view) => view.expectedAttachType === ATTACH_TYPE.xdp_devmap,
    },
  ],
  otherwise: { read: 4, write: 'no' },
};

export const xdp: ProgramType = {
  name: 'xdp',
  helpers: HELPERS,
  isValidAccess: (view, off, size, access, info) => judge(CONTEXT, view, off, size, access, info),
  convertsContext: true,
  packet: 'write',
  structWrite: writeNfConn,
  kfuncHook: 'xdp',
};
