// The kinds of BTF types: numbers, the words that bpftool prints, and how many 32-bit words each takes.

/** Number of each kind (`BTF_KIND_*` of <linux/btf.h>). */
export const BTF_KIND = {
  UNKN: 0,
  INT: 1,
  PTR: 2,
  ARRAY: 3,
  STRUCT: 4,
  UNION: 5,
  ENUM: 6,
  FWD: 7,
  TYPEDEF: 8,
  VOLATILE: 9,
  CONST: 10,
  RESTRICT: 11,
  FUNC: 12,
  FUNC_PROTO: 13,
  VAR: 14,
  DATASEC: 15,
  FLOAT: 16,
  DECL_TAG: 17,
  TYPE_TAG: 18,
  ENUM64: 19,
} as const;

/** Words as raw dumps print them; the index is the number. */
export const KIND_NAMES: readonly string[] = Object.keys(BTF_KIND).map((name) => (name === 'UNKN' ? 'UNKNOWN' : name));

/** Bits of an INT's encoding. */
export const INT_ENCODING = { SIGNED: 1, CHAR: 2, BOOL: 4 } as const;

/** Values of the linkage of a FUNC or VAR. */
export const LINKAGE = { STATIC: 0, GLOBAL: 1, EXTERN: 2 } as const;

/** What the 32-bit words of a kind are. Every type begins with three: name, kind and length, size or type. */
export interface KindLayout {
  /** Words that follow the three, once a type. */
  info: number;
  /** Words of each of the `vlen` elements behind those. */
  element: number;
  /** The third word is a type id. */
  reference?: true;
  /** Which words of `info` are type ids. */
  infoIds?: readonly number[];
  /** Which word of an element is the offset of its name, and which one a type id. */
  elementName?: number;
  elementId?: number;
}

const PLAIN: KindLayout = { info: 0, element: 0 };
const REFERENCE: KindLayout = { info: 0, element: 0, reference: true };
const MEMBERS: KindLayout = { info: 0, element: 3, elementName: 0, elementId: 1 };

/** Layout of each kind; the index is the number. */
export const KIND_LAYOUTS: readonly KindLayout[] = [
  PLAIN,
  { info: 1, element: 0 }, // INT: encoding, offset, bits
  REFERENCE,
  { info: 3, element: 0, infoIds: [0, 1] }, // ARRAY: element, index, length
  MEMBERS, // STRUCT: name, type, offset
  MEMBERS, // UNION
  { info: 0, element: 2, elementName: 0 }, // ENUM: name, value
  PLAIN, // FWD
  REFERENCE,
  REFERENCE,
  REFERENCE,
  REFERENCE,
  REFERENCE, // FUNC
  { info: 0, element: 2, reference: true, elementName: 0, elementId: 1 }, // FUNC_PROTO: name, type
  { info: 1, element: 0, reference: true }, // VAR: linkage
  { info: 0, element: 3, elementId: 0 }, // DATASEC: type, offset, size
  PLAIN, // FLOAT
  { info: 1, element: 0, reference: true }, // DECL_TAG: component
  REFERENCE, // TYPE_TAG
  { info: 0, element: 3, elementName: 0 }, // ENUM64: name, low, high
];

/** Kinds that only qualify the type behind them: CONST, VOLATILE, RESTRICT, TYPE_TAG. */
export const isModifier = (kind: number): boolean =>
  (kind >= BTF_KIND.VOLATILE && kind <= BTF_KIND.RESTRICT) || kind === BTF_KIND.TYPE_TAG;

export const isComposite = (kind: number): boolean => kind === BTF_KIND.STRUCT || kind === BTF_KIND.UNION;

export const isEnum = (kind: number): boolean => kind === BTF_KIND.ENUM || kind === BTF_KIND.ENUM64;

const SIZED: ReadonlySet<number> = new Set([
  BTF_KIND.INT,
  BTF_KIND.STRUCT,
  BTF_KIND.UNION,
  BTF_KIND.ENUM,
  BTF_KIND.DATASEC,
  BTF_KIND.FLOAT,
  BTF_KIND.ENUM64,
]);

/** Kinds whose third word is the size of the type. */
export const hasSize = (kind: number): boolean => SIZED.has(kind);
