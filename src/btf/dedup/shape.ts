// What types look like apart from what they refer to: hashes and comparisons over a pool's words.
import { BTF_KIND, isEnum } from '../kinds.ts';
import type { TypePool } from './pool.ts';

const mix = (hash: number, value: number): number => (Math.imul(hash, 31) + value) | 0;

/** Hash of words `from` to `to` of a type, in steps, two a step when `pair` tells a second one's distance. */
const mixWords = (pool: TypePool, id: number, hash: number, [first, step, pair]: readonly number[]): number => {
  const { words } = pool;
  const at = pool.at[id];
  const end = at + pool.length(id);
  for (let p = at + first; p < end; p += step) {
    hash = mix(hash, words[p]);
    if (pair) hash = mix(hash, words[p + pair]);
  }
  return hash;
};

const nameHash = (pool: TypePool, id: number): number => mix(0, pool.words[pool.at[id]]);
const typedefHash = (pool: TypePool, id: number): number => mix(nameHash(pool, id), pool.words[pool.at[id] + 1]);
const commonHash = (pool: TypePool, id: number): number => mix(typedefHash(pool, id), pool.words[pool.at[id] + 2]);

const ALL_WORDS = [3, 1, 0];
/** Name and offset of members. */
const MEMBER_WORDS = [3, 3, 2];

/**
 * Hash by which equal types are found. It leaves out what may differ between types that can become one: the values
 * of enumerations, what typedefs and members refer to. Rule: libbpf 1.8, btf__dedup.
 */
export const shapeHash = (pool: TypePool, id: number): number => {
  switch (pool.kind(id)) {
    case BTF_KIND.TYPEDEF:
      return typedefHash(pool, id);
    case BTF_KIND.ENUM:
    case BTF_KIND.ENUM64:
      return nameHash(pool, id);
    case BTF_KIND.STRUCT:
    case BTF_KIND.UNION:
      return mixWords(pool, id, commonHash(pool, id), MEMBER_WORDS);
    default:
      return mixWords(pool, id, commonHash(pool, id), ALL_WORDS);
  }
};

/** The same name, kind, length, and size or type. */
export const sameHead = (pool: TypePool, a: number, b: number): boolean => {
  const { words } = pool;
  const p = pool.at[a];
  const q = pool.at[b];
  return words[p] === words[q] && words[p + 1] === words[q + 1] && words[p + 2] === words[q + 2];
};

/** The same name, kind and length. */
export const sameNameAndInfo = (pool: TypePool, a: number, b: number): boolean => {
  const { words } = pool;
  const p = pool.at[a];
  const q = pool.at[b];
  return words[p] === words[q] && words[p + 1] === words[q + 1];
};

/** The same in every word. */
export const sameWords = (pool: TypePool, a: number, b: number): boolean => {
  if (!sameHead(pool, a, b)) return false;
  const { words } = pool;
  const p = pool.at[a];
  const q = pool.at[b];
  for (let i = pool.length(a) - 1; i > 2; i--) if (words[p + i] !== words[q + i]) return false;
  return true;
};

/** Structs or unions with the same size, names and offsets of members. */
export const sameMembers = (pool: TypePool, a: number, b: number): boolean => {
  if (!sameHead(pool, a, b)) return false;
  const { words } = pool;
  const p = pool.at[a];
  const q = pool.at[b];
  for (let i = pool.length(a) - 1; i > 2; i -= 3) {
    if (words[p + i] !== words[q + i] || words[p + i - 2] !== words[q + i - 2]) return false;
  }
  return true;
};

/** Arrays of the same length, whatever of. */
export const sameArrayLength = (pool: TypePool, a: number, b: number): boolean =>
  sameHead(pool, a, b) && pool.arrayLength(a) === pool.arrayLength(b);

/** Prototypes with the same names of parameters, whatever the types. */
export const sameParamNames = (pool: TypePool, a: number, b: number): boolean => {
  if (!sameNameAndInfo(pool, a, b)) return false;
  const { words } = pool;
  const p = pool.at[a];
  const q = pool.at[b];
  const end = pool.length(a);
  for (let i = 3; i < end; i += 2) if (words[p + i] !== words[q + i]) return false;
  return true;
};

/** An enumeration that is only declared: it has no values. */
export const isEnumForward = (pool: TypePool, id: number): boolean => isEnum(pool.kind(id)) && pool.vlen(id) === 0;

/** Enumerations that are equal, or of the same name when one is only declared. */
export const compatibleEnums = (pool: TypePool, a: number, b: number): boolean => {
  if (!isEnumForward(pool, a) && !isEnumForward(pool, b)) return sameWords(pool, a, b);
  return pool.nameOffset(a) === pool.nameOffset(b) && isEnum(pool.kind(a)) && isEnum(pool.kind(b));
};

/** Kind of what a forward declaration declares. */
export const forwardKind = (pool: TypePool, id: number): number =>
  pool.words[pool.at[id] + 1] < 0 ? BTF_KIND.UNION : BTF_KIND.STRUCT;
