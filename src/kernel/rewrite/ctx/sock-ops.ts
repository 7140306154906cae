// struct bpf_sock_ops: a TCP connection at one of its events.
import { type Insn, insn } from '../../../isa/insn.ts';
import { ALU, insnClass, JMP, MODE, SIZE } from '../../../isa/opcode.ts';
import { aluImm, goto, jumpImm, load, movImm, sizeBits, store } from '../build.ts';
import {
  type ContextRules,
  type Conversion,
  type Converter,
  sharedInfo,
  through,
  throughIfSet,
  wordsThrough,
} from './conversion.ts';
import { TCP_SOCK_MEMBERS } from './sock.ts';

const KERN = 'bpf_sock_ops_kern';
const SK = `${KERN}.sk`;

/**
 * Reads the socket, and `member` of it, if the flag is set; else the result is 0. Where the context's own register takes
 * the result, another one is borrowed for the flag.
 */
function readIf(c: Conversion, flag: string, member: string | undefined): void {
  const { dst, src } = c.insn;
  const { off: slot } = c.field(`${KERN}.temp`);
  const same = dst === src;
  const spare = c.spareReg;
  const test = same ? spare : dst;
  const loads = member === undefined ? 1 : 2;
  const restore = (): Insn => load(SIZE.DW, spare, src, slot);
  if (same) c.emit(store(SIZE.DW, src, spare, slot));
  c.loadField(test, src, `${KERN}.${flag}`);
  c.emit(jumpImm(JMP.JEQ, test, 0, loads + (same ? 2 : 0)));
  if (same) c.emit(restore());
  c.loadField(dst, src, SK);
  if (member !== undefined) c.loadField(dst, dst, member);
  if (same) c.emit(goto(2), restore(), movImm(dst, 0));
}

const locked =
  (member: string): Converter =>
  (c) =>
    readIf(c, 'is_locked_tcp_sock', member);

const lockedWrite =
  (member: string): Converter =>
  (c) => {
    if (!c.write) return readIf(c, 'is_locked_tcp_sock', member);
    const { code, dst, src, imm } = c.insn;
    const { off, size } = c.field(member);
    c.borrow(`${KERN}.temp`, (reg) => {
      c.loadField(reg, dst, `${KERN}.is_locked_tcp_sock`);
      c.emit(jumpImm(JMP.JEQ, reg, 0, 2));
      c.loadField(reg, dst, SK);
      c.emit(insn(insnClass(code) | sizeBits(size) | MODE.MEM, reg, src, off, imm));
    });
  };

const reply: Converter = (c) => {
  const { dst, src, off } = c.insn;
  const at = off - c.field('bpf_sock_ops.replylong').off + c.field(`${KERN}.replylong`).off;
  if (c.write) c.storeAs(SIZE.W, at);
  else c.emit(load(SIZE.W, dst, src, at));
};

const remotePort: Converter = (c) => {
  through(SK, 'sock_common.skc_dport')(c);
  c.emit(aluImm(ALU.LSH, c.insn.dst, 16, 32));
};

/** The kernel reads beside the value here: at the size of the sample's time. */
const rttMin: Converter = (c) => {
  through(SK)(c);
  const { dst } = c.insn;
  c.emit(load(SIZE.W, dst, dst, c.field('tcp_sock.rtt_min').off + c.field('minmax_sample.t').size));
};

const tcpFlags: Converter = (c) => {
  const { off, size } = c.field('tcp_skb_cb.tcp_flags');
  const { dst } = c.insn;
  through(`${KERN}.skb`)(c);
  c.emit(jumpImm(JMP.JEQ, dst, 0, 1), load(sizeBits(size), dst, dst, c.field('sk_buff.cb').off + off));
  c.targetSize = size;
};

const hwtstamp: Converter = (c) => {
  const { dst } = c.insn;
  through(`${KERN}.skb`)(c);
  const test = c.out.length;
  c.emit(goto(0));
  sharedInfo(c, dst, dst);
  c.loadField(dst, dst, 'skb_shared_info.hwtstamps');
  c.targetSize = c.field('skb_shared_info.hwtstamps').size;
  c.out[test] = jumpImm(JMP.JEQ, dst, 0, c.out.length - test - 1);
};

/** rule: sock_ops_convert_ctx_access, 6.18 */
export const SOCK_OPS_CONTEXT: ContextRules = {
  struct: 'bpf_sock_ops',
  fields: {
    op: through(`${KERN}.op`),
    'replylong..': reply,
    family: through(SK, 'sock_common.skc_family'),
    remote_ip4: through(SK, 'sock_common.skc_daddr'),
    local_ip4: through(SK, 'sock_common.skc_rcv_saddr'),
    'remote_ip6..': wordsThrough('bpf_sock_ops.remote_ip6', SK, 'sock_common.skc_v6_daddr'),
    'local_ip6..': wordsThrough('bpf_sock_ops.local_ip6', SK, 'sock_common.skc_v6_rcv_saddr'),
    remote_port: remotePort,
    local_port: through(SK, 'sock_common.skc_num'),
    is_fullsock: through(`${KERN}.is_fullsock`),
    state: through(SK, 'sock_common.skc_state'),
    rtt_min: rttMin,
    bpf_sock_ops_cb_flags: locked('tcp_sock.bpf_sock_ops_cb_flags'),
    sk_txhash: lockedWrite('sock.sk_txhash'),
    ...Object.fromEntries(TCP_SOCK_MEMBERS.map((name) => [name, locked(`tcp_sock.${name}`)])),
    sk: (c) => readIf(c, 'is_fullsock', undefined),
    skb_data_end: through(`${KERN}.skb_data_end`),
    skb_data: throughIfSet(`${KERN}.skb`, 'sk_buff.data'),
    skb_len: throughIfSet(`${KERN}.skb`, 'sk_buff.len'),
    skb_tcp_flags: tcpFlags,
    skb_hwtstamp: hwtstamp,
  },
};
