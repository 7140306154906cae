// struct bpf_sock_addr: addresses that a socket call was given.
import { insnSize } from '../../../isa/opcode.ts';
import { load, sizeBits } from '../build.ts';
import {
  accessBytes,
  type ContextRules,
  type Conversion,
  type Converter,
  narrowThrough,
  through,
} from './conversion.ts';

const KERN = 'bpf_sock_addr_kern';

/** A member behind one of the structure's pointers, `shift` bytes into it, accessed as `size`. */
function nested(c: Conversion, pointer: string, member: string, size: number, shift: number): void {
  const { off, size: bytes } = c.field(member);
  const at = off + shift;
  if (c.write) {
    c.borrow(`${KERN}.tmp_reg`, (reg) => {
      c.loadField(reg, c.insn.dst, `${KERN}.${pointer}`);
      c.storeAs(size, at, reg);
    });
  } else {
    c.loadField(c.insn.dst, c.insn.src, `${KERN}.${pointer}`);
    c.emit(load(size, c.insn.dst, c.insn.dst, at));
  }
  c.targetSize = bytes;
}

/** An IPv4 address, or one of the words of an IPv6 address: the size of the access stays. */
const address =
  (context: string, pointer: string, member: string): Converter =>
  (c) => {
    nested(c, pointer, member, insnSize(c.insn.code), c.insn.off - c.field(`bpf_sock_addr.${context}`).off);
    c.targetSize = 4;
  };

/** The port is narrower than its field and stands at the same place in both families. */
const port: Converter = (c) => {
  const { size } = c.field('sockaddr_in6.sin6_port');
  nested(c, 'uaddr', 'sockaddr_in6.sin6_port', sizeBits(Math.min(size, accessBytes(c))), 0);
};

const narrow = (pointer: string, member: string): Converter => narrowThrough(`${KERN}.${pointer}`, member);

/** rule: sock_addr_convert_ctx_access, 6.18 */
export const SOCK_ADDR_CONTEXT: ContextRules = {
  struct: 'bpf_sock_addr',
  fields: {
    user_family: narrow('uaddr', 'sockaddr.sa_family'),
    user_ip4: address('user_ip4', 'uaddr', 'sockaddr_in.sin_addr'),
    'user_ip6..': address('user_ip6', 'uaddr', 'sockaddr_in6.sin6_addr'),
    user_port: port,
    family: narrow('sk', 'sock_common.skc_family'),
    type: narrow('sk', 'sock.sk_type'),
    protocol: narrow('sk', 'sock.sk_protocol'),
    msg_src_ip4: address('msg_src_ip4', 't_ctx', 'in_addr.s_addr'),
    'msg_src_ip6..': address('msg_src_ip6', 't_ctx', 'in6_addr.in6_u'),
    sk: through(`${KERN}.sk`),
  },
};
