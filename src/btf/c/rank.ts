// What a sorted C dump sorts types by first: their rank and the name of what they refer to. Rule: bpftool 7.8, btf.c.
import { BtfError } from '../btf-error.ts';
import type { FlatTypes } from '../flat-types.ts';
import { BTF_KIND, isComposite, isEnum } from '../kinds.ts';

/** Kinds of equal rank are visited together: enums, numbers, structs, functions, the rest. */
export const RANK = { ANONYMOUS_ENUM: 0, ENUM: 1, NUMBER: 2, COMPOSITE: 3, FUNCTION: 4, LAST: 10 } as const;

const MAX_CHAIN = 1000;

const tooLong = (id: number) => new BtfError(`type id ${id} refers to itself`);

const REFERENCES: readonly number[] = [
  BTF_KIND.ARRAY,
  BTF_KIND.TYPE_TAG,
  BTF_KIND.CONST,
  BTF_KIND.PTR,
  BTF_KIND.VOLATILE,
  BTF_KIND.RESTRICT,
  BTF_KIND.TYPEDEF,
  BTF_KIND.DECL_TAG,
];
const IS_REFERENCE = Uint8Array.from({ length: 128 }, (_, kind) => (REFERENCES.includes(kind) ? 1 : 0));

/** The type that a type stands for in rank, name and hash; -1 for those that stand for themselves. */
export const target = (types: FlatTypes, id: number): number => {
  const kind = types.kind(id);
  if (IS_REFERENCE[kind] === 0) return -1;
  return kind === BTF_KIND.ARRAY ? types.arrayElem(id) : types.type(id);
};

/** Instead of a rank: that of what is referred to. */
const FOLLOW = -1;

const rankOfKind = (kind: number, named: boolean): number => {
  if (isEnum(kind)) return named ? RANK.ENUM : RANK.ANONYMOUS_ENUM;
  if (kind === BTF_KIND.INT || kind === BTF_KIND.FLOAT) return RANK.NUMBER;
  if (isComposite(kind)) return named ? RANK.COMPOSITE : RANK.LAST;
  if (kind === BTF_KIND.FUNC_PROTO) return named ? RANK.FUNCTION : RANK.LAST;
  return named && REFERENCES.includes(kind) ? FOLLOW : RANK.LAST;
};

/** By twice the kind, plus 1 with a name. */
const RANKS = Int8Array.from({ length: 256 }, (_, i) => rankOfKind(i >> 1, i % 2 === 1));

/** Throws BtfError for types that refer to themselves. */
export const rankOf = (types: FlatTypes, id: number): number => {
  let named = 0;
  for (let steps = 0; steps < MAX_CHAIN; steps++) {
    if (types.nameOffset(id) !== 0) named = 1;
    const rank = RANKS[types.kind(id) * 2 + named];
    if (rank !== FOLLOW) return rank;
    id = target(types, id);
  }
  throw tooLong(id);
};

/** Offset of the name to sort by: that of what is referred to, or of an anonymous enum's first value. Throws BtfError. */
export const sortName = (types: FlatTypes, id: number): number => {
  const start = id;
  for (let steps = 0; steps < MAX_CHAIN; steps++) {
    const next = target(types, id);
    if (next < 0) {
      const name = types.nameOffset(id);
      const byValue = name === 0 && id === start && isEnum(types.kind(id)) && types.vlen(id) > 0;
      return byValue ? types.words[types.rest(id)] : name;
    }
    id = next;
  }
  throw tooLong(start);
};
