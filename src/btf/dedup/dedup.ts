// Deduplication of BTF: of types that are the same only one stays, and forward declarations become what they declare.
import { Btf } from '../btf.ts';
import { BtfError } from '../btf-error.ts';
import { BTF_KIND, isComposite, isEnum, KIND_LAYOUTS } from '../kinds.ts';
import { CanonicalMap } from './canonical.ts';
import { Equivalence } from './equivalence.ts';
import { TypePool } from './pool.ts';
import {
  compatibleEnums,
  forwardKind,
  isEnumForward,
  sameMembers,
  sameNameAndInfo,
  sameWords,
  shapeHash,
} from './shape.ts';

const ELOOP = 40;

/** Own types, in order. */
const forEachType = (pool: TypePool, visit: (id: number, kind: number) => void): void => {
  for (let id = pool.firstId; id < pool.count; id++) visit(id, pool.kind(id));
};

/** The first candidate that fits; the type itself when there is none. */
const findEqual = (map: CanonicalMap, id: number, hash: number): number => {
  const { candidates, pool } = map;
  for (let other = candidates.first(hash); other >= 0; other = candidates.after(other)) {
    if (sameWords(pool, id, other)) return other;
  }
  return id;
};

/** An enumeration: a mere declaration becomes the full one, whichever comes first. */
const findEnum = (map: CanonicalMap, id: number, hash: number): number => {
  const { candidates, pool } = map;
  for (let other = candidates.first(hash); other >= 0; other = candidates.after(other)) {
    if (isEnum(pool.kind(other)) && sameWords(pool, id, other)) return other;
    if (!compatibleEnums(pool, id, other)) continue;
    if (isEnumForward(pool, id)) return other;
    map.set(other, id);
  }
  return id;
};

/** Types that refer to none. */
const dedupPrimitives = (map: CanonicalMap): void => {
  forEachType(map.pool, (id, kind) => {
    const isPlain = kind === BTF_KIND.INT || kind === BTF_KIND.FWD || kind === BTF_KIND.FLOAT;
    if (!isPlain && !isEnum(kind)) return;
    const hash = shapeHash(map.pool, id);
    map.settle(id, isPlain ? findEqual(map, id, hash) : findEnum(map, id, hash), hash);
  });
};

/** Structs, unions and typedefs, through which types can refer to themselves. */
const dedupStructs = (map: CanonicalMap): void => {
  const { candidates, pool } = map;
  const equivalence = new Equivalence(map);
  const find = (id: number, kind: number, hash: number): number => {
    const similar = kind === BTF_KIND.TYPEDEF ? sameNameAndInfo : sameMembers;
    for (let other = candidates.first(hash); other >= 0; other = candidates.after(other)) {
      if (!similar(pool, id, other) || !equivalence.test(id, other)) continue;
      equivalence.adopt();
      if (!equivalence.adjustsBase) return other;
    }
    return id;
  };
  forEachType(pool, (id, kind) => {
    if (map.isMapped(id) || (!isComposite(kind) && kind !== BTF_KIND.TYPEDEF)) return;
    const hash = shapeHash(pool, id);
    map.settle(id, find(id, kind, hash), hash);
  });
};

/** Forward declarations that no struct led to become the only struct or union of their name. */
const resolveForwards = (map: CanonicalMap): void => {
  const { pool } = map;
  /** 0 where several types have the name. */
  const byName = new Map<number, number>();
  for (let id = 1; id < pool.count; id++) {
    if (!isComposite(pool.kind(id)) || !map.isCanonical(id)) continue;
    const name = pool.nameOffset(id);
    byName.set(name, byName.has(name) ? 0 : id);
  }
  forEachType(pool, (id, kind) => {
    if (kind !== BTF_KIND.FWD || !map.isCanonical(id)) return;
    const target = byName.get(pool.nameOffset(id));
    if (target && pool.kind(target) === forwardKind(pool, id)) map.set(id, target);
  });
};

/** Words of a reference type that are type ids, in the order in which libbpf visits them. */
const referenceWords = (pool: TypePool, id: number): { count: number; at: (n: number) => number } => {
  const start = pool.at[id];
  switch (pool.kind(id)) {
    case BTF_KIND.CONST:
    case BTF_KIND.VOLATILE:
    case BTF_KIND.RESTRICT:
    case BTF_KIND.PTR:
    case BTF_KIND.FUNC:
    case BTF_KIND.TYPE_TAG:
    case BTF_KIND.DECL_TAG:
      return { count: 1, at: () => start + 2 };
    case BTF_KIND.ARRAY:
      return { count: 2, at: (n) => start + 3 + n };
    case BTF_KIND.FUNC_PROTO:
      return { count: 1 + pool.vlen(id), at: (n) => start + 2 + 2 * n };
    default:
      throw new BtfError(`type [${id}] cannot be deduplicated`);
  }
};

/** All others, each after what it refers to. */
const dedupReferences = (map: CanonicalMap): void => {
  const { pool } = map;
  const { words } = pool;
  interface Frame {
    id: number;
    refs: ReturnType<typeof referenceWords>;
    next: number;
  }
  const stack: Frame[] = [];
  const enter = (id: number): void => {
    map.begin(id);
    stack.push({ id, refs: referenceWords(pool, id), next: 0 });
  };
  /** Goes on with a type until it is done (true) or needs another one first. */
  const advance = (frame: Frame): boolean => {
    for (; frame.next < frame.refs.count; frame.next++) {
      const word = frame.refs.at(frame.next);
      const target = words[word];
      if (map.isInProgress(target)) throw new BtfError(`type [${target}] refers to itself`, { errno: ELOOP });
      if (!map.isMapped(target)) {
        enter(target);
        return false;
      }
      words[word] = map.resolve(target);
    }
    return true;
  };
  for (let first = pool.firstId; first < pool.count; first++) {
    if (map.isMapped(first)) continue;
    enter(first);
    while (stack.length) {
      const frame = stack[stack.length - 1];
      if (!advance(frame)) continue;
      const hash = shapeHash(pool, frame.id);
      map.settle(frame.id, findEqual(map, frame.id, hash), hash);
      stack.pop();
    }
  }
};

/**
 * Leaves one of all types that are the same, in place; own strings are compacted where they came with opened data.
 * Gives the new id of each old one. Throws BtfError. Rule: libbpf 1.8, btf__dedup, which gives the same bytes.
 */
export const dedupPool = (pool: TypePool): ((id: number) => number) => {
  for (let id = 1; id < pool.count; id++) {
    if (!KIND_LAYOUTS[pool.kind(id)]) throw new BtfError(`unknown kind ${pool.kind(id)} for type [${id}]`);
  }
  const map = new CanonicalMap(pool);
  for (let id = 1; id < pool.firstId; id++) {
    const kind = pool.kind(id);
    if (kind !== BTF_KIND.VAR && kind !== BTF_KIND.DATASEC) map.candidates.add(shapeHash(pool, id), id);
  }
  if (pool.rawStrings) pool.compactStrings();
  dedupPrimitives(map);
  dedupStructs(map);
  resolveForwards(map);
  dedupReferences(map);
  const now = pool.compactTypes((id) => map.isCanonical(id));
  const newId = (id: number): number => {
    const result = now[map.resolve(id)];
    if (result < 0) throw new BtfError(`type [${id}] is gone`);
    return result;
  };
  forEachType(pool, (id) => pool.mapIds(id, newId));
  return newId;
};

/** The same types without repetition. Throws BtfError. */
export const dedupBtf = (btf: Btf): Btf => {
  const pool = TypePool.from(btf);
  dedupPool(pool);
  return Btf.parse(pool.bytes(), btf.base, { pointerSize: btf.knownPointerSize });
};
