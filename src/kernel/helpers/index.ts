// All prototypes of helper functions in one table, and what else is a property of a helper's number.
import type { HelperName } from '../../isa/uapi.ts';
import type { HelperProto, ProtoRow } from '../verifier/helper-proto.ts';
import { INFRARED_HELPERS } from './infrared.ts';
import { LSM_HELPERS } from './lsm.ts';
import { MAPS_HELPERS } from './maps.ts';
import { RINGBUF_DYNPTR_HELPERS } from './ringbuf-dynptr.ts';
import { SKB_HELPERS } from './skb.ts';
import { SOCKET_HELPERS } from './socket.ts';
import { SOCKMAP_HELPERS } from './sockmap.ts';
import { SYNC_HELPERS } from './sync.ts';
import { SYSTEM_HELPERS } from './system.ts';
import { TEXT_HELPERS } from './text.ts';
import { TRACING_HELPERS } from './tracing.ts';
import { XDP_HELPERS } from './xdp.ts';

const ROWS = {
  ...MAPS_HELPERS,
  ...RINGBUF_DYNPTR_HELPERS,
  ...SYNC_HELPERS,
  ...SYSTEM_HELPERS,
  ...TEXT_HELPERS,
  ...TRACING_HELPERS,
  ...LSM_HELPERS,
  ...XDP_HELPERS,
  ...SKB_HELPERS,
  ...SOCKMAP_HELPERS,
  ...SOCKET_HELPERS,
  ...INFRARED_HELPERS,
};

/** Name of a prototype: a helper's, or one of its variants. */
export type HelperKey = keyof typeof ROWS;

export const HELPER_KEYS: readonly HelperKey[] = Object.keys(ROWS) as HelperKey[];

const made = new Map<HelperKey, HelperProto>();

/** The prototype of a key; the same object each time. */
export function prototypeOf(key: HelperKey): HelperProto {
  let proto = made.get(key);
  if (!proto) {
    const row: ProtoRow = ROWS[key];
    proto = { ...row, name: key, symbol: row.symbol ?? `bpf_${key}` };
    made.set(key, proto);
  }
  return proto;
}

/** Helpers after which pointers into the packet are void (rule: bpf_helper_changes_pkt_data). */
export const PACKET_CHANGING: ReadonlySet<HelperName> = new Set([
  'clone_redirect',
  'l3_csum_replace',
  'l4_csum_replace',
  'lwt_push_encap',
  'lwt_seg6_action',
  'lwt_seg6_adjust_srh',
  'lwt_seg6_store_bytes',
  'msg_pop_data',
  'msg_pull_data',
  'msg_push_data',
  'skb_adjust_room',
  'skb_change_head',
  'skb_change_proto',
  'skb_change_tail',
  'skb_pull_data',
  'skb_store_bytes',
  'skb_vlan_pop',
  'skb_vlan_push',
  'store_hdr_opt',
  'xdp_adjust_head',
  'xdp_adjust_meta',
  'xdp_adjust_tail',
  'tail_call',
]);
