// What a sorted C dump sorts types by first: their rank and the name of what they refer to. Rule: bpftool 7.8, btf.c.
import { BtfError } from '../btf-error.ts';
import type { FlatTypes } from '../flat-types.ts';
import { BTF_KIND, isComposite, isEnum } from '../kinds.ts';

/** Kinds of equal rank are visited together: enums, numbers, structs, functions, the rest. */
export const RANK = { ANONYMOUS_ENUM: 0, ENUM: 1, NUMBER: 2, COMPOSITE: 3, FUNCTION: 4, LAST: 10 } as const;

const MAX_CHAIN = 1000;

const tooLong = (id: number) => new BtfError(`type id ${id} refers to itself`);

/** The type that a type stands for in rank, name and hash; -1 for those that stand for themselves. */
export const target = (types: FlatTypes, id: number): number => {
  switch (types.kind(id)) {
    case BTF_KIND.ARRAY:
      return types.arrayElem(id);
    case BTF_KIND.TYPE_TAG:
    case BTF_KIND.CONST:
    case BTF_KIND.PTR:
    case BTF_KIND.VOLATILE:
    case BTF_KIND.RESTRICT:
    case BTF_KIND.TYPEDEF:
    case BTF_KIND.DECL_TAG:
      return types.type(id);
    default:
      return -1;
  }
};

/** Throws BtfError for types that refer to themselves. */
export const rankOf = (types: FlatTypes, id: number): number => {
  let named = false;
  for (let steps = 0; steps < MAX_CHAIN; steps++) {
    if (types.nameOffset(id) !== 0) named = true;
    const kind = types.kind(id);
    if (isEnum(kind)) return named ? RANK.ENUM : RANK.ANONYMOUS_ENUM;
    if (kind === BTF_KIND.INT || kind === BTF_KIND.FLOAT) return RANK.NUMBER;
    if (isComposite(kind)) return named ? RANK.COMPOSITE : RANK.LAST;
    if (kind === BTF_KIND.FUNC_PROTO) return named ? RANK.FUNCTION : RANK.LAST;
    const next = target(types, id);
    if (next < 0 || !named) return RANK.LAST;
    id = next;
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
