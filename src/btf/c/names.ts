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

/** Counts texts by their bytes: a hash table in typed arrays. */
class TextCounts {
  private readonly bytes: Uint8Array;
  /** Offsets of the texts plus 1; 0 for a free place. */
  private offsets: Int32Array;
  private counts: Int32Array;
  private used = 0;

  /** `size` is a power of two. */
  constructor(strings: ByteStrings, size: number) {
    this.bytes = strings.bytes;
    this.offsets = new Int32Array(size);
    this.counts = new Int32Array(size);
  }

  /** How often the text at an offset has been counted, this time included. */
  add(offset: number): number {
    if (this.used * 2 > this.offsets.length) this.grow();
    const place = this.placeOf(offset);
    if (this.offsets[place] === 0) {
      this.offsets[place] = offset + 1;
      this.used++;
    }
    return ++this.counts[place];
  }

  private placeOf(offset: number): number {
    const { bytes, offsets } = this;
    let hash = 0;
    for (let p = offset, byte = bytes[p]; byte !== 0; byte = bytes[++p]) hash = ((hash << 5) | (hash >>> 27)) ^ byte;
    let place = (hash ^ (hash >>> 15)) & (offsets.length - 1);
    for (; ; place = (place + 1) & (offsets.length - 1)) {
      const known = offsets[place] - 1;
      if (known < 0 || known === offset || this.same(known, offset)) return place;
    }
  }

  private same(a: number, b: number): boolean {
    const { bytes } = this;
    let i = 0;
    while (bytes[a + i] === bytes[b + i] && bytes[a + i] !== 0) i++;
    return bytes[a + i] === bytes[b + i];
  }

  private grow(): void {
    const { offsets, counts } = this;
    this.offsets = new Int32Array(offsets.length * 4);
    this.counts = new Int32Array(offsets.length * 4);
    for (let i = 0; i < offsets.length; i++) {
      if (offsets[i] === 0) continue;
      const place = this.placeOf(offsets[i] - 1);
      this.offsets[place] = offsets[i];
      this.counts[place] = counts[i];
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
    while (size * 4 < btf.count) size *= 2;
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
