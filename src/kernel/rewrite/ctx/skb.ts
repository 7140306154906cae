// struct __sk_buff: what programs for packets see of struct sk_buff.
import type { Insn } from '../../../isa/insn.ts';
import { ALU, JMP, SIZE } from '../../../isa/opcode.ts';
import { AX, aluImm, aluReg, goto, jumpImm, load, movImm, movReg, store } from '../build.ts';
import {
  type ContextRules,
  type Conversion,
  type Converter,
  narrowReadWrite,
  narrowThrough,
  sharedInfo,
  shifted,
  storesImm,
  through,
  throughIfSet,
  wordsThrough,
} from './conversion.ts';

/** Bits of the bytes that hold bit fields; the image's BTF knows where the bytes are. */
const PKT_TYPE_MASK = 7;
const TSTAMP_TYPE_MASK = 3;
const AT_INGRESS_MASK = 4;
/** queue_mapping of a packet that has none. */
const NO_QUEUE = 0xffff;

const cbPlace =
  (member: string) =>
  (c: Conversion): number =>
    c.field('sk_buff.cb').off + c.field(member).off;

/** One member of the packet's control block, of its own size. */
const inCb =
  (member: string, narrow: boolean): Converter =>
  (c) => {
    const { size } = c.field(member);
    c.emit(load(size === 8 ? SIZE.DW : SIZE.W, c.insn.dst, c.insn.src, cbPlace(member)(c)));
    if (narrow) c.targetSize = size;
  };

const pktType: Converter = (c) => {
  const { dst, src } = c.insn;
  c.targetSize = 1;
  c.emit(load(SIZE.B, dst, src, c.field('sk_buff.__pkt_type_offset').off), aluImm(ALU.AND, dst, PKT_TYPE_MASK, 32));
};

const ifindex: Converter = (c) => {
  throughIfSet('sk_buff.dev', 'net_device.ifindex')(c);
  c.targetSize = c.field('net_device.ifindex').size;
};

const queueMapping: Converter = (c) => {
  if (!c.write) return narrowThrough('sk_buff.queue_mapping')(c);
  const { off, size } = c.field('sk_buff.queue_mapping');
  c.targetSize = size;
  if (storesImm(c)) {
    if (c.insn.imm >= NO_QUEUE) return c.emit(goto(0));
  } else {
    c.emit(jumpImm(JMP.JGE, c.insn.src, NO_QUEUE, 1));
  }
  c.storeAs(SIZE.H, off);
};

const vlanPresent: Converter = (c) => {
  narrowThrough('sk_buff.vlan_all')(c);
  c.emit(jumpImm(JMP.JEQ, c.insn.dst, 0, 1), movImm(c.insn.dst, 1, 32));
};

const cb: Converter = (c) => {
  c.progFlags.add('cb_access');
  shifted('__sk_buff.cb', cbPlace('qdisc_skb_cb.data'))(c);
};

const tcClassid: Converter = (c) => {
  const at = cbPlace('qdisc_skb_cb.tc_classid')(c);
  c.targetSize = 2;
  if (c.write) c.storeAs(SIZE.H, at);
  else c.emit(load(SIZE.H, c.insn.dst, c.insn.src, at));
};

const napiId: Converter = (c) => {
  narrowThrough('sk_buff.napi_id')(c);
  // Ids up to the number of CPUs that the kernel was built for mean a sender's CPU.
  const firstId = Number(c.image.config('CONFIG_NR_CPUS') ?? 1) + 1;
  c.emit(jumpImm(JMP.JGE, c.insn.dst, firstId, 1), movImm(c.insn.dst, 0));
};

const remotePort: Converter = (c) => {
  narrowThrough('sk_buff.sk', 'sock_common.skc_dport')(c);
  c.emit(aluImm(ALU.LSH, c.insn.dst, 16, 32));
};

/** Byte with tstamp_type and tc_at_ingress into the scratch register, and a jump over `goto` if at ingress. */
const loadTstampBits = (c: Conversion, skb: number, otherwise: number): Insn[] => [
  load(SIZE.B, AX, skb, c.field('sk_buff.__mono_tc_offset').off),
  jumpImm(JMP.JSET, AX, AT_INGRESS_MASK, 1, 32),
  goto(otherwise),
];

const tstamp: Converter = (c) => {
  const { dst, src } = c.insn;
  const { off } = c.field('sk_buff.tstamp');
  // A program that asks for the kind of time stamp is trusted with it as it is.
  const plain = c.progFlags.has('tstamp_type_access');
  if (c.write) {
    if (!plain) {
      const bits = c.field('sk_buff.__mono_tc_offset').off;
      c.emit(...loadTstampBits(c, dst, 2), aluImm(ALU.AND, AX, ~TSTAMP_TYPE_MASK, 32), store(SIZE.B, dst, AX, bits));
    }
    return c.storeAs(SIZE.DW, off);
  }
  if (!plain)
    c.emit(
      ...loadTstampBits(c, src, 4),
      jumpImm(JMP.JSET, AX, TSTAMP_TYPE_MASK, 1, 32),
      goto(2),
      movImm(dst, 0),
      goto(1),
    );
  c.emit(load(SIZE.DW, dst, src, off));
};

const tstampType: Converter = (c) => {
  const { dst, src } = c.insn;
  c.emit(load(SIZE.B, dst, src, c.field('sk_buff.__mono_tc_offset').off), aluImm(ALU.AND, dst, TSTAMP_TYPE_MASK, 32));
};

const inSharedInfo =
  (member: string): Converter =>
  (c) => {
    const { dst, src } = c.insn;
    sharedInfo(c, dst, src, (to, from) => aluReg(ALU.ADD, to, from));
    narrowMember(c, member);
  };

const narrowMember = (c: Conversion, member: string): void => {
  c.loadField(c.insn.dst, c.insn.dst, member);
  c.targetSize = c.field(member).size;
};

const viaSock = (member: string): Converter => narrowThrough('sk_buff.sk', `sock_common.${member}`);

/** rule: bpf_convert_ctx_access, 6.18 */
export const SKB_CONTEXT: ContextRules = {
  struct: '__sk_buff',
  fields: {
    len: narrowThrough('sk_buff.len'),
    pkt_type: pktType,
    mark: narrowReadWrite('sk_buff.mark'),
    queue_mapping: queueMapping,
    protocol: narrowThrough('sk_buff.protocol'),
    vlan_present: vlanPresent,
    vlan_tci: narrowThrough('sk_buff.vlan_tci'),
    vlan_proto: narrowThrough('sk_buff.vlan_proto'),
    priority: narrowReadWrite('sk_buff.priority'),
    ingress_ifindex: narrowThrough('sk_buff.skb_iif'),
    ifindex,
    tc_index: narrowReadWrite('sk_buff.tc_index'),
    'cb..': cb,
    hash: narrowThrough('sk_buff.hash'),
    tc_classid: tcClassid,
    data: through('sk_buff.data'),
    data_end: inCb('bpf_skb_data_end.data_end', false),
    napi_id: napiId,
    family: viaSock('skc_family'),
    remote_ip4: viaSock('skc_daddr'),
    local_ip4: viaSock('skc_rcv_saddr'),
    'remote_ip6..': wordsThrough('__sk_buff.remote_ip6', 'sk_buff.sk', 'sock_common.skc_v6_daddr'),
    'local_ip6..': wordsThrough('__sk_buff.local_ip6', 'sk_buff.sk', 'sock_common.skc_v6_rcv_saddr'),
    remote_port: remotePort,
    local_port: viaSock('skc_num'),
    data_meta: inCb('bpf_skb_data_end.data_meta', false),
    tstamp,
    wire_len: inCb('qdisc_skb_cb.pkt_len', true),
    gso_segs: inSharedInfo('skb_shared_info.gso_segs'),
    sk: through('sk_buff.sk'),
    gso_size: inSharedInfo('skb_shared_info.gso_size'),
    tstamp_type: tstampType,
    hwtstamp: inSharedInfo('skb_shared_info.hwtstamps'),
  },
};

/** rule: tc_cls_act_convert_ctx_access, 6.18; the packet always has a device here */
export const TC_CONTEXT: ContextRules = {
  struct: '__sk_buff',
  fields: { ifindex: narrowThrough('sk_buff.dev', 'net_device.ifindex') },
  base: SKB_CONTEXT,
};

/** `data_end = skb->data + skb->len - skb->data_len`. */
const linearEnd: Converter = (c) => {
  const { dst, src } = c.insn;
  const slot = cbPlace('sk_skb_cb.temp_reg')(c);
  const same = dst === src;
  const reg = same ? c.spareReg : dst;
  if (same) c.emit(store(SIZE.DW, src, reg, slot));
  c.loadField(reg, src, 'sk_buff.data');
  c.loadField(AX, src, 'sk_buff.len');
  c.emit(aluReg(ALU.ADD, reg, AX));
  c.loadField(AX, src, 'sk_buff.data_len');
  c.emit(aluReg(ALU.SUB, reg, AX));
  if (same) c.emit(movReg(AX, src), movReg(dst, reg), load(SIZE.DW, reg, AX, slot));
};

const streamCb: Converter = (c) => {
  c.progFlags.add('cb_access');
  shifted('__sk_buff.cb', cbPlace('sk_skb_cb.data'))(c);
};

/** rule: sk_skb_convert_ctx_access, 6.18 */
export const SK_SKB_CONTEXT: ContextRules = {
  struct: '__sk_buff',
  fields: { data_end: linearEnd, 'cb..': streamCb },
  base: SKB_CONTEXT,
};

/** rule: flow_dissector_convert_ctx_access, 6.18 */
export const FLOW_DISSECTOR_CONTEXT: ContextRules = {
  struct: '__sk_buff',
  fields: {
    data: through('bpf_flow_dissector.data'),
    data_end: through('bpf_flow_dissector.data_end'),
    flow_keys: through('bpf_flow_dissector.flow_keys'),
  },
};
