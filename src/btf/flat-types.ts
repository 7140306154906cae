// All types of BTF data, those of its base included, side by side: for passes over every type, which the checks and
// layers of `Btf` would slow down.
import { ByteStrings } from '../print/byte-sink.ts';
import type { KindLayout } from './kinds.ts';
import { Alignments, sizeOf } from './layout.ts';

/** What a FlatTypes is made of. */
export interface FlatParts {
  /** Types in 32-bit words of the machine's byte order. */
  words: Int32Array;
  /** Word index of each type by id; that of void (0) begins three zero words. */
  places: Int32Array;
  /** All strings; name offsets count from the first one. */
  strings: Uint8Array;
  layouts: readonly KindLayout[];
  pointerSize: number;
}

const concat = (a: Uint8Array, b: Uint8Array): Uint8Array => {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
};

/** Types by id. The methods are those of `Btf`, yet check nothing: ids and elements must exist. */
export class FlatTypes {
  readonly words: Int32Array;
  readonly places: Int32Array;
  readonly strings: ByteStrings;
  readonly layouts: readonly KindLayout[];
  readonly pointerSize: number;
  /** Ids run from 1 to count - 1; 0 is void. */
  readonly count: number;
  private readonly alignments: Alignments;

  constructor({ words, places, strings, layouts, pointerSize }: FlatParts) {
    this.words = words;
    this.places = places;
    this.strings = new ByteStrings(strings);
    this.layouts = layouts;
    this.pointerSize = pointerSize;
    this.count = places.length;
    this.alignments = new Alignments(this);
  }

  /** `parts` on top of a base, whose void serves both. */
  static over(base: FlatTypes, parts: FlatParts): FlatTypes {
    const words = new Int32Array(base.words.length + parts.words.length);
    words.set(base.words);
    words.set(parts.words, base.words.length);
    const places = new Int32Array(base.count + parts.places.length - 1);
    places.set(base.places);
    for (let i = 1; i < parts.places.length; i++) places[base.count + i - 1] = base.words.length + parts.places[i];
    return new FlatTypes({ ...parts, words, places, strings: concat(base.strings.bytes, parts.strings) });
  }

  kind(id: number): number {
    return (this.words[this.places[id] + 1] >>> 24) & 0x7f;
  }

  vlen(id: number): number {
    return this.words[this.places[id] + 1] & 0xffffff;
  }

  kflag(id: number): boolean {
    return this.words[this.places[id] + 1] < 0;
  }

  /** Offset of the type's name; 0 for none. */
  nameOffset(id: number): number {
    return this.words[this.places[id]];
  }

  type(id: number): number {
    return this.words[this.places[id] + 2];
  }

  size(id: number): number {
    return this.words[this.places[id] + 2] >>> 0;
  }

  /** Where the words of an INT, ARRAY, VAR or DECL_TAG, or else those of the elements begin. */
  rest(id: number): number {
    return this.places[id] + 3;
  }

  arrayElem(id: number): number {
    return this.words[this.places[id] + 3];
  }

  arrayLength(id: number): number {
    return this.words[this.places[id] + 5] >>> 0;
  }

  memberType(id: number, i: number): number {
    return this.words[this.places[id] + 4 + i * 3];
  }

  memberBitOffset(id: number, i: number): number {
    const offset = this.words[this.places[id] + 5 + i * 3];
    return this.kflag(id) ? offset & 0xffffff : offset >>> 0;
  }

  memberBitSize(id: number, i: number): number {
    return this.kflag(id) ? this.words[this.places[id] + 5 + i * 3] >>> 24 : 0;
  }

  resolveSize(id: number): number {
    return sizeOf(this, id);
  }

  /** Throws BtfError when a struct holds itself. */
  align(id: number): number {
    return this.alignments.of(id);
  }

  /** Of a type whose alignment is 0: the kind that has none, see Alignments. */
  unsupportedKind(id: number): number | undefined {
    return this.alignments.unsupportedKind(id);
  }
}
