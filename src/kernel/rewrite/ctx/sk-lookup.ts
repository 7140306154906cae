// Contexts of programs that choose a socket: struct bpf_sk_lookup and struct sk_reuseport_md.
import { JMP, SIZE } from '../../../isa/opcode.ts';
import { jumpImm, load, movImm } from '../build.ts';
import { type ContextRules, type Converter, narrowThrough, through } from './conversion.ts';

const KERN = 'bpf_sk_lookup_kern';

/** A word of an IPv6 address behind a pointer that is NULL for other families. */
const address6 =
  (context: string, pointer: string): Converter =>
  (c) => {
    const { dst, off } = c.insn;
    through(`${KERN}.${pointer}`)(c);
    c.emit(jumpImm(JMP.JEQ, dst, 0, 1), load(SIZE.W, dst, dst, off - c.field(`bpf_sk_lookup.${context}`).off));
    c.targetSize = 4;
  };

/** rule: sk_lookup_convert_ctx_access, 6.18 */
export const SK_LOOKUP_CONTEXT: ContextRules = {
  struct: 'bpf_sk_lookup',
  fields: {
    sk: through(`${KERN}.selected_sk`),
    family: narrowThrough(`${KERN}.family`),
    protocol: narrowThrough(`${KERN}.protocol`),
    remote_ip4: narrowThrough(`${KERN}.v4.saddr`),
    local_ip4: narrowThrough(`${KERN}.v4.daddr`),
    'remote_ip6..': address6('remote_ip6', 'v6.saddr'),
    'local_ip6..': address6('local_ip6', 'v6.daddr'),
    remote_port: narrowThrough(`${KERN}.sport`),
    '>remote_port': (c) => {
      c.targetSize = 2;
      c.emit(movImm(c.insn.dst, 0, 32));
    },
    local_port: narrowThrough(`${KERN}.dport`),
    ingress_ifindex: narrowThrough(`${KERN}.ingress_ifindex`),
  },
};

const REUSEPORT = 'sk_reuseport_kern';

/** rule: sk_reuseport_convert_ctx_access, 6.18 */
export const SK_REUSEPORT_CONTEXT: ContextRules = {
  struct: 'sk_reuseport_md',
  fields: {
    data: narrowThrough(`${REUSEPORT}.skb`, 'sk_buff.data'),
    len: narrowThrough(`${REUSEPORT}.skb`, 'sk_buff.len'),
    eth_protocol: narrowThrough(`${REUSEPORT}.skb`, 'sk_buff.protocol'),
    ip_protocol: narrowThrough(`${REUSEPORT}.sk`, 'sock.sk_protocol'),
    data_end: narrowThrough(`${REUSEPORT}.data_end`),
    hash: narrowThrough(`${REUSEPORT}.hash`),
    bind_inany: narrowThrough(`${REUSEPORT}.bind_inany`),
    sk: narrowThrough(`${REUSEPORT}.sk`),
    migrating_sk: narrowThrough(`${REUSEPORT}.migrating_sk`),
  },
};
