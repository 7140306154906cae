// Helpers on packets.
import { ERRNO } from '../../../errno.ts';
import { SkbContext } from '../contexts/skb.ts';
import { XdpContext } from '../contexts/xdp.ts';
import type { HelperFn, Machine } from '../machine.ts';
import type { HelperTable } from '../program.ts';

const s32 = (r: bigint): number => Number(BigInt.asIntN(32, r));
const u32 = (r: bigint): number => Number(BigInt.asUintN(32, r));
const EFAULT = BigInt(-ERRNO.EFAULT);
const EINVAL = BigInt(-ERRNO.EINVAL);

/** Throws RunFault where the context is no socket buffer. */
export function socketBuffer(m: Machine, address: bigint): SkbContext {
  const owner = m.memory.find(address)?.owner;
  if (owner instanceof SkbContext) return owner;
  throw m.fault('no socket buffer');
}

function xdp(m: Machine, address: bigint): XdpContext {
  const owner = m.memory.find(address)?.owner;
  if (owner instanceof XdpContext) return owner;
  throw m.fault('no XDP context');
}

/** Offsets beyond this are refused. rule: bpf_skb_load_bytes, 6.18 */
const MAX_OFFSET = 0x7fffffff;

/** What is not there is zeroes. */
const loadBytes: HelperFn = (m, r1, r2, r3, r4) => {
  const to = m.memory.bytesAt(r3, u32(r4), true);
  const from = u32(r2) > MAX_OFFSET ? undefined : socketBuffer(m, r1).packet.slice(u32(r2), to.length);
  if (from === undefined) to.fill(0);
  else to.set(from);
  return from === undefined ? EFAULT : 0n;
};

/** r5: 0 from the link header, 1 from the network header. rule: bpf_skb_load_bytes_relative, 6.18 */
const loadRelative: HelperFn = (m, r1, r2, r3, r4, r5) => {
  const { packet, link, network } = socketBuffer(m, r1);
  const to = m.memory.bytesAt(r3, u32(r4), true);
  const base = r5 === 0n ? link : r5 === 1n ? network : -1;
  const at = base + u32(r2);
  const fits = base >= 0 && u32(r2) <= 0xffff && at + to.length <= packet.end;
  if (fits) to.set(packet.region.bytes.subarray(at, at + to.length));
  else to.fill(0);
  return fits ? 0n : EFAULT;
};

const storeBytes: HelperFn = (m, r1, r2, r3, r4, r5) => {
  if (r5 & ~3n) return EINVAL;
  if (u32(r2) > MAX_OFFSET) return EFAULT;
  const to = socketBuffer(m, r1).packet.slice(u32(r2), u32(r4));
  if (to === undefined) return EFAULT;
  to.set(m.memory.bytesAt(r3, u32(r4)));
  return 0n;
};

/** Cuts or lengthens; new bytes are zero. rule: bpf_skb_change_tail, 6.18 */
const changeTail: HelperFn = (m, r1, r2, r3) => {
  const context = socketBuffer(m, r1);
  const { packet } = context;
  const end = packet.start + u32(r2);
  if (r3 !== 0n || u32(r2) < 1 || end > packet.region.size) return EINVAL;
  if (end > packet.end) packet.region.bytes.fill(0, packet.end, end);
  packet.end = end;
  context.changed();
  return 0n;
};

/** rule: bpf_skb_change_head, 6.18 */
const changeHead: HelperFn = (m, r1, r2, r3) => {
  const context = socketBuffer(m, r1);
  const { packet } = context;
  const by = u32(r2);
  if (r3 !== 0n || by > packet.start) return EINVAL;
  packet.start -= by;
  packet.region.bytes.fill(0, packet.start, packet.start + by);
  packet.meta = packet.start;
  context.changed();
  return 0n;
};

const pullData: HelperFn = (m, r1, r2) => (u32(r2) > socketBuffer(m, r1).packet.length ? BigInt(-ERRNO.ENOMEM) : 0n);

const TC_ACT_SHOT = 2n;
const TC_ACT_REDIRECT = 7n;
const XDP_ABORTED = 0n;
const XDP_REDIRECT = 4n;

/** What the machine has been told about where packets go: key in Machine.state. */
export const REDIRECTED: unique symbol = Symbol('redirected');

/** rule: bpf_redirect and bpf_xdp_redirect, 6.18: the flags decide for a socket buffer, and there must be none for XDP. */
const redirect: HelperFn = (m, r1, r2) => {
  const isXdp = m.contextOwner() instanceof XdpContext;
  if (isXdp ? r2 !== 0n : (r2 & ~1n) !== 0n) return isXdp ? XDP_ABORTED : TC_ACT_SHOT;
  m.state.set(REDIRECTED, { ifindex: u32(r1) });
  return isXdp ? XDP_REDIRECT : TC_ACT_REDIRECT;
};

/** The slot must be filled, or the low bits of the flags are the answer. rule: __bpf_xdp_redirect_map, 6.18 */
const redirectMap: HelperFn = (m, r1, r2, r3) => {
  const map = m.map(r1);
  const key = new Uint8Array(4);
  new DataView(key.buffer).setUint32(0, u32(r2), true);
  if ((r3 & ~3n) !== 0n) return XDP_ABORTED;
  const held = map.held?.(key);
  if (held === undefined) return r3 & 3n;
  m.state.set(REDIRECTED, { map: r1, key: u32(r2) });
  return XDP_REDIRECT;
};

const xdpLoad: HelperFn = (m, r1, r2, r3, r4) => {
  const from = xdp(m, r1).packet.slice(u32(r2), u32(r4));
  if (from === undefined) return EINVAL;
  m.memory.bytesAt(r3, u32(r4), true).set(from);
  return 0n;
};

const xdpStore: HelperFn = (m, r1, r2, r3, r4) => {
  const to = xdp(m, r1).packet.slice(u32(r2), u32(r4));
  if (to === undefined) return EINVAL;
  to.set(m.memory.bytesAt(r3, u32(r4)));
  return 0n;
};

export const PACKET_HELPERS: HelperTable = {
  skb_load_bytes: loadBytes,
  skb_load_bytes_relative: loadRelative,
  skb_store_bytes: storeBytes,
  skb_change_tail: changeTail,
  skb_change_head: changeHead,
  skb_pull_data: pullData,
  redirect,
  redirect_map: redirectMap,
  xdp_adjust_head: (m, r1, r2) => BigInt(xdp(m, r1).adjustHead(s32(r2))),
  xdp_adjust_meta: (m, r1, r2) => BigInt(xdp(m, r1).adjustMeta(s32(r2))),
  xdp_adjust_tail: (m, r1, r2) => BigInt(xdp(m, r1).adjustTail(s32(r2))),
  xdp_get_buff_len: (m, r1) => BigInt(xdp(m, r1).packet.length),
  xdp_load_bytes: xdpLoad,
  xdp_store_bytes: xdpStore,
};
