// Arrays: all values lie in memory from the start, one after the other as in the kernel.
import { ERRNO } from '../../../errno.ts';
import { UPDATE } from '../../maps/flags.ts';
import { round8 } from '../../maps/record.ts';
import type { KMap } from '../../objects.ts';
import type { Machine } from '../machine.ts';
import type { Region } from '../memory.ts';
import type { RunMap } from '../run-map.ts';

export const keyIndex = (key: Uint8Array): number =>
  new DataView(key.buffer, key.byteOffset, key.byteLength).getUint32(0, true);

export function indexKey(index: number): Uint8Array {
  const key = new Uint8Array(4);
  new DataView(key.buffer).setUint32(0, index, true);
  return key;
}

/** rule: array_map_update_elem, 6.18. 0 or a negative errno. */
function checkUpdate(index: number, entries: number, flags: bigint): number {
  if ((flags & ~UPDATE.LOCK) > UPDATE.EXIST) return -ERRNO.EINVAL;
  if (index >= entries) return -ERRNO.E2BIG;
  return (flags & UPDATE.NOEXIST) !== 0n ? -ERRNO.EEXIST : 0;
}

/** Writes a value where it is; the rest of its 8-byte word stays. */
const put = (m: Machine, address: bigint, value: Uint8Array): void => {
  m.memory.bytesAt(address, value.length, true).set(value);
};

abstract class Indexed implements RunMap {
  readonly map: KMap;
  protected readonly machine: Machine;

  constructor(m: Machine, map: KMap) {
    this.map = map;
    this.machine = m;
  }

  protected abstract addressOf(index: number, cpu: number): bigint;

  lookup(key: Uint8Array, cpu: number): bigint {
    const index = keyIndex(key);
    return index >= this.map.maxEntries ? 0n : this.addressOf(index, cpu);
  }

  update(key: Uint8Array, value: Uint8Array, flags: bigint, cpu: number): number {
    const index = keyIndex(key);
    const err = checkUpdate(index, this.map.maxEntries, flags);
    if (err === 0) put(this.machine, this.addressOf(index, cpu), value);
    return err;
  }

  remove(): number {
    return -ERRNO.EINVAL;
  }

  *elements(cpu: number): Iterable<{ key: Uint8Array; address: bigint }> {
    for (let i = 0; i < this.map.maxEntries; i++) yield { key: indexKey(i), address: this.addressOf(i, cpu) };
  }
}

/** Bytes of struct bpf_array before its values, or some that will do where nobody asks. */
const headerBytes = (m: Machine): bigint => BigInt(m.image?.offsetOf('bpf_array', 'value') ?? 0x100);

/** An array: struct bpf_array at the map's address, values behind it or (as of memory-mapped ones) elsewhere. */
export class RunArray extends Indexed {
  readonly values: Region;
  private readonly stride: number;

  constructor(m: Machine, map: KMap) {
    super(m, map);
    this.stride = round8(map.valueSize);
    const base = map.valueAddress ?? map.address + headerBytes(m);
    this.values = m.memory.add({ name: `array ${map.name}`, base, size: this.stride * map.maxEntries, owner: this });
  }

  protected addressOf(index: number): bigint {
    return this.values.base + BigInt(index * this.stride);
  }
}

/** A pointer to per-CPU memory for each index. */
export class RunPerCpuArray extends Indexed {
  private readonly pointers: Region;

  constructor(m: Machine, map: KMap) {
    super(m, map);
    const base = map.address + headerBytes(m);
    this.pointers = m.memory.add({ name: `pointers of ${map.name}`, base, size: 8 * map.maxEntries, owner: this });
    for (let i = 0; i < map.maxEntries; i++) {
      this.pointers.view.setBigUint64(i * 8, m.perCpu(`per-CPU value of ${map.name}`, map.valueSize, this), true);
    }
  }

  protected addressOf(index: number, cpu: number): bigint {
    return this.pointers.view.getBigUint64(index * 8, true) + this.machine.perCpuOffset(cpu);
  }
}
