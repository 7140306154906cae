// Packets in memory: a buffer with room before and behind the data.
import type { Machine } from '../machine.ts';
import type { Region } from '../memory.ts';

export class Packet {
  readonly region: Region;
  /** Offsets in the buffer. */
  start: number;
  end: number;
  meta: number;

  constructor(m: Machine, data: Uint8Array, headroom: number, tailroom: number) {
    this.region = m.memory.add({ name: 'packet', size: headroom + data.length + tailroom });
    this.region.bytes.set(data, headroom);
    this.start = headroom;
    this.meta = headroom;
    this.end = headroom + data.length;
  }

  get length(): number {
    return this.end - this.start;
  }

  /** The data with what stands before it as metadata. */
  get withMeta(): Uint8Array {
    return this.region.bytes.subarray(this.meta, this.end);
  }

  address(offset: number): bigint {
    return this.region.base + BigInt(offset);
  }

  /** Bytes at an offset from the start of the data; undefined where the packet has them not. */
  slice(offset: number, size: number): Uint8Array | undefined {
    if (offset < 0 || size < 0 || offset + size > this.length) return undefined;
    return this.region.bytes.subarray(this.start + offset, this.start + offset + size);
  }
}
