// Names that are unique in the C output: a second `x` of the same name space becomes `x___2`.
import type { ByteSink, ByteStrings } from '../../print/byte-sink.ts';
import { token } from '../../print/byte-sink.ts';
import type { Btf } from '../btf.ts';
import type { FlatTypes } from '../flat-types.ts';
import { BTF_KIND } from '../kinds.ts';

/** Bytes of the longest name that gets a number, and that is cut to it. */
const MAX_NUMBERED = 255;
const NUMBER_MARK = token('___');
/** Bytes that the mark and a number take at most. */
const MAX_MARK = 13;

/** Counts texts by their bytes: a hash table in one array. */
class TextCounts {
  private readonly strings: ByteStrings;
  /** Two numbers a place: the offset of a text plus 1, or 0 where the place is free, and its count. */
  private places: Int32Array;
  private used = 0;

  /** `size` is a power of two. */
  constructor(strings: ByteStrings, size: number) {
    this.strings = strings;
    this.places = new Int32Array(size * 2);
  }

  /** How often the text at an offset has been counted, this time included. */
  add(offset: number): number {
    if (this.used * 4 > this.places.length) this.grow();
    const place = this.placeOf(offset);
    const { places } = this;
    if (places[place] === 0) {
      places[place] = offset + 1;
      this.used++;
    }
    return ++places[place + 1];
  }

  private placeOf(offset: number): number {
    const { strings, places } = this;
    const mask = places.length - 2;
    for (let place = (strings.hash(offset) << 1) & mask; ; place = (place + 2) & mask) {
      const known = places[place] - 1;
      if (known < 0 || known === offset || strings.equal(known, offset)) return place;
    }
  }

  private grow(): void {
    const { places } = this;
    this.places = new Int32Array(places.length * 4);
    for (let i = 0; i < places.length; i += 2) {
      if (places[i] === 0) continue;
      const place = this.placeOf(places[i] - 1);
      this.places[place] = places[i];
      this.places[place + 1] = places[i + 1];
    }
  }
}

/** Number of each name among its equals; only those from 2 on are written. */
export interface NameNumbers {
  /** Of a struct, union, enum, int or forward declaration. */
  tag(id: number): number;
  typedef(id: number): number;
  /** Of an enumerator, by the offset of its name. */
  enumerator(offset: number): number;
}

/** Names as they are, however often they occur. */
export const PLAIN_NAMES: NameNumbers = { tag: () => 1, typedef: () => 1, enumerator: () => 1 };

/** C keeps struct, union and enum tags apart from identifiers (typedefs and enumerators); numbers are per space. */
export class CNames implements NameNumbers {
  private readonly types: FlatTypes;
  private readonly tags: TextCounts;
  private readonly identifiers: TextCounts;
  /** By type; 0 while it has none. */
  private readonly numbers: Int32Array;

  constructor(btf: Btf) {
    this.types = btf.flat();
    let size = 64;
    while (size * 2 < btf.count) size *= 2;
    this.tags = new TextCounts(this.types.strings, size);
    this.identifiers = new TextCounts(this.types.strings, size);
    this.numbers = new Int32Array(btf.count);
  }

  tag(id: number): number {
    return this.numbers[id] || this.resolve(id, this.tags);
  }

  typedef(id: number): number {
    return this.numbers[id] || this.resolve(id, this.identifiers);
  }

  /** Each call counts: the same enumerator printed twice gets two numbers. */
  enumerator(offset: number): number {
    return this.identifiers.add(offset);
  }

  private resolve(id: number, space: TextCounts): number {
    const { types } = this;
    const name = types.nameOffset(id);
    const kind = types.kind(id);
    // Forward declarations share the name of what they announce.
    const forward = kind === BTF_KIND.FWD || (kind === BTF_KIND.ENUM && types.vlen(id) === 0);
    const number = name !== 0 && !forward ? space.add(name) : 1;
    this.numbers[id] = number;
    return number;
  }
}

/** Writes an enumerator's name with its number. */
export const writeNumbered = (out: ByteSink, offset: number, number: number): void => {
  out.string(offset);
  if (number === 1) return;
  out.put(NUMBER_MARK);
  out.decimal(number);
};

/** Writes a type's name with its number; both together are cut where the name is very long. */
export const writeTypeName = (out: ByteSink, strings: ByteStrings, offset: number, number: number): void => {
  if (number === 1 || strings.lengthAt(offset) + MAX_MARK <= MAX_NUMBERED) {
    writeNumbered(out, offset, number);
    return;
  }
  const name = strings.bytes.subarray(offset, offset + strings.lengthAt(offset));
  out.bytes(Buffer.concat([name, Buffer.from(`___${number}`)]).subarray(0, MAX_NUMBERED));
};
