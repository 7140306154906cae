// Sockets as programs see them: struct bpf_sock, bpf_tcp_sock and bpf_xdp_sock.
import { JMP } from '../../../isa/opcode.ts';
import { jumpImm, load, movImm, sizeBits } from '../build.ts';
import { accessSize, type ContextRules, type Converter, narrowThrough, readWrite, through } from './conversion.ts';

/** rx_queue_mapping of a socket that has none. */
const NO_QUEUE = 0xffff;

/** An address: loads keep the size of the access, and its distance from the start of the context's array. */
const address =
  (context: string, member: string): Converter =>
  (c) => {
    const { dst, src, off } = c.insn;
    const { off: at, size } = c.field(member);
    c.emit(load(accessSize(c), dst, src, at + off - c.field(context).off));
    c.targetSize = Math.min(size, 4);
  };

const rxQueueMapping: Converter = (c) => {
  narrowThrough('sock.__sk_common.skc_rx_queue_mapping')(c);
  c.emit(jumpImm(JMP.JNE, c.insn.dst, NO_QUEUE, 1), movImm(c.insn.dst, -1));
};

/** rule: bpf_sock_convert_ctx_access, 6.18 */
export const SOCK_CONTEXT: ContextRules = {
  struct: 'bpf_sock',
  fields: {
    bound_dev_if: readWrite('sock.__sk_common.skc_bound_dev_if'),
    family: narrowThrough('sock_common.skc_family'),
    type: narrowThrough('sock.sk_type'),
    protocol: narrowThrough('sock.sk_protocol'),
    mark: readWrite('sock.sk_mark'),
    priority: readWrite('sock.sk_priority'),
    src_ip4: address('bpf_sock.src_ip4', 'sock_common.skc_rcv_saddr'),
    'src_ip6..': address('bpf_sock.src_ip6', 'sock_common.skc_v6_rcv_saddr'),
    src_port: narrowThrough('sock_common.skc_num'),
    dst_port: narrowThrough('sock_common.skc_dport'),
    dst_ip4: address('bpf_sock.dst_ip4', 'sock_common.skc_daddr'),
    'dst_ip6..': address('bpf_sock.dst_ip6', 'sock_common.skc_v6_daddr'),
    state: narrowThrough('sock_common.skc_state'),
    rx_queue_mapping: rxQueueMapping,
  },
};

/** Fields of struct tcp_sock that programs see under the same name. */
export const TCP_FIELDS = [
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

/** rule: bpf_tcp_sock_convert_ctx_access, 6.18 */
export const TCP_SOCK_CONTEXT: ContextRules = {
  struct: 'bpf_tcp_sock',
  fields: {
    ...Object.fromEntries(
      [...TCP_FIELDS, 'dsack_dups', 'delivered', 'delivered_ce'].map((name) => [name, through(`tcp_sock.${name}`)]),
    ),
    rtt_min: (c) => {
      const { dst, src } = c.insn;
      const { off, size } = c.field('minmax_sample.v');
      c.emit(load(sizeBits(size), dst, src, c.field('tcp_sock.rtt_min').off + off));
    },
    icsk_retransmits: through('inet_connection_sock.icsk_retransmits'),
  },
};

/** rule: bpf_xdp_sock_convert_ctx_access, 6.18 */
export const XDP_SOCK_CONTEXT: ContextRules = {
  struct: 'bpf_xdp_sock',
  fields: { queue_id: through('xdp_sock.queue_id') },
};
