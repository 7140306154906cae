// Ring buffers: what programs have written, as records.
import { ERRNO } from '../../../errno.ts';
import type { KMap } from '../../objects.ts';
import type { Machine } from '../machine.ts';
import type { Region } from '../memory.ts';
import type { RunMap } from '../run-map.ts';

/** rule: BPF_RINGBUF_HDR_SZ and the length bits of a header, 6.18 */
const HEADER = 8;
const LONGEST = 2 ** 30 - 1;
const round8 = (n: number): number => Math.ceil(n / 8) * 8;

export class RunRingbuf implements RunMap {
  readonly map: KMap;
  /** Records that have been submitted and not been read yet, oldest first. */
  readonly records: Uint8Array[] = [];
  private readonly machine: Machine;
  /** Bytes taken by records that have not been read, headers included. */
  private used = 0;
  /** Bytes ever taken. */
  private produced = 0;
  private readonly open: Map<bigint, Region> = new Map();

  constructor(m: Machine, map: KMap) {
    this.map = map;
    this.machine = m;
  }

  /** Address of `size` bytes for a record; 0n where there is no room. rule: __bpf_ringbuf_reserve, 6.18 */
  reserve(size: number): bigint {
    const length = round8(size + HEADER);
    if (size > LONGEST || length > this.map.maxEntries || this.used + length > this.map.maxEntries - 1) return 0n;
    this.used += length;
    this.produced += length;
    const region = this.machine.memory.add({ name: `record of ${this.map.name}`, size, owner: this });
    this.open.set(region.base, region);
    return region.base;
  }

  /** Ends the record at `address`; false where there is none. */
  finish(address: bigint, discard: boolean): boolean {
    const region = this.open.get(address);
    if (region === undefined) return false;
    this.open.delete(address);
    this.machine.memory.remove(region);
    if (!discard) this.records.push(region.bytes);
    return true;
  }

  /** 0 or a negative errno. */
  output(data: Uint8Array): number {
    const address = this.reserve(data.length);
    if (address === 0n) return -ERRNO.EAGAIN;
    this.machine.memory.bytesAt(address, data.length, true).set(data);
    this.finish(address, false);
    return 0;
  }

  /** rule: bpf_ringbuf_query, 6.18 */
  query(what: bigint): bigint {
    switch (what) {
      case 0n:
        return BigInt(this.used);
      case 1n:
        return BigInt(this.map.maxEntries);
      case 2n:
        return BigInt(this.produced - this.used);
      case 3n:
        return BigInt(this.produced);
      default:
        return 0n;
    }
  }

  lookup(): bigint {
    return 0n;
  }

  update(): number {
    return -ERRNO.ENOTSUPP;
  }

  remove(): number {
    return -ERRNO.ENOTSUPP;
  }

  elements(): Iterable<{ key: Uint8Array; address: bigint }> {
    return [];
  }
}
