// struct bpf_sock_addr: what programs for addresses of connect, bind, sendmsg and so on see.
import { sizeBytes } from '../../../isa/opcode.ts';
import { load, sizeBits } from '../build.ts';
import {
  accessSize,
  type ContextRules,
  type Conversion,
  type Converter,
  narrowThrough,
  through,
} from './conversion.ts';

const KERNEL = 'bpf_sock_addr_kern';
/** Addresses may be read in parts of a word. */
const WORD = 4;

/** A member behind a pointer of the context, read or written; `size`: size bits of the access to it. */
function nested(c: Conversion, pointer: string, size: number, off: number): void {
  const { dst, src } = c.insn;
  const name = `${KERNEL}.${pointer}`;
  if (c.write) {
    c.borrow(`${KERNEL}.tmp_reg`, (reg) => {
      c.loadField(reg, dst, name);
      c.storeAs(size, off, reg);
    });
  } else {
    c.loadField(dst, src, name);
    c.emit(load(size, dst, dst, off));
  }
}

/** An address, or a word of one: `context` is the field of the context. */
const address =
  (context: string, pointer: string, member: string): Converter =>
  (c) => {
    const within = c.insn.off - c.field(`bpf_sock_addr.${context}`).off;
    nested(c, pointer, accessSize(c), c.field(member).off + within);
    c.targetSize = WORD;
  };

const userPort: Converter = (c) => {
  const { off, size } = c.field('sockaddr_in6.sin6_port');
  nested(c, 'uaddr', sizeBits(Math.min(size, sizeBytes(c.insn.code))), off);
  c.targetSize = size;
};

const sock = (member: string): Converter => narrowThrough(`${KERNEL}.sk`, `sock.${member}`);

/** rule: sock_addr_convert_ctx_access, 6.18 */
export const SOCK_ADDR_CONTEXT: ContextRules = {
  struct: 'bpf_sock_addr',
  fields: {
    user_family: narrowThrough(`${KERNEL}.uaddr`, 'sockaddr.sa_family'),
    user_ip4: address('user_ip4', 'uaddr', 'sockaddr_in.sin_addr'),
    'user_ip6..': address('user_ip6', 'uaddr', 'sockaddr_in6.sin6_addr'),
    user_port: userPort,
    family: sock('__sk_common.skc_family'),
    type: sock('sk_type'),
    protocol: sock('sk_protocol'),
    msg_src_ip4: address('msg_src_ip4', 't_ctx', 'in_addr.s_addr'),
    'msg_src_ip6..': address('msg_src_ip6', 't_ctx', 'in6_addr.in6_u'),
    sk: through(`${KERNEL}.sk`),
  },
};
