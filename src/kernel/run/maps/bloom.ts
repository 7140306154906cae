// Filters that know what has been put in. Linux's also take some other values for known ones; this one does not.
import { ERRNO } from '../../../errno.ts';
import type { KMap } from '../../objects.ts';
import type { Machine } from '../machine.ts';
import type { RunMap } from '../run-map.ts';

const BPF_ANY = 0n;

export class RunBloom implements RunMap {
  readonly map: KMap;
  private readonly known = new Set<string>();

  constructor(_m: Machine, map: KMap) {
    this.map = map;
  }

  push(value: Uint8Array, flags: bigint): number {
    if (flags !== BPF_ANY) return -ERRNO.EINVAL;
    this.known.add(Buffer.from(value).toString('latin1'));
    return 0;
  }

  peek(value: Uint8Array): number {
    return this.known.has(Buffer.from(value).toString('latin1')) ? 0 : -ERRNO.ENOENT;
  }

  pop(): number {
    return -ERRNO.EOPNOTSUPP;
  }

  lookup(): bigint {
    return 0n;
  }

  update(): number {
    return -ERRNO.EINVAL;
  }

  remove(): number {
    return -ERRNO.EOPNOTSUPP;
  }

  elements(): Iterable<{ key: Uint8Array; address: bigint }> {
    return [];
  }
}
