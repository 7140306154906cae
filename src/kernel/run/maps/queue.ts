// Queues and stacks.
import { ERRNO } from '../../../errno.ts';
import { MAP_TYPE } from '../../../isa/uapi.ts';
import { UPDATE } from '../../maps/flags.ts';
import type { KMap } from '../../objects.ts';
import type { Machine } from '../machine.ts';
import type { RunMap } from '../run-map.ts';

export class RunQueue implements RunMap {
  readonly map: KMap;
  private readonly values: Uint8Array[] = [];

  constructor(_m: Machine, map: KMap) {
    this.map = map;
  }

  /** rule: queue_stack_map_push_elem, 6.18 */
  push(value: Uint8Array, flags: bigint): number {
    if ((flags & UPDATE.NOEXIST) !== 0n || flags > UPDATE.EXIST) return -ERRNO.EINVAL;
    if (this.values.length >= this.map.maxEntries) {
      if (flags !== UPDATE.EXIST) return -ERRNO.E2BIG;
      this.values.shift();
    }
    this.values.push(Uint8Array.from(value));
    return 0;
  }

  /** An empty one gives zeroes and ENOENT. rule: __queue_map_get, 6.18 */
  private take(into: Uint8Array, remove: boolean): number {
    const at = this.map.type === MAP_TYPE.queue ? 0 : this.values.length - 1;
    const value = this.values[at];
    if (value === undefined) {
      into.fill(0);
      return -ERRNO.ENOENT;
    }
    into.set(value);
    if (remove) this.values.splice(at, 1);
    return 0;
  }

  pop(into: Uint8Array): number {
    return this.take(into, true);
  }

  peek(into: Uint8Array): number {
    return this.take(into, false);
  }

  lookup(): bigint {
    return 0n;
  }

  update(): number {
    return -ERRNO.EINVAL;
  }

  remove(): number {
    return -ERRNO.EINVAL;
  }

  elements(): Iterable<{ key: Uint8Array; address: bigint }> {
    return [];
  }
}
