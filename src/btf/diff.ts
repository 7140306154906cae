// What changed between the types of two kernels, or of any two BTFs: named types are compared with those of the same
// kind and name, anonymous ones as parts of what they stand in.
import { type Btf, BtfError } from './btf.ts';
import { BTF_KIND, INT_ENCODING, isComposite, isEnum } from './kinds.ts';
import { anonymousElement } from './struct-layout.ts';
import { TypeTexts } from './type-text.ts';

const MAX_DEPTH = 64;
/** Members of one type, anonymous ones opened. */
const MAX_MEMBERS = 10_000;

/** A member as it is on one side. */
export interface MemberPlace {
  /** Bits from the beginning of the type. */
  bitOffset: number;
  /** Width of a bitfield in bits; 0 of a plain member. */
  bitSize: number;
  /** Bytes. */
  size: number;
  type: string;
}

/** One side of a difference is missing where a thing was added or removed. */
export interface Difference<T> {
  name: string;
  before?: T;
  after?: T;
}

/** A type as it is on one side. */
export interface TypeShape {
  /** Bytes; undefined for what has no size of its own. */
  size?: number;
  /** What a typedef, function, variable or number type is. */
  definition?: string;
  /** By name; `a.b` is a member of the anonymous member that is called a. */
  members: ReadonlyMap<string, MemberPlace>;
  /** Enumerators. */
  values: ReadonlyMap<string, bigint>;
}

export interface TypeDifference extends Difference<TypeShape> {
  kind: string;
  /** Only of types that both sides have. */
  members: Difference<MemberPlace>[];
  values: Difference<bigint>[];
}

/** Kinds that are compared, and the word for each; an enum may be stored as either of two kinds. */
const WORDS: Readonly<Record<number, string>> = {
  [BTF_KIND.STRUCT]: 'struct',
  [BTF_KIND.UNION]: 'union',
  [BTF_KIND.ENUM]: 'enum',
  [BTF_KIND.ENUM64]: 'enum',
  [BTF_KIND.TYPEDEF]: 'typedef',
  [BTF_KIND.INT]: 'int',
  [BTF_KIND.FLOAT]: 'float',
  [BTF_KIND.FUNC]: 'func',
  [BTF_KIND.VAR]: 'var',
};

const NOTHING: ReadonlyMap<string, never> = new Map<string, never>();

/** Reads the types of one side. */
class Side {
  readonly btf: Btf;
  private readonly texts: TypeTexts;

  constructor(btf: Btf) {
    this.btf = btf;
    this.texts = new TypeTexts(btf);
  }

  /** Ids by "kind name"; of split BTF only those that it adds to its base. */
  named(wanted: ReadonlySet<string> | undefined): Map<string, number[]> {
    const { btf } = this;
    const out = new Map<string, number[]>();
    for (let id = btf.firstId; id < btf.count; id++) {
      const word = WORDS[btf.kind(id)];
      if (!word || btf.nameOffset(id) === 0) continue;
      const name = btf.name(id);
      if (wanted && !wanted.has(name)) continue;
      const key = `${word} ${name}`;
      const ids = out.get(key);
      if (ids) ids.push(id);
      else out.set(key, [id]);
    }
    return out;
  }

  shape(id: number): TypeShape {
    const { btf, texts } = this;
    const kind = btf.kind(id);
    if (isComposite(kind)) return { size: btf.size(id), members: this.members(id), values: NOTHING };
    if (isEnum(kind)) return { size: btf.size(id), members: NOTHING, values: this.values(id) };
    if (kind === BTF_KIND.INT || kind === BTF_KIND.FLOAT) {
      return { size: btf.size(id), definition: this.number(id), members: NOTHING, values: NOTHING };
    }
    const type = btf.type(id);
    if (kind === BTF_KIND.TYPEDEF && btf.nameOffset(type) === 0) {
      // The body of a type that only the typedef names.
      if (isComposite(btf.kind(type)) || isEnum(btf.kind(type))) return this.shape(type);
    }
    const definition = kind === BTF_KIND.TYPEDEF ? texts.of(type) : texts.declare(type, btf.name(id));
    return { definition, members: NOTHING, values: NOTHING };
  }

  private number(id: number): string {
    const { btf } = this;
    if (btf.kind(id) === BTF_KIND.FLOAT) return 'floating point';
    const encoding = btf.intEncoding(id);
    const signed = encoding & INT_ENCODING.SIGNED ? 'signed' : 'unsigned';
    const word = encoding & INT_ENCODING.BOOL ? ' bool' : encoding & INT_ENCODING.CHAR ? ' char' : '';
    return `${signed}${word}, ${btf.intBits(id)} bits`;
  }

  private values(id: number): Map<string, bigint> {
    const { btf } = this;
    const out = new Map<string, bigint>();
    for (let i = 0; i < btf.vlen(id); i++) out.set(btf.enumName(id, i), btf.enumValue(id, i));
    return out;
  }

  private members(id: number): Map<string, MemberPlace> {
    const out = new Map<string, MemberPlace>();
    this.addMembers(out, id, '', 0, 0);
    return out;
  }

  private addMembers(out: Map<string, MemberPlace>, id: number, prefix: string, base: number, depth: number): void {
    const { btf, texts } = this;
    if (depth > MAX_DEPTH) throw new BtfError(`types are nested too deeply at id ${id}`);
    for (let i = 0; i < btf.vlen(id); i++) {
      if (out.size > MAX_MEMBERS) throw new BtfError(`type id ${id} has too many members`);
      const name = btf.memberName(id, i);
      const type = btf.memberType(id, i);
      const bitOffset = base + btf.memberBitOffset(id, i);
      const bitSize = btf.memberBitSize(id, i);
      const inner = bitSize === 0 ? anonymousElement(btf, type) : undefined;
      if (name !== '') {
        const word = inner && (btf.kind(inner.id) === BTF_KIND.STRUCT ? 'struct' : 'union');
        const text = inner ? `${word} {…}${inner.bounds}` : texts.of(type);
        out.set(prefix + name, { bitOffset, bitSize, size: Math.max(0, btf.resolveSize(type)), type: text });
      }
      if (inner) this.addMembers(out, inner.id, name === '' ? prefix : `${prefix}${name}.`, bitOffset, depth + 1);
    }
  }
}

/** Entries that differ or that only one of two maps has, in the order of the second one, removed ones first. */
const differences = <T>(
  before: ReadonlyMap<string, T>,
  after: ReadonlyMap<string, T>,
  same: (a: T, b: T) => boolean,
): Difference<T>[] => {
  const out: Difference<T>[] = [];
  for (const [name, value] of before) if (!after.has(name)) out.push({ name, before: value });
  for (const [name, value] of after) {
    const old = before.get(name);
    if (old === undefined) out.push({ name, after: value });
    else if (!same(old, value)) out.push({ name, before: old, after: value });
  }
  return out;
};

const samePlace = (a: MemberPlace, b: MemberPlace): boolean =>
  a.bitOffset === b.bitOffset && a.bitSize === b.bitSize && a.size === b.size && a.type === b.type;

const compare = (kind: string, name: string, before: TypeShape, after: TypeShape): TypeDifference | undefined => {
  const members = differences(before.members, after.members, samePlace);
  const values = differences(before.values, after.values, (a, b) => a === b);
  const same = before.size === after.size && before.definition === after.definition;
  return same && !members.length && !values.length ? undefined : { kind, name, before, after, members, values };
};

/** Types of one kind and name: those that are the same on both sides go, the others are compared in their order. */
const compareAll = (kind: string, name: string, before: TypeShape[], after: TypeShape[]): TypeDifference[] => {
  const left = [...after];
  const changed: TypeShape[] = [];
  for (const shape of before) {
    const same = left.findIndex((other) => !compare(kind, name, shape, other));
    if (same >= 0) left.splice(same, 1);
    else changed.push(shape);
  }
  const out: TypeDifference[] = [];
  const common = Math.min(changed.length, left.length);
  for (let i = 0; i < common; i++) {
    const difference = compare(kind, name, changed[i], left[i]);
    if (difference) out.push(difference);
  }
  const alone = { kind, name, members: [], values: [] };
  for (const shape of changed.slice(common)) out.push({ ...alone, before: shape });
  for (const shape of left.slice(common)) out.push({ ...alone, after: shape });
  return out;
};

/**
 * Differences between two BTFs by name, then kind; only of the types called one of `names` where there are any.
 * Throws BtfError when a type holds itself.
 */
export const diffBtf = (before: Btf, after: Btf, names?: readonly string[]): TypeDifference[] => {
  const wanted = names?.length ? new Set(names) : undefined;
  const a = new Side(before);
  const b = new Side(after);
  const aTypes = a.named(wanted);
  const bTypes = b.named(wanted);
  const out: TypeDifference[] = [];
  for (const key of new Set([...aTypes.keys(), ...bTypes.keys()])) {
    const space = key.indexOf(' ');
    const old = (aTypes.get(key) ?? []).map((id) => a.shape(id));
    const now = (bTypes.get(key) ?? []).map((id) => b.shape(id));
    out.push(...compareAll(key.slice(0, space), key.slice(space + 1), old, now));
  }
  const order = (x: string, y: string): number => (x < y ? -1 : x > y ? 1 : 0);
  return out.sort((x, y) => order(x.name, y.name) || order(x.kind, y.kind));
};
