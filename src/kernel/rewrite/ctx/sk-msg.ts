// struct sk_msg_md: what programs for messages on sockets see.
import { ALU } from '../../../isa/opcode.ts';
import { aluImm } from '../build.ts';
import { type ContextRules, type Converter, through, wordsThrough } from './conversion.ts';

const SK = 'sk_msg.sk';

const remotePort: Converter = (c) => {
  through(SK, 'sock_common.skc_dport')(c);
  c.emit(aluImm(ALU.LSH, c.insn.dst, 16, 32));
};

/** rule: sk_msg_convert_ctx_access, 6.18 */
export const SK_MSG_CONTEXT: ContextRules = {
  struct: 'sk_msg_md',
  fields: {
    data: through('sk_msg.data'),
    data_end: through('sk_msg.data_end'),
    family: through(SK, 'sock_common.skc_family'),
    remote_ip4: through(SK, 'sock_common.skc_daddr'),
    local_ip4: through(SK, 'sock_common.skc_rcv_saddr'),
    'remote_ip6..': wordsThrough('sk_msg_md.remote_ip6', SK, 'sock_common.skc_v6_daddr'),
    'local_ip6..': wordsThrough('sk_msg_md.local_ip6', SK, 'sock_common.skc_v6_rcv_saddr'),
    remote_port: remotePort,
    local_port: through(SK, 'sock_common.skc_num'),
    size: through('sk_msg_sg.size'),
    sk: through(SK),
  },
};
