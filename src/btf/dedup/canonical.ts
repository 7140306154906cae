// Which type stands for which while types are deduplicated.
import { BtfError } from '../btf-error.ts';
import { BTF_KIND } from '../kinds.ts';
import { Candidates } from './candidates.ts';
import type { TypePool } from './pool.ts';

const UNKNOWN = -1;
const IN_PROGRESS = -2;

/** The map from each type to the one that stands for it, and the canonical types by hash. */
export class CanonicalMap {
  readonly pool: TypePool;
  readonly candidates: Candidates;
  private readonly map: Int32Array;

  /** Variables and sections stand for themselves; so does all of the base, which cannot change. */
  constructor(pool: TypePool) {
    this.pool = pool;
    this.candidates = new Candidates(pool.count);
    this.map = new Int32Array(pool.count).fill(UNKNOWN);
    this.map[0] = 0;
    for (let id = 1; id < pool.count; id++) {
      const kind = pool.kind(id);
      if (id < pool.firstId || kind === BTF_KIND.VAR || kind === BTF_KIND.DATASEC) this.map[id] = id;
    }
  }

  isMapped(id: number): boolean {
    return this.map[id] >= 0;
  }

  isCanonical(id: number): boolean {
    return this.map[id] === id;
  }

  isInProgress(id: number): boolean {
    return this.map[id] === IN_PROGRESS;
  }

  begin(id: number): void {
    this.map[id] = IN_PROGRESS;
  }

  set(id: number, canonical: number): void {
    this.map[id] = canonical;
  }

  /** Sets what stands for a type; when it is the type itself, others can find it. */
  settle(id: number, canonical: number, hash: number): void {
    this.map[id] = canonical;
    if (id === canonical) this.candidates.add(hash, id);
  }

  /** What stands for a type in the end; the type itself while that is unknown. */
  resolve(id: number): number {
    const { map } = this;
    let steps = 0;
    for (let next = map[id]; next >= 0 && next !== id; next = map[id]) {
      id = next;
      if (++steps > map.length) throw new BtfError('types stand for one another in a circle');
    }
    return id;
  }

  /** What a forward declaration was resolved to; the id itself otherwise. */
  resolveForward(id: number): number {
    const { pool } = this;
    if (pool.kind(id) !== BTF_KIND.FWD) return id;
    const target = this.resolve(id);
    return pool.kind(target) === BTF_KIND.FWD ? id : target;
  }
}
