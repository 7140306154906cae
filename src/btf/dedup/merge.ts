// Several BTF files over one base as one.
import { Btf } from '../btf.ts';
import { BtfError } from '../btf-error.ts';
import { dedupPool } from './dedup.ts';
import { SourceStrings, type TypePool } from './pool.ts';

const EOPNOTSUPP = 95;

/** Copies all types of `btf`, which has no base or the pool's. Rule: libbpf 1.8, btf__add_btf. */
export const appendBtf = (pool: TypePool, btf: Btf, base: Btf | undefined): void => {
  if (btf.base && btf.base !== base) throw new BtfError('BTF files have different bases', { errno: EOPNOTSUPP });
  const strings = new SourceStrings(btf);
  const shift = pool.count - btf.firstId;
  const known = new Map<number, number>();
  for (let id = btf.firstId; id < btf.count; id++) {
    const copy = pool.copy(btf, id, strings, known, btf.firstString);
    pool.mapIds(copy, (target) => (target < btf.firstId ? target : target + shift));
  }
};

/** The types of a pool over `base`, without repetition. Throws BtfError. */
export const dedupedBtf = (pool: TypePool, base: Btf): Btf => {
  dedupPool(pool);
  return Btf.parse(pool.bytes(), base);
};
