// Hash tables, with values for each CPU or not, with eviction or not; and tries of prefixes.
import { ERRNO } from '../../../errno.ts';
import { MAP_TYPE } from '../../../isa/uapi.ts';
import { UPDATE } from '../../maps/flags.ts';
import { round8 } from '../../maps/record.ts';
import type { KMap } from '../../objects.ts';
import type { Machine } from '../machine.ts';
import type { Region } from '../memory.ts';
import type { RunMap } from '../run-map.ts';

/** Bytes of struct htab_elem before its key, or some that will do where nobody asks. */
const keyOffset = (m: Machine): number => m.image?.offsetOf('htab_elem', 'key') ?? 48;

interface Element {
  readonly key: Uint8Array;
  /** struct htab_elem; it stays readable after its removal, as RCU has it for the rest of a run. */
  readonly region: Region;
  /** Of the value, or of the per-CPU pointer's memory. */
  readonly address: bigint;
}

const keyOf = (key: Uint8Array): string => Buffer.from(key).toString('latin1');

export const isPerCpu = (type: number): boolean =>
  type === MAP_TYPE.percpu_hash || type === MAP_TYPE.lru_percpu_hash || type === MAP_TYPE.percpu_array;
const isLru = (type: number): boolean => type === MAP_TYPE.lru_hash || type === MAP_TYPE.lru_percpu_hash;

export class RunHash implements RunMap {
  readonly map: KMap;
  protected readonly machine: Machine;
  protected readonly table: Map<string, Element> = new Map();
  private readonly perCpu: boolean;

  constructor(m: Machine, map: KMap) {
    this.map = map;
    this.machine = m;
    this.perCpu = isPerCpu(map.type);
  }

  protected find(key: Uint8Array): Element | undefined {
    return this.table.get(keyOf(key));
  }

  lookup(key: Uint8Array, cpu: number): bigint {
    const element = this.find(key);
    if (element === undefined) return 0n;
    return this.perCpu ? element.address + this.machine.perCpuOffset(cpu) : element.address;
  }

  /** Address of the struct htab_elem; 0n: there is none. */
  elementAddress(key: Uint8Array): bigint {
    return this.find(key)?.region.base ?? 0n;
  }

  private make(key: Uint8Array): Element {
    const { map, machine } = this;
    const start = keyOffset(machine);
    const value = start + round8(map.keySize);
    const size = value + (this.perCpu ? 8 : round8(map.valueSize));
    const region = machine.memory.add({ name: `element of ${map.name}`, size, owner: this });
    region.bytes.set(key, start);
    let address = region.base + BigInt(value);
    if (this.perCpu) {
      address = machine.perCpu(`per-CPU value of ${map.name}`, map.valueSize, this);
      region.view.setBigUint64(value, address, true);
    }
    return { key: Uint8Array.from(key), region, address };
  }

  /** rule: htab_map_update_elem, 6.18: an update makes a new element, readers keep the old one. */
  update(key: Uint8Array, value: Uint8Array, flags: bigint, cpu: number): number {
    if ((flags & ~UPDATE.LOCK) > UPDATE.EXIST) return -ERRNO.EINVAL;
    const old = this.find(key);
    if (old !== undefined && (flags & UPDATE.NOEXIST) !== 0n) return -ERRNO.EEXIST;
    if (old === undefined && (flags & UPDATE.EXIST) !== 0n) return -ERRNO.ENOENT;
    const inPlace = old !== undefined && (this.perCpu || (flags & UPDATE.LOCK) !== 0n);
    if (old === undefined && this.table.size >= this.map.maxEntries) {
      if (!isLru(this.map.type)) return -ERRNO.E2BIG;
      this.table.delete(this.table.keys().next().value as string);
    }
    const element = inPlace ? old : this.make(key);
    if (!inPlace) {
      this.table.delete(keyOf(key));
      this.table.set(keyOf(key), element);
    }
    const address = this.perCpu ? element.address + this.machine.perCpuOffset(cpu) : element.address;
    this.machine.memory.bytesAt(address, value.length, true).set(value);
    return 0;
  }

  remove(key: Uint8Array): number {
    return this.table.delete(keyOf(key)) ? 0 : -ERRNO.ENOENT;
  }

  *elements(cpu: number): Iterable<{ key: Uint8Array; address: bigint }> {
    for (const { key } of [...this.table.values()]) yield { key, address: this.lookup(key, cpu) };
  }
}

/** Bytes of the length before a prefix. */
const PREFIX = 4;

const prefixLength = (key: Uint8Array): number =>
  new DataView(key.buffer, key.byteOffset, key.byteLength).getUint32(0, true);

function samePrefix(a: Uint8Array, b: Uint8Array, bits: number): boolean {
  for (let bit = 0; bit < bits; bit++) {
    const at = PREFIX + (bit >> 3);
    if (((a[at] ^ b[at]) & (0x80 >> (bit & 7))) !== 0) return false;
  }
  return true;
}

/** A trie of prefixes: lookups find the longest one. rule: lpm_trie.c, 6.18 */
export class RunTrie extends RunHash {
  private tooLong(key: Uint8Array): boolean {
    return prefixLength(key) > (this.map.keySize - PREFIX) * 8;
  }

  /** The key with all bits behind the prefix 0: what one prefix is stored under. */
  private canonical(key: Uint8Array): Uint8Array {
    const out = new Uint8Array(key.length);
    const bits = prefixLength(key);
    out.set(key.subarray(0, PREFIX));
    for (let bit = 0; bit < bits; bit++) out[PREFIX + (bit >> 3)] |= key[PREFIX + (bit >> 3)] & (0x80 >> (bit & 7));
    return out;
  }

  override lookup(key: Uint8Array, cpu: number): bigint {
    if (this.tooLong(key)) return 0n;
    let best: Uint8Array | undefined;
    for (const { key: prefix } of this.table.values()) {
      const bits = prefixLength(prefix);
      if (bits > prefixLength(key) || !samePrefix(prefix, key, bits)) continue;
      if (best === undefined || bits > prefixLength(best)) best = prefix;
    }
    return best === undefined ? 0n : super.lookup(best, cpu);
  }

  override update(key: Uint8Array, value: Uint8Array, flags: bigint, cpu: number): number {
    if (flags > UPDATE.EXIST || this.tooLong(key)) return -ERRNO.EINVAL;
    const err = super.update(this.canonical(key), value, flags, cpu);
    return err === -ERRNO.E2BIG ? -ERRNO.ENOSPC : err;
  }

  override remove(key: Uint8Array): number {
    return this.tooLong(key) ? -ERRNO.EINVAL : super.remove(this.canonical(key));
  }
}
