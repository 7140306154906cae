// The order in which a sorted C dump visits types, so that headers of similar kernels differ little.
import type { FlatTypes } from '../flat-types.ts';
import { BTF_KIND } from '../kinds.ts';
import { ContentHash } from './content-hash.ts';
import { RANK, rankOf, sortName, target } from './rank.ts';
import { sortByText, type TextOrder } from './text-order.ts';

/** Kinds that are never defined themselves and lead to nothing that is. */
const SILENT_KINDS: readonly number[] = [BTF_KIND.FUNC, BTF_KIND.VAR, BTF_KIND.DATASEC, BTF_KIND.DECL_TAG];
const SILENT = Uint8Array.from({ length: 128 }, (_, kind) => (SILENT_KINDS.includes(kind) ? 1 : 0));

/**
 * Sorts by rank, sort name, own name, content and id. Most types of a kernel come last and have nothing to add by then;
 * they are sorted in a second step, and only those that matter.
 */
export class SortedTypes {
  private readonly types: FlatTypes;
  private readonly ranks: Uint8Array;
  private readonly bySortName: TextOrder;
  private readonly byName: TextOrder;
  private readonly hashes: ContentHash;
  private hasOddTypedefs = false;

  /** Throws BtfError for types that refer to themselves. */
  constructor(types: FlatTypes) {
    const { count } = types;
    const { bytes } = types.strings;
    this.types = types;
    this.hashes = new ContentHash(types);
    this.ranks = new Uint8Array(count);
    this.bySortName = { bytes, offsets: new Int32Array(count) };
    this.byName = { bytes, offsets: new Int32Array(count) };
    for (let id = 0; id < count; id++) {
      const rank = rankOf(types, id);
      this.ranks[id] = rank;
      if (rank === RANK.LAST && types.kind(id) === BTF_KIND.TYPEDEF && this.isOdd(id)) this.hasOddTypedefs = true;
    }
  }

  /** Typedefs that no compiler writes. Whether they are defined depends on everything that is visited before them. */
  private isOdd(id: number): boolean {
    const { types } = this;
    if (types.nameOffset(id) === 0) return true;
    let end = id;
    for (let next = target(types, end); next >= 0; next = target(types, end)) {
      if (types.kind(next) === BTF_KIND.DECL_TAG) return true;
      end = next;
    }
    return end !== 0 && types.kind(end) !== BTF_KIND.FWD;
  }

  /** Those that come first, in order; only the types of the last rank are missing. */
  ranked(): Int32Array {
    const { ranks } = this;
    const ends = new Int32Array(RANK.LAST + 1);
    for (let id = 0; id < ranks.length; id++) ends[ranks[id]]++;
    for (let rank = 1; rank < RANK.LAST; rank++) ends[rank] += ends[rank - 1];
    const ids = new Int32Array(ends[RANK.LAST - 1]);
    const next = ends.slice();
    for (let id = ranks.length - 1; id >= 0; id--) if (ranks[id] !== RANK.LAST) ids[--next[ranks[id]]] = id;
    for (let rank = 0; rank < RANK.LAST; rank++) this.sort(ids, next[rank], ends[rank]);
    return ids;
  }

  /** Types of the last rank, in order; of those only the ones that `matter`, unless they are the first ones of all. */
  last(isFirst: boolean, matters: (id: number) => boolean): Int32Array {
    const { types, ranks } = this;
    const all = isFirst || this.hasOddTypedefs;
    const ids = new Int32Array(types.count);
    let length = 0;
    for (let id = 0; id < ranks.length; id++) {
      if (ranks[id] !== RANK.LAST) continue;
      if (all || (SILENT[types.kind(id)] === 0 && matters(id))) ids[length++] = id;
    }
    this.sort(ids, 0, length);
    return ids.subarray(0, length);
  }

  /** Sorts types of one rank. */
  private sort(ids: Int32Array, start: number, end: number): void {
    const { types, bySortName, byName } = this;
    for (let i = start; i < end; i++) {
      const id = ids[i];
      bySortName.offsets[id] = sortName(types, id);
      byName.offsets[id] = types.nameOffset(id);
    }
    sortByText(ids, start, end, bySortName, (from, to) =>
      sortByText(ids, from, to, byName, (first, behind) => this.sortByContent(ids, first, behind)),
    );
  }

  private sortByContent(ids: Int32Array, start: number, end: number): void {
    const run = Array.from(ids.subarray(start, end), (id) => ({ id, hash: this.hashes.of(id, true) }));
    run.sort((a, b) => a.hash.high - b.hash.high || a.hash.low - b.hash.low || a.id - b.id);
    run.forEach(({ id }, i) => {
      ids[start + i] = id;
    });
  }
}
