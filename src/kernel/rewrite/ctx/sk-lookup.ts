// struct bpf_sk_lookup and sk_reuseport_md: what programs that choose a socket see.
import { JMP, SIZE } from '../../../isa/opcode.ts';
import { jumpImm, load, movImm } from '../build.ts';
import { type ContextRules, type Converter, narrowThrough, through } from './conversion.ts';

const LOOKUP = 'bpf_sk_lookup_kern';
const REUSEPORT = 'sk_reuseport_kern';

/** A word of an IPv6 address, which is behind a pointer; 0 without one. */
const address =
  (context: string, pointer: string): Converter =>
  (c) => {
    const { dst, off } = c.insn;
    through(pointer)(c);
    c.targetSize = 4;
    c.emit(jumpImm(JMP.JEQ, dst, 0, 1), load(SIZE.W, dst, dst, off - c.field(context).off));
  };

/** The upper half of the port's word. */
const portPadding: Converter = (c) => {
  c.targetSize = 2;
  c.emit(movImm(c.insn.dst, 0, 32));
};

/** rule: sk_lookup_convert_ctx_access, 6.18 */
export const SK_LOOKUP_CONTEXT: ContextRules = {
  struct: 'bpf_sk_lookup',
  fields: {
    sk: through(`${LOOKUP}.selected_sk`),
    family: narrowThrough(`${LOOKUP}.family`),
    protocol: narrowThrough(`${LOOKUP}.protocol`),
    remote_ip4: narrowThrough(`${LOOKUP}.v4.saddr`),
    local_ip4: narrowThrough(`${LOOKUP}.v4.daddr`),
    'remote_ip6..': address('bpf_sk_lookup.remote_ip6', `${LOOKUP}.v6.saddr`),
    'local_ip6..': address('bpf_sk_lookup.local_ip6', `${LOOKUP}.v6.daddr`),
    remote_port: narrowThrough(`${LOOKUP}.sport`),
    '>remote_port': portPadding,
    local_port: narrowThrough(`${LOOKUP}.dport`),
    ingress_ifindex: narrowThrough(`${LOOKUP}.ingress_ifindex`),
  },
};

/** rule: sk_reuseport_convert_ctx_access, 6.18 */
export const SK_REUSEPORT_CONTEXT: ContextRules = {
  struct: 'sk_reuseport_md',
  fields: {
    data: narrowThrough(`${REUSEPORT}.skb`, 'sk_buff.data'),
    data_end: narrowThrough(`${REUSEPORT}.data_end`),
    len: narrowThrough(`${REUSEPORT}.skb`, 'sk_buff.len'),
    eth_protocol: narrowThrough(`${REUSEPORT}.skb`, 'sk_buff.protocol'),
    ip_protocol: narrowThrough(`${REUSEPORT}.sk`, 'sock.sk_protocol'),
    bind_inany: narrowThrough(`${REUSEPORT}.bind_inany`),
    hash: narrowThrough(`${REUSEPORT}.hash`),
    sk: narrowThrough(`${REUSEPORT}.sk`),
    migrating_sk: narrowThrough(`${REUSEPORT}.migrating_sk`),
  },
};
