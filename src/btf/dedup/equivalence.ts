// Whether two graphs of types are the same, compared side by side.
import { BtfError } from '../btf-error.ts';
import { BTF_KIND, isComposite } from '../kinds.ts';
import type { CanonicalMap } from './canonical.ts';
import type { TypePool } from './pool.ts';
import {
  compatibleEnums,
  forwardKind,
  sameArrayLength,
  sameHead,
  sameMembers,
  sameNameAndInfo,
  sameParamNames,
  sameWords,
} from './shape.ts';

/** Levels that are compared where one type met two others. */
const IDENTITY_DEPTH = 16;

/** Comparisons of one such meeting after which types are taken for endless. */
const IDENTITY_STEPS = 1 << 22;

/** Third words and elements of a type that are types: where they begin, their number, and the words from one to the next. */
const elementIds = (pool: TypePool, id: number): readonly [first: number, step: number] =>
  isComposite(pool.kind(id)) ? [4, 3] : [4, 2];

/**
 * Compares types member by member as far down as a limit, without assumptions. Array elements are not looked at.
 * Rule: libbpf 1.8, btf_dedup_identical_types.
 */
const identicalTypes = (
  pool: TypePool,
  a: number,
  b: number,
  depth = IDENTITY_DEPTH,
  budget = { left: IDENTITY_STEPS },
): boolean => {
  for (let steps = 0; depth > 0 && steps < pool.count; steps++) {
    if (--budget.left < 0) throw new BtfError('BTF types are too intricate to be compared');
    const kind = pool.kind(a);
    if (kind !== pool.kind(b)) return false;
    switch (kind) {
      case BTF_KIND.UNKN:
        return true;
      case BTF_KIND.INT:
        return sameWords(pool, a, b);
      case BTF_KIND.ENUM:
      case BTF_KIND.ENUM64:
        return compatibleEnums(pool, a, b);
      case BTF_KIND.FWD:
      case BTF_KIND.FLOAT:
        return sameHead(pool, a, b);
      case BTF_KIND.CONST:
      case BTF_KIND.VOLATILE:
      case BTF_KIND.RESTRICT:
      case BTF_KIND.PTR:
      case BTF_KIND.TYPEDEF:
      case BTF_KIND.FUNC:
      case BTF_KIND.TYPE_TAG:
        if (!sameNameAndInfo(pool, a, b)) return false;
        a = pool.type(a);
        b = pool.type(b);
        continue;
      case BTF_KIND.ARRAY:
        return sameArrayLength(pool, a, b);
      case BTF_KIND.STRUCT:
      case BTF_KIND.UNION:
        return sameMembers(pool, a, b) && identicalElements(pool, a, b, depth, budget);
      case BTF_KIND.FUNC_PROTO:
        return (
          sameParamNames(pool, a, b) &&
          (pool.type(a) === pool.type(b) || identicalTypes(pool, pool.type(a), pool.type(b), depth - 1, budget)) &&
          identicalElements(pool, a, b, depth, budget)
        );
      default:
        return false;
    }
  }
  return false;
};

const identicalElements = (pool: TypePool, a: number, b: number, depth: number, budget: { left: number }): boolean => {
  const { words } = pool;
  const p = pool.at[a];
  const q = pool.at[b];
  const end = pool.length(a);
  const [first, step] = elementIds(pool, a);
  for (let i = first; i < end; i += step) {
    if (words[p + i] !== words[q + i] && !identicalTypes(pool, words[p + i], words[q + i], depth - 1, budget))
      return false;
  }
  return true;
};

/**
 * Tries whether a type is equivalent to a canonical one, and keeps which type met which on the way.
 * Rule: libbpf 1.8, btf_dedup_is_equiv and btf_dedup_merge_hypot_map.
 */
export class Equivalence {
  /** The base would have to change for it, so that both stay apart after all. */
  adjustsBase = false;
  private readonly canonical: CanonicalMap;
  private readonly pool: TypePool;
  /** Which type met a type of the canonical graph; -1 for none. */
  private readonly met: Int32Array;
  private readonly order: number[] = [];
  /** Pairs that are still to be compared, the next one last. */
  private readonly stack: number[] = [];

  constructor(canonical: CanonicalMap) {
    this.canonical = canonical;
    this.pool = canonical.pool;
    this.met = new Int32Array(this.pool.count).fill(-1);
  }

  private clear(): void {
    for (const id of this.order) this.met[id] = -1;
    this.order.length = 0;
    this.stack.length = 0;
    this.adjustsBase = false;
  }

  /** True when both graphs are equivalent as far as is known now. */
  test(type: number, candidate: number): boolean {
    this.clear();
    const { stack } = this;
    stack.push(type, candidate);
    while (stack.length) {
      const canon = stack.pop() as number;
      const other = stack.pop() as number;
      if (!this.compare(other, canon)) return false;
    }
    return true;
  }

  /** Elements are pushed last first, so that they are compared in their order. */
  private pushElements(type: number, canon: number): void {
    const { pool, stack } = this;
    const { words } = pool;
    const p = pool.at[type];
    const q = pool.at[canon];
    const [first, step] = elementIds(pool, type);
    for (let i = pool.length(type) - step + (first - 3); i >= first; i -= step) stack.push(words[p + i], words[q + i]);
  }

  private compare(type: number, canon: number): boolean {
    const { canonical, pool, stack } = this;
    if (canonical.resolve(type) === canonical.resolve(canon)) return true;
    canon = canonical.resolveForward(canon);
    const before = this.met[canon];
    if (before >= 0) return before === type || identicalTypes(pool, before, type);
    this.met[canon] = type;
    this.order.push(canon);
    if (pool.nameOffset(type) !== pool.nameOffset(canon)) return false;

    const kind = pool.kind(type);
    const canonKind = pool.kind(canon);
    if (kind !== canonKind) {
      if (kind === BTF_KIND.FWD) return forwardKind(pool, type) === canonKind;
      if (canonKind !== BTF_KIND.FWD) return false;
      if (forwardKind(pool, canon) !== kind) return false;
      if (canon < pool.firstId) this.adjustsBase = true;
      return true;
    }
    switch (kind) {
      case BTF_KIND.INT:
        return sameWords(pool, type, canon);
      case BTF_KIND.ENUM:
      case BTF_KIND.ENUM64:
        return compatibleEnums(pool, type, canon);
      case BTF_KIND.FWD:
      case BTF_KIND.FLOAT:
        return sameHead(pool, type, canon);
      case BTF_KIND.CONST:
      case BTF_KIND.VOLATILE:
      case BTF_KIND.RESTRICT:
      case BTF_KIND.PTR:
      case BTF_KIND.TYPEDEF:
      case BTF_KIND.FUNC:
      case BTF_KIND.TYPE_TAG:
        if (!sameNameAndInfo(pool, type, canon)) return false;
        stack.push(pool.type(type), pool.type(canon));
        return true;
      case BTF_KIND.ARRAY: {
        if (!sameArrayLength(pool, type, canon)) return false;
        const p = pool.at[type];
        const q = pool.at[canon];
        stack.push(pool.words[p + 3], pool.words[q + 3], pool.words[p + 4], pool.words[q + 4]);
        return true;
      }
      case BTF_KIND.STRUCT:
      case BTF_KIND.UNION:
        if (!sameMembers(pool, type, canon)) return false;
        this.pushElements(type, canon);
        return true;
      case BTF_KIND.FUNC_PROTO:
        if (!sameParamNames(pool, type, canon)) return false;
        this.pushElements(type, canon);
        stack.push(pool.type(type), pool.type(canon));
        return true;
      default:
        throw new BtfError(`type [${type}] cannot be compared with another`);
    }
  }

  /** Takes over what the last test, which succeeded, has found of forward declarations and of other structs. */
  adopt(): void {
    const { canonical, pool } = this;
    for (const canon of this.order) {
      const mine = canonical.resolve(this.met[canon]);
      const theirs = canonical.resolve(canon);
      const kind = pool.kind(mine);
      const theirKind = pool.kind(theirs);
      if (kind !== BTF_KIND.FWD && theirKind === BTF_KIND.FWD) canonical.set(theirs, mine);
      if (this.adjustsBase) continue;
      if (kind === BTF_KIND.FWD && theirKind !== BTF_KIND.FWD) canonical.set(mine, theirs);
      const settled = canonical.isMapped(theirs) && !canonical.isMapped(mine);
      if (isComposite(kind) && theirKind !== BTF_KIND.FWD && settled) canonical.set(mine, theirs);
    }
  }
}
