// The context of XDP programs, as they see it: struct xdp_md.
import { ERRNO } from '../../../errno.ts';
import type { KernelImage } from '../../image/image.ts';
import { layoutOf } from '../../program-types/layout.ts';
import type { Machine } from '../machine.ts';
import type { Region } from '../memory.ts';
import { Packet } from './packet.ts';

const ETH_HEADER = 14;
/** XDP_PACKET_HEADROOM */
const HEADROOM = 256;
const META_MAX = 255;
const PAGE = 4096;
/** SKB_DATA_ALIGN(sizeof(struct skb_shared_info)) */
const CACHE_LINE = 64;

export class XdpContext {
  readonly region: Region;
  readonly packet: Packet;
  /** Before this the buffer belongs to struct xdp_frame. */
  private readonly frameEnd: number;

  /** A packet as BPF_PROG_TEST_RUN gives it to a program: in one page. */
  constructor(m: Machine, image: KernelImage, data: Uint8Array, facts: { ifindex?: number; queue?: number } = {}) {
    const shared = Math.ceil(image.sizeOf('skb_shared_info') / CACHE_LINE) * CACHE_LINE;
    const tailroom = Math.max(0, PAGE - HEADROOM - data.length - shared);
    this.frameEnd = image.sizeOf('xdp_frame');
    this.packet = new Packet(m, data, HEADROOM, tailroom);
    const { size, fields } = layoutOf(image, 'xdp_md');
    const at = (name: string): number => fields.get(name)?.off ?? -1;
    const pointers: Readonly<Record<number, () => number>> = {
      [at('data')]: () => this.packet.start,
      [at('data_end')]: () => this.packet.end,
      [at('data_meta')]: () => this.packet.meta,
    };
    const load = (offset: number): bigint | undefined => {
      const pointer = pointers[offset];
      return pointer && this.packet.address(pointer());
    };
    this.region = m.memory.add({ name: 'struct xdp_md', size, load, owner: this });
    this.region.view.setUint32(at('ingress_ifindex'), facts.ifindex ?? 1, true);
    this.region.view.setUint32(at('rx_queue_index'), facts.queue ?? 0, true);
  }

  packetBytes(offset: number, size: number): Uint8Array | undefined {
    return this.packet.slice(offset, size);
  }

  /** rule: bpf_xdp_adjust_head, 6.18. 0 or a negative errno, as of the next two. */
  adjustHead(by: number): number {
    const { packet } = this;
    const metaBytes = packet.start - packet.meta;
    const start = packet.start + by;
    if (start < this.frameEnd + metaBytes || start > packet.end - ETH_HEADER) return -ERRNO.EINVAL;
    const { bytes } = packet.region;
    bytes.copyWithin(packet.meta + by, packet.meta, packet.start);
    packet.meta += by;
    packet.start = start;
    return 0;
  }

  /** rule: bpf_xdp_adjust_meta, 6.18 */
  adjustMeta(by: number): number {
    const { packet } = this;
    const meta = packet.meta + by;
    const bytes = packet.start - meta;
    if (meta < this.frameEnd || bytes < 0) return -ERRNO.EINVAL;
    if (bytes % 4 !== 0 || bytes > META_MAX) return -ERRNO.EACCES;
    packet.meta = meta;
    return 0;
  }

  /** rule: bpf_xdp_adjust_tail, 6.18 */
  adjustTail(by: number): number {
    const { packet } = this;
    const end = packet.end + by;
    if (end > packet.region.size || end < packet.start + ETH_HEADER) return -ERRNO.EINVAL;
    if (by > 0) packet.region.bytes.fill(0, packet.end, end);
    packet.end = end;
    return 0;
  }
}
