// Sockets that programs hold pointers to: struct bpf_sock, bpf_tcp_sock, bpf_xdp_sock.
import { insnSize, JMP, SIZE } from '../../../isa/opcode.ts';
import { jumpImm, load, movImm } from '../build.ts';
import { type ContextRules, type Converter, narrowThrough, readWrite, through } from './conversion.ts';

/** sk_rx_queue_mapping of a socket that has none. */
const NO_QUEUE = 0xffff;

/** Part of an address, in the size of the access; `context` is the array that the access's offset counts from. */
const address =
  (context: string, member: string): Converter =>
  (c) => {
    const { code, dst, src, off } = c.insn;
    c.emit(load(insnSize(code), dst, src, c.field(member).off + off - c.field(context).off));
    c.targetSize = 4;
  };

const rxQueue: Converter = (c) => {
  narrowThrough('sock.sk_rx_queue_mapping')(c);
  c.emit(jumpImm(JMP.JNE, c.insn.dst, NO_QUEUE, 1), movImm(c.insn.dst, -1));
};

/** rule: bpf_sock_convert_ctx_access, 6.18 */
export const SOCK_CONTEXT: ContextRules = {
  struct: 'bpf_sock',
  fields: {
    bound_dev_if: readWrite('sock.sk_bound_dev_if'),
    mark: readWrite('sock.sk_mark'),
    priority: readWrite('sock.sk_priority'),
    family: narrowThrough('sock_common.skc_family'),
    type: narrowThrough('sock.sk_type'),
    protocol: narrowThrough('sock.sk_protocol'),
    src_ip4: address('bpf_sock.src_ip4', 'sock_common.skc_rcv_saddr'),
    dst_ip4: address('bpf_sock.dst_ip4', 'sock_common.skc_daddr'),
    'src_ip6..': address('bpf_sock.src_ip6', 'sock_common.skc_v6_rcv_saddr'),
    'dst_ip6..': address('bpf_sock.dst_ip6', 'sock_common.skc_v6_daddr'),
    src_port: narrowThrough('sock_common.skc_num'),
    dst_port: narrowThrough('sock_common.skc_dport'),
    state: narrowThrough('sock_common.skc_state'),
    rx_queue_mapping: rxQueue,
  },
};

/** Members that struct bpf_tcp_sock and struct bpf_sock_ops take from struct tcp_sock under their own names. */
export const TCP_SOCK_MEMBERS = [
  'snd_cwnd',
  'srtt_us',
  'snd_ssthresh',
  'rcv_nxt',
  'snd_nxt',
  'snd_una',
  'mss_cache',
  'ecn_flags',
  'rate_delivered',
  'rate_interval_us',
  'packets_out',
  'retrans_out',
  'total_retrans',
  'segs_in',
  'data_segs_in',
  'segs_out',
  'data_segs_out',
  'lost_out',
  'sacked_out',
  'bytes_received',
  'bytes_acked',
] as const;

const rttMin: Converter = (c) => {
  const { dst, src } = c.insn;
  c.emit(load(SIZE.W, dst, src, c.field('tcp_sock.rtt_min').off + c.field('minmax_sample.v').off));
};

/** rule: bpf_tcp_sock_convert_ctx_access, 6.18 */
export const TCP_SOCK_CONTEXT: ContextRules = {
  struct: 'bpf_tcp_sock',
  fields: {
    rtt_min: rttMin,
    ...Object.fromEntries(
      [...TCP_SOCK_MEMBERS, 'dsack_dups', 'delivered', 'delivered_ce'].map((name) => [
        name,
        through(`tcp_sock.${name}`),
      ]),
    ),
    icsk_retransmits: through('inet_connection_sock.icsk_retransmits'),
  },
};

/** rule: bpf_xdp_sock_convert_ctx_access, 6.18 */
export const XDP_SOCK_CONTEXT: ContextRules = {
  struct: 'bpf_xdp_sock',
  fields: { queue_id: through('xdp_sock.queue_id') },
};
