// Maps whose elements are programs, other maps or things outside of the machine.
import { ERRNO } from '../../../errno.ts';
import { MAP_TYPE } from '../../../isa/uapi.ts';
import type { KMap } from '../../objects.ts';
import type { Code, Machine } from '../machine.ts';
import type { RunMap } from '../run-map.ts';

const keyOf = (key: Uint8Array): string => Buffer.from(key).toString('latin1');

/**
 * A map that user space fills: program arrays hold Code, maps in maps hold RunMap, others numbers. Programs can look up
 * inner maps, and remove where Linux lets them.
 */
export class RunHolder implements RunMap {
  readonly map: KMap;
  private readonly slots: Map<string, unknown> = new Map();

  constructor(_m: Machine, map: KMap) {
    this.map = map;
  }

  /** Puts something into a slot, as a system call does; undefined empties it. */
  set(key: Uint8Array, what: Code | RunMap | number | undefined): void {
    if (what === undefined) this.slots.delete(keyOf(key));
    else this.slots.set(keyOf(key), what);
  }

  held(key: Uint8Array): unknown {
    return this.slots.get(keyOf(key));
  }

  lookup(key: Uint8Array): bigint {
    const { type } = this.map;
    if (type !== MAP_TYPE.array_of_maps && type !== MAP_TYPE.hash_of_maps) return 0n;
    const inner = this.held(key) as RunMap | undefined;
    return inner?.map.address ?? 0n;
  }

  update(): number {
    return -ERRNO.EOPNOTSUPP;
  }

  remove(key: Uint8Array): number {
    return this.slots.delete(keyOf(key)) ? 0 : -ERRNO.ENOENT;
  }

  elements(): Iterable<{ key: Uint8Array; address: bigint }> {
    return [];
  }
}
