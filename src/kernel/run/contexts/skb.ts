// The context of programs that see socket buffers: struct __sk_buff.
import type { KernelImage } from '../../image/image.ts';
import { layoutOf } from '../../program-types/layout.ts';
import type { Machine } from '../machine.ts';
import type { Region } from '../memory.ts';
import { Packet } from './packet.ts';

/** Bytes of an Ethernet header. */
const ETH_HEADER = 14;
/** NET_SKB_PAD + NET_IP_ALIGN, and as much behind as a small buffer has. */
const HEADROOM = 64;
const TAILROOM = 64;
/** SKF_NET_OFF and SKF_LL_OFF: where offsets into the network and link headers begin. */
const NET_OFFSET = -0x100000;
const LINK_OFFSET = -0x200000;

const IPV4_HEADER = 20;
const IPV6_HEADER = 40;
const AF_INET = 2;
const AF_INET6 = 10;

const PACKET = { HOST: 0, MULTICAST: 2, OTHERHOST: 3 } as const;

/** Whom a frame is for, seen from the loopback device, which knows no broadcasts. rule: eth_type_trans */
function packetType(frame: Uint8Array): number {
  const address = frame.subarray(0, 6);
  if (address.every((byte) => byte === 0)) return PACKET.HOST;
  return (address[0] & 1) !== 0 ? PACKET.MULTICAST : PACKET.OTHERHOST;
}

export interface SkbFacts {
  /** The program sees the Ethernet header (programs at layer 2). */
  linkLayer: boolean;
  ifindex?: number;
  mark?: number;
  /** Address that the field `sk` gives; 0n: no socket. */
  socket?: bigint;
  /** Address that the field `flow_keys` gives. */
  flowKeys?: bigint;
}

export class SkbContext {
  readonly region: Region;
  readonly packet: Packet;
  private readonly lengthAt: number;
  /** Offset of the network header in the buffer. */
  network: number;
  link: number;

  /** A frame with its Ethernet header as BPF_PROG_TEST_RUN makes a buffer of it. */
  constructor(m: Machine, image: KernelImage, frame: Uint8Array, facts: SkbFacts) {
    this.packet = new Packet(m, frame, HEADROOM, TAILROOM);
    this.link = HEADROOM;
    this.network = HEADROOM + ETH_HEADER;
    if (!facts.linkLayer) this.packet.start = this.network;
    this.packet.meta = this.packet.start;
    const { size, fields } = layoutOf(image, '__sk_buff');
    const at = (name: string): number => fields.get(name)?.off ?? -1;
    this.lengthAt = at('len');
    const pointers: Readonly<Record<number, () => bigint>> = {
      [at('data')]: () => this.packet.address(this.packet.start),
      [at('data_end')]: () => this.packet.address(this.packet.end),
      [at('data_meta')]: () => this.packet.address(this.packet.meta),
      [at('sk')]: () => facts.socket ?? 0n,
      [at('flow_keys')]: () => facts.flowKeys ?? 0n,
    };
    const load = (offset: number): bigint | undefined => pointers[offset]?.();
    this.region = m.memory.add({ name: 'struct __sk_buff', size, load, owner: this });
    const set = (name: string, value: number): void => this.region.view.setUint32(at(name), value, true);
    const protocol = frame.length >= ETH_HEADER ? frame[12] | (frame[13] << 8) : 0;
    set('protocol', protocol);
    set('pkt_type', packetType(frame));
    set('ifindex', facts.ifindex ?? 1);
    set('mark', facts.mark ?? 0);
    this.setAddresses(frame, at);
    this.changed();
  }

  /** Its socket takes the addresses of the packet: the source as its own. rule: bpf_prog_test_run_skb, 6.18 */
  private setAddresses(frame: Uint8Array, at: (field: string) => number): void {
    const ip = frame.subarray(ETH_HEADER);
    const { bytes, view } = this.region;
    if (frame[12] === 0x08 && frame[13] === 0 && ip.length >= IPV4_HEADER) {
      view.setUint32(at('family'), AF_INET, true);
      bytes.set(ip.subarray(12, 16), at('local_ip4'));
      bytes.set(ip.subarray(16, 20), at('remote_ip4'));
    } else if (frame[12] === 0x86 && frame[13] === 0xdd && ip.length >= IPV6_HEADER) {
      view.setUint32(at('family'), AF_INET6, true);
      bytes.set(ip.subarray(8, 24), at('local_ip6'));
      bytes.set(ip.subarray(24, 40), at('remote_ip6'));
    }
  }

  /** The length that programs read follows the packet. */
  changed(): void {
    this.region.view.setUint32(this.lengthAt, this.packet.length, true);
  }

  /** rule: bpf_skb_load_helper and bpf_internal_load_pointer_neg_helper, 6.18 */
  packetBytes(offset: number, size: number): Uint8Array | undefined {
    if (offset >= 0) return this.packet.slice(offset, size);
    const base = offset >= NET_OFFSET ? this.network - NET_OFFSET : this.link - LINK_OFFSET;
    if (offset < LINK_OFFSET) return undefined;
    const at = base + offset;
    return at >= this.link && at + size <= this.packet.end
      ? this.packet.region.bytes.subarray(at, at + size)
      : undefined;
  }
}
