// struct bpf_sock_ops: what programs called on events of TCP see.
import { ALU, JMP, SIZE } from '../../../isa/opcode.ts';
import { aluImm, aluReg, goto, jumpImm, load, movImm, sizeBits, store } from '../build.ts';
import {
  type ContextRules,
  type Conversion,
  type Converter,
  sharedInfo,
  shifted,
  through,
  throughIfSet,
  wordsThrough,
} from './conversion.ts';
import { TCP_FIELDS } from './sock.ts';

const KERNEL = 'bpf_sock_ops_kern';
const TEMP = `${KERNEL}.temp`;
const SK = `${KERNEL}.sk`;
const SKB = `${KERNEL}.skb`;

/**
 * Loads the socket, and a member of it, if the flag of the context is set; else the result is 0. A register that is
 * both context and result needs another one for the flag.
 */
function guarded(c: Conversion, flag: string, member: string | undefined): void {
  const { dst, src } = c.insn;
  const follow = (): void => {
    c.loadField(dst, src, SK);
    if (member !== undefined) c.loadField(dst, dst, member);
  };
  const loads = member === undefined ? 1 : 2;
  if (dst !== src) {
    c.loadField(dst, src, flag);
    c.emit(jumpImm(JMP.JEQ, dst, 0, loads));
    follow();
    return;
  }
  const reg = c.spareReg;
  const { off } = c.field(TEMP);
  c.emit(store(SIZE.DW, src, reg, off));
  c.loadField(reg, src, flag);
  c.emit(jumpImm(JMP.JEQ, reg, 0, loads + 2), load(SIZE.DW, reg, src, off));
  follow();
  c.emit(goto(2), load(SIZE.DW, reg, src, off), movImm(dst, 0));
}

const locked =
  (member: string): Converter =>
  (c) =>
    guarded(c, `${KERNEL}.is_locked_tcp_sock`, member);

const txhash: Converter = (c) => {
  if (!c.write) return locked('sock.sk_txhash')(c);
  const { dst } = c.insn;
  const { off, size } = c.field('sock.sk_txhash');
  c.borrow(TEMP, (reg) => {
    c.loadField(reg, dst, `${KERNEL}.is_locked_tcp_sock`);
    c.emit(jumpImm(JMP.JEQ, reg, 0, 2));
    c.loadField(reg, dst, SK);
    c.storeAs(sizeBits(size), off, reg);
  });
};

const remotePort: Converter = (c) => {
  through(SK, 'sock_common.skc_dport')(c);
  c.emit(aluImm(ALU.LSH, c.insn.dst, 16, 32));
};

const rttMin: Converter = (c) => {
  through(SK)(c);
  const { dst } = c.insn;
  // The value's place in the sample is that of the size of the time before it.
  c.emit(load(SIZE.W, dst, dst, c.field('tcp_sock.rtt_min').off + c.field('minmax_sample.t').size));
};

const tcpFlags: Converter = (c) => {
  const { off, size } = c.field('tcp_skb_cb.tcp_flags');
  const { dst } = c.insn;
  c.targetSize = size;
  through(SKB)(c);
  c.emit(jumpImm(JMP.JEQ, dst, 0, 1), load(sizeBits(size), dst, dst, c.field('sk_buff.cb').off + off));
};

const hwTimestamp: Converter = (c) => {
  const { dst } = c.insn;
  through(SKB)(c);
  c.emit(jumpImm(JMP.JEQ, dst, 0, 4));
  sharedInfo(c, dst, dst, (to, from) => aluReg(ALU.ADD, to, from));
  c.loadField(dst, dst, 'skb_shared_info.hwtstamps');
  c.targetSize = 8;
};

const shiftedReply = shifted('bpf_sock_ops.replylong', (c) => c.field(`${KERNEL}.replylong`).off);

/** rule: sock_ops_convert_ctx_access, 6.18 */
export const SOCK_OPS_CONTEXT: ContextRules = {
  struct: 'bpf_sock_ops',
  fields: {
    ...Object.fromEntries(TCP_FIELDS.map((name) => [name, locked(`tcp_sock.${name}`)])),
    op: through(`${KERNEL}.op`),
    'replylong..': shiftedReply,
    family: through(SK, 'sock_common.skc_family'),
    remote_ip4: through(SK, 'sock_common.skc_daddr'),
    local_ip4: through(SK, 'sock_common.skc_rcv_saddr'),
    'remote_ip6..': wordsThrough('bpf_sock_ops.remote_ip6', SK, 'sock_common.skc_v6_daddr'),
    'local_ip6..': wordsThrough('bpf_sock_ops.local_ip6', SK, 'sock_common.skc_v6_rcv_saddr'),
    remote_port: remotePort,
    local_port: through(SK, 'sock_common.skc_num'),
    is_fullsock: through(`${KERNEL}.is_fullsock`),
    state: through(SK, 'sock_common.skc_state'),
    rtt_min: rttMin,
    bpf_sock_ops_cb_flags: locked('tcp_sock.bpf_sock_ops_cb_flags'),
    sk_txhash: txhash,
    sk: (c) => guarded(c, `${KERNEL}.is_fullsock`, undefined),
    skb_data_end: through(`${KERNEL}.skb_data_end`),
    skb_data: throughIfSet(SKB, 'sk_buff.data'),
    skb_len: throughIfSet(SKB, 'sk_buff.len'),
    skb_tcp_flags: tcpFlags,
    skb_hwtstamp: hwTimestamp,
  },
};
