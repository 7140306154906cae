// What a raw dump tells of each kind of type, in order: the fields, and where in the type's words their values are.
import { BTF_KIND } from '../kinds.ts';

/** How the value of a field is read and written. */
export const SOURCE = {
  /** The id of the type. */
  ID: 0,
  /** Some bits of a word as a natural number. */
  NUMBER: 1,
  /** The same, without the field when it is 0. */
  OPTIONAL: 2,
  /** A word as a signed number. */
  SIGNED: 3,
  /** A word that text shows unsigned; JSON widens it to 64 bits with its sign first. */
  WIDENED: 4,
  /** Two words, the low one first, as one number. */
  LONG: 5,
  SIGNED_LONG: 6,
  /** The string at the offset that the word holds. */
  NAME: 7,
  /** One of some words by number; the last one stands for all numbers beyond. */
  CHOICE: 8,
  /** Kind and name of the type whose id the word holds; only text has them. */
  KIND_OF: 9,
  NAME_OF: 10,
} as const;

export interface Field {
  key: string;
  source: (typeof SOURCE)[keyof typeof SOURCE];
  /** Counts from the beginning of the type, or of the element. */
  word: number;
  /** The bits of the word that count: `(word >>> shift) & mask`. */
  shift?: number;
  mask?: number;
  choices?: readonly string[];
  /** What text writes behind the value. */
  suffix?: string;
}

export interface Form {
  fields: readonly Field[];
  /** What each of the `vlen` elements has; they follow the first three words. JSON lists them under `key`. */
  elements?: { key: string; words: number; fields: readonly Field[] };
}

const { NUMBER, OPTIONAL, SIGNED, WIDENED, LONG, SIGNED_LONG, NAME, CHOICE, KIND_OF, NAME_OF } = SOURCE;

const number = (key: string, word: number): Field => ({ key, source: NUMBER, word });

const name: Field = { key: 'name', source: NAME, word: 0 };
const size = number('size', 2);
const typeId = number('type_id', 2);
const vlen: Field = { key: 'vlen', source: NUMBER, word: 1, mask: 0xffffff };

const LINKAGES = ['static', 'global', 'extern', '(unknown)'];
const ENCODINGS = ['(none)', 'SIGNED', 'CHAR', 'UNKN', 'BOOL', 'UNKN'];

const reference: Form = { fields: [typeId] };

/** STRUCT and UNION; with the flag of the type set, offsets share their word with the sizes of bitfields. */
const composite = (bitfields: boolean): Form => {
  const offset = number('bits_offset', 2);
  const offsets: Field[] = bitfields
    ? [
        { ...offset, mask: 0xffffff },
        { key: 'bitfield_size', source: OPTIONAL, word: 2, shift: 24, mask: 0xff },
      ]
    : [offset];
  return {
    fields: [size, vlen],
    elements: { key: 'members', words: 3, fields: [name, number('type_id', 1), ...offsets] },
  };
};

/** ENUM and ENUM64; the flag of the type tells whether the values are signed. */
const enumeration = (words: number, value: Pick<Field, 'source' | 'suffix'>, signed: boolean): Form => ({
  fields: [
    { key: 'encoding', source: CHOICE, word: 0, mask: 0, choices: [signed ? 'SIGNED' : 'UNSIGNED'] },
    size,
    vlen,
  ],
  elements: { key: 'values', words, fields: [name, { key: 'val', word: 1, ...value }] },
});

/** Forms of a kind: without and with the flag of the type; one alone serves both. */
export const FORMS: Readonly<Record<number, readonly [Form, Form?]>> = {
  [BTF_KIND.INT]: [
    {
      fields: [
        size,
        { key: 'bits_offset', source: NUMBER, word: 3, shift: 16, mask: 0xff },
        { key: 'nr_bits', source: NUMBER, word: 3, mask: 0xff },
        { key: 'encoding', source: CHOICE, word: 3, shift: 24, mask: 0xf, choices: ENCODINGS },
      ],
    },
  ],
  [BTF_KIND.PTR]: [reference],
  [BTF_KIND.ARRAY]: [{ fields: [number('type_id', 3), number('index_type_id', 4), number('nr_elems', 5)] }],
  [BTF_KIND.STRUCT]: [composite(false), composite(true)],
  [BTF_KIND.UNION]: [composite(false), composite(true)],
  [BTF_KIND.ENUM]: [enumeration(2, { source: WIDENED }, false), enumeration(2, { source: SIGNED }, true)],
  [BTF_KIND.FWD]: [{ fields: [{ key: 'fwd_kind', source: CHOICE, word: 1, shift: 31, choices: ['struct', 'union'] }] }],
  [BTF_KIND.TYPEDEF]: [reference],
  [BTF_KIND.VOLATILE]: [reference],
  [BTF_KIND.CONST]: [reference],
  [BTF_KIND.RESTRICT]: [reference],
  [BTF_KIND.FUNC]: [
    { fields: [typeId, { key: 'linkage', source: CHOICE, word: 1, mask: 0xffffff, choices: LINKAGES }] },
  ],
  [BTF_KIND.FUNC_PROTO]: [
    {
      fields: [number('ret_type_id', 2), vlen],
      elements: { key: 'params', words: 2, fields: [name, number('type_id', 1)] },
    },
  ],
  [BTF_KIND.VAR]: [
    {
      fields: [
        { ...typeId, suffix: ',' },
        { key: 'linkage', source: CHOICE, word: 3, choices: LINKAGES },
      ],
    },
  ],
  [BTF_KIND.DATASEC]: [
    {
      fields: [size, vlen],
      elements: {
        key: 'vars',
        words: 3,
        fields: [
          number('type_id', 0),
          number('offset', 1),
          number('size', 2),
          { key: '', source: KIND_OF, word: 0 },
          { key: '', source: NAME_OF, word: 0 },
        ],
      },
    },
  ],
  [BTF_KIND.FLOAT]: [{ fields: [size] }],
  [BTF_KIND.DECL_TAG]: [{ fields: [typeId, { key: 'component_idx', source: SIGNED, word: 3 }] }],
  [BTF_KIND.TYPE_TAG]: [reference],
  [BTF_KIND.ENUM64]: [
    enumeration(3, { source: LONG, suffix: 'ULL' }, false),
    enumeration(3, { source: SIGNED_LONG, suffix: 'LL' }, true),
  ],
};
