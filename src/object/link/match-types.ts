// Whether declarations of one symbol in two objects have compatible types.

import type { TypePool } from '../../btf/dedup/pool.ts';
import { BTF_KIND, isModifier, LINKAGE } from '../../btf/kinds.ts';
import { kindWord } from '../btf-words.ts';
import type { LinkerMessages } from './linker-messages.ts';

/** Comparisons after which types are taken for endless. */
const MAX_STEPS = 1 << 20;
/** Structs within structs beyond which a struct is taken to hold itself. */
const MAX_DEPTH = 200;

/** Through modifiers and typedefs; void when they lead in a circle. */
export const skipModsAndTypedefs = (types: TypePool, id: number): number => {
  for (let steps = 0; steps <= types.count; steps++) {
    const kind = types.kind(id);
    if (kind !== BTF_KIND.TYPEDEF && !isModifier(kind)) return id;
    id = types.type(id);
  }
  return 0;
};

const isForward = (types: TypePool, id: number): boolean => types.kind(id) === BTF_KIND.FWD;
const kflag = (types: TypePool, id: number): boolean => types.words[types.at[id] + 1] < 0;

/** Linkage of a FUNC or VAR. */
export const linkageOf = (types: TypePool, id: number): number =>
  types.kind(id) === BTF_KIND.FUNC ? types.vlen(id) : types.words[types.at[id] + 3];

/** A FUNC or VAR that other objects can see. */
export const isNonStatic = (types: TypePool, id: number): boolean => {
  const kind = types.kind(id);
  return (kind === BTF_KIND.FUNC || kind === BTF_KIND.VAR) && linkageOf(types, id) !== LINKAGE.STATIC;
};

const NAMED: readonly number[] = [
  BTF_KIND.STRUCT,
  BTF_KIND.UNION,
  BTF_KIND.ENUM,
  BTF_KIND.ENUM64,
  BTF_KIND.FWD,
  BTF_KIND.FUNC,
  BTF_KIND.VAR,
];

/**
 * Compares the types of a global symbol and says what differs. The contents of structs behind pointers do not count,
 * nor do lengths of arrays, names of parameters and values of enumerations. Rule: libbpf 1.8, glob_sym_btf_matches.
 */
export class TypeMatcher {
  private readonly messages: LinkerMessages;
  private readonly first: TypePool;
  private readonly second: TypePool;
  private steps = 0;

  constructor(messages: LinkerMessages, first: TypePool, second: TypePool) {
    this.messages = messages;
    this.first = first;
    this.second = second;
  }

  private differ(symbol: string, text: string): false {
    this.messages.warn(`global '${symbol}': incompatible ${text}`);
    return false;
  }

  matches(symbol: string, a: number, b: number, exact = true, depth = 0): boolean {
    const { first, second } = this;
    for (;;) {
      if (++this.steps > MAX_STEPS || depth > MAX_DEPTH) return false;
      a = skipModsAndTypedefs(first, a);
      b = skipModsAndTypedefs(second, b);
      if (!exact && isForward(first, a) !== isForward(second, b)) return this.forward(symbol, a, b);
      const kind = first.kind(a);
      const word = kindWord(first, a);
      if (kind !== second.kind(b)) return this.differ(symbol, `BTF kinds ${word} and ${kindWord(second, b)}`);
      const name = first.name(a);
      if (NAMED.includes(kind) && name !== second.name(b)) {
        return this.differ(symbol, `${word} names '${name}' and '${second.name(b)}'`);
      }
      switch (kind) {
        case BTF_KIND.UNKN:
        case BTF_KIND.FWD:
          return true;
        case BTF_KIND.INT:
        case BTF_KIND.FLOAT:
        case BTF_KIND.ENUM:
        case BTF_KIND.ENUM64: {
          if (first.size(a) === second.size(b)) return true;
          // libbpf has looked up the names of enumerations only.
          const shown = NAMED.includes(kind) ? name : '(null)';
          return this.differ(symbol, `${word} '${shown}' size ${first.size(a)} and ${second.size(b)}`);
        }
        case BTF_KIND.PTR:
          exact = false;
          a = first.type(a);
          b = second.type(b);
          continue;
        case BTF_KIND.ARRAY:
          a = first.arrayElem(a);
          b = second.arrayElem(b);
          continue;
        case BTF_KIND.FUNC:
        case BTF_KIND.VAR:
          if ((linkageOf(first, a) === LINKAGE.STATIC) !== (linkageOf(second, b) === LINKAGE.STATIC)) {
            return this.differ(symbol, `${word} '${name}' linkage`);
          }
          a = first.type(a);
          b = second.type(b);
          continue;
        case BTF_KIND.STRUCT:
        case BTF_KIND.UNION:
          return !exact || this.members(symbol, a, b, depth + 1);
        case BTF_KIND.FUNC_PROTO:
          if (!this.params(symbol, a, b, exact, depth + 1)) return false;
          a = first.type(a);
          b = second.type(b);
          continue;
        default:
          this.messages.warn(`global '${symbol}': unsupported BTF kind ${word}`);
          return false;
      }
    }
  }

  /** One is only declared. */
  private forward(symbol: string, a: number, b: number): boolean {
    const { first, second } = this;
    if (first.name(a) !== second.name(b)) {
      return this.differ(symbol, `forward declaration names '${first.name(a)}' and '${second.name(b)}'`);
    }
    const [declared, forward, defined, full] = isForward(first, a) ? [first, a, second, b] : [second, b, first, a];
    const isUnion = kflag(declared, forward);
    if (defined.kind(full) === (isUnion ? BTF_KIND.UNION : BTF_KIND.STRUCT)) return true;
    const word = isUnion ? 'union' : 'struct';
    return this.differ(symbol, `${word} forward declaration and concrete kind ${kindWord(defined, full)}`);
  }

  private members(symbol: string, a: number, b: number, depth: number): boolean {
    const { first, second } = this;
    const count = first.vlen(a);
    if (count !== second.vlen(b)) {
      return this.differ(symbol, `number of ${kindWord(first, a)} fields ${count} and ${second.vlen(b)}`);
    }
    for (let i = 0; i < count; i++) {
      const p = first.at[a] + 3 + i * 3;
      const q = second.at[b] + 3 + i * 3;
      const name = first.str(first.words[p] >>> 0);
      const other = second.str(second.words[q] >>> 0);
      if (name !== other) return this.differ(symbol, `field #${i} names '${name}' and '${other}'`);
      if (first.words[p + 2] !== second.words[q + 2]) {
        return this.differ(symbol, `field #${i} ('${name}') offsets`);
      }
      if (!this.matches(symbol, first.words[p + 1], second.words[q + 1], true, depth)) return false;
    }
    return true;
  }

  private params(symbol: string, a: number, b: number, exact: boolean, depth: number): boolean {
    const { first, second } = this;
    const count = first.vlen(a);
    if (count !== second.vlen(b)) {
      return this.differ(symbol, `number of ${kindWord(first, a)} params ${count} and ${second.vlen(b)}`);
    }
    for (let i = 0; i < count; i++) {
      const p = first.words[first.at[a] + 4 + i * 2];
      const q = second.words[second.at[b] + 4 + i * 2];
      if (!this.matches(symbol, p, q, exact, depth)) return false;
    }
    return true;
  }
}
