// Types that grow and change: what deduplication works on, and what a linker collects.
import { type Btf, BtfError } from '../btf.ts';
import { BTF_HEADER_SIZE, BTF_MAGIC, readSections } from '../header.ts';
import { BTF_KIND, KIND_LAYOUTS } from '../kinds.ts';
import { RawStrings } from './raw-strings.ts';

/** Bytes of the header of new data. Rule: libbpf 1.8. */
const NEW_HEADER_SIZE = 32;
const POINTER_SIZE = 8;
const hostIsLittleEndian = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

const NONE: readonly number[] = [];

const stringBytes = (btf: Btf): Uint8Array => {
  const { start, length } = readSections(btf.bytes, btf.base !== undefined).strings;
  return btf.bytes.subarray(start, start + length);
};

/** The strings of BTF data and of its bases, without decoding. */
export class SourceStrings {
  private readonly sections: RawStrings[] = [];

  constructor(btf: Btf | undefined) {
    for (let part = btf; part; part = part.base)
      this.sections.unshift(new RawStrings(stringBytes(part), part.firstString));
  }

  at(offset: number): string {
    for (const section of this.sections) if (offset < section.end) return section.at(offset);
    throw new BtfError(`string offset ${offset} does not exist`);
  }

  find(text: string): number | undefined {
    for (const section of this.sections) {
      const offset = section.find(text);
      if (offset !== undefined) return offset;
    }
    return undefined;
  }
}

/** What gives the words of a type by its id: opened data, or another pool. */
export type TypeSource = Pick<Btf, 'wordsOf'>;

/** What gives strings by offset, one character a byte. */
export interface StringSource {
  at(offset: number): string;
}

/** Header and kind layouts of data that was opened, which stay. */
interface Envelope {
  header: Uint8Array;
  layout: Uint8Array;
}

const envelopeOf = (btf: Btf): Envelope => {
  const { littleEndian, layout } = readSections(btf.bytes, btf.base !== undefined);
  const view = new DataView(btf.bytes.buffer, btf.bytes.byteOffset);
  const header = btf.bytes.slice(0, view.getUint32(4, littleEndian));
  if (header.length < BTF_HEADER_SIZE || header.subarray(NEW_HEADER_SIZE).some((byte) => byte !== 0)) {
    throw new BtfError('BTF with unknown header fields cannot be changed', { errno: 95 });
  }
  return { header, layout: btf.bytes.slice(layout.start, layout.start + layout.length) };
};

/**
 * Types in one array of words, those of a base first. Ids are as in the data; a type begins at `words[at[id]]` with
 * name, kind and length, size or type. Copying and renumbering are separate steps, since types may refer to later ones.
 */
export class TypePool {
  /** The first id that belongs to the pool itself: 1, or the base's count. */
  readonly firstId: number;
  words: Int32Array;
  at: Int32Array;
  /** Ids run to count - 1. */
  count = 1;
  /** Own strings are still those of opened data: repeated or unused ones may be among them. */
  readonly rawStrings: boolean;
  readonly pointerSize = POINTER_SIZE;
  private used = 3;
  private strings: RawStrings;
  private readonly baseStrings: SourceStrings;
  private readonly envelope: Envelope | undefined;
  private readonly littleEndian: boolean;

  private constructor(base: Btf | undefined, source: Btf | undefined) {
    const size = (btf: Btf | undefined): number => (btf ? (btf.bytes.length >>> 2) + size(btf.base) : 0);
    this.words = new Int32Array(size(base) + size(source) + 64);
    this.at = new Int32Array((source ?? base)?.count ?? 64);
    this.firstId = base ? base.count : 1;
    this.baseStrings = new SourceStrings(base);
    for (let id = 1; base && id < base.count; id++) this.push(base.wordsOf(id));
    const strings = source ? stringBytes(source) : new Uint8Array(base ? 0 : 1);
    this.strings = new RawStrings(strings, base ? base.stringEnd : 0);
    for (let id = this.firstId; source && id < source.count; id++) this.push(source.wordsOf(id));
    this.rawStrings = strings.length > (base ? 0 : 1);
    this.envelope = source && envelopeOf(source);
    this.littleEndian = source ? readSections(source.bytes, base !== undefined).littleEndian : true;
  }

  /** Without types of its own, on top of `base` if given. */
  static empty(base?: Btf): TypePool {
    return new TypePool(base, undefined);
  }

  /** With all types of `btf`. */
  static from(btf: Btf): TypePool {
    return new TypePool(btf.base, btf);
  }

  private push(type: Int32Array): number {
    if (this.used + type.length > this.words.length) {
      const words = new Int32Array(Math.max(this.words.length * 2, this.used + type.length));
      words.set(this.words);
      this.words = words;
    }
    if (this.count >= this.at.length) {
      const at = new Int32Array(this.at.length * 2);
      at.set(this.at);
      this.at = at;
    }
    this.words.set(type, this.used);
    this.at[this.count] = this.used;
    this.used += type.length;
    return this.count++;
  }

  wordsOf(id: number): Int32Array {
    const at = this.at[id];
    return this.words.subarray(at, at + this.length(id));
  }

  kind(id: number): number {
    return (this.words[this.at[id] + 1] >>> 24) & 0x7f;
  }

  vlen(id: number): number {
    return this.words[this.at[id] + 1] & 0xffffff;
  }

  nameOffset(id: number): number {
    return this.words[this.at[id]] >>> 0;
  }

  /** Type field. */
  type(id: number): number {
    return this.words[this.at[id] + 2];
  }

  /** Size field, bytes. */
  size(id: number): number {
    return this.words[this.at[id] + 2] >>> 0;
  }

  arrayElem(id: number): number {
    return this.words[this.at[id] + 3];
  }

  arrayLength(id: number): number {
    return this.words[this.at[id] + 5] >>> 0;
  }

  /** Words of a type. */
  length(id: number): number {
    const layout = KIND_LAYOUTS[this.kind(id)];
    if (!layout) throw new BtfError(`type [${id}] is of the unknown kind ${this.kind(id)}`);
    return 3 + layout.info + layout.element * this.vlen(id);
  }

  /** The bytes of a name as text of one character a byte. */
  name(id: number): string {
    return this.str(this.nameOffset(id));
  }

  str(offset: number): string {
    return offset < this.strings.first ? this.baseStrings.at(offset) : this.strings.at(offset);
  }

  /** Offset of a string (one character a byte) of the base or the pool, which is added unless it is there. */
  addStr(text: string): number {
    return this.baseStrings.find(text) ?? this.strings.add(text);
  }

  /**
   * Copies a type with its names; type ids stay those of the source. `map` remembers where strings went, for many
   * copies from one source; offsets below `shared` are of a common base.
   */
  copy(from: TypeSource, id: number, strings: StringSource, map?: Map<number, number>, shared = 0): number {
    const copy = this.push(from.wordsOf(id));
    const string = (offset: number): number => {
      if (offset === 0 || offset < shared) return offset;
      const known = map?.get(offset);
      if (known !== undefined) return known;
      const added = this.addStr(strings.at(offset));
      map?.set(offset, added);
      return added;
    };
    this.mapStrings(copy, string);
    return copy;
  }

  /** Adds a DATASEC; `variables` are its words: type, offset, size of each. */
  addDatasec(name: string, size: number, variables: readonly number[]): number {
    const type = new Int32Array(3 + variables.length);
    type[0] = this.addStr(name);
    type[1] = (BTF_KIND.DATASEC << 24) | (variables.length / 3);
    type[2] = size;
    type.set(variables, 3);
    return this.push(type);
  }

  /** Replaces each string offset of a type: its name, then those of its elements. */
  mapStrings(id: number, map: (offset: number) => number): void {
    const { words } = this;
    const at = this.at[id];
    const end = at + this.length(id);
    const { info, element, elementName } = KIND_LAYOUTS[this.kind(id)];
    words[at] = map(words[at] >>> 0);
    if (elementName === undefined) return;
    for (let p = at + 3 + info + elementName; p < end; p += element) words[p] = map(words[p] >>> 0);
  }

  /** Replaces each type id that a type refers to. */
  mapIds(id: number, map: (id: number) => number): void {
    const { words } = this;
    const at = this.at[id];
    const end = at + this.length(id);
    const { info, infoIds, element, elementId, reference } = KIND_LAYOUTS[this.kind(id)];
    if (reference) words[at + 2] = map(words[at + 2]);
    for (const index of infoIds ?? NONE) words[at + 3 + index] = map(words[at + 3 + index]);
    if (elementId === undefined) return;
    for (let p = at + 3 + info + elementId; p < end; p += element) words[p] = map(words[p]);
  }

  /** Leaves only own strings that are used, in the order of their first use. */
  compactStrings(): void {
    const fresh = new RawStrings(new Uint8Array(this.strings.first ? 0 : 1), this.strings.first);
    const known = new Map<number, number>();
    const map = (offset: number): number => {
      if (offset === 0 || offset < fresh.first) return offset;
      let now = known.get(offset);
      if (now === undefined) {
        const text = this.strings.at(offset);
        now = this.baseStrings.find(text) ?? fresh.add(text);
        known.set(offset, now);
      }
      return now;
    };
    for (let id = this.firstId; id < this.count; id++) this.mapStrings(id, map);
    this.strings = fresh;
  }

  /** Leaves only own types for which `keep` holds; gives the new id of each, -1 for those that are gone. */
  compactTypes(keep: (id: number) => boolean): Int32Array {
    const now = new Int32Array(this.count).fill(-1);
    for (let id = 0; id < this.firstId; id++) now[id] = id;
    let next = this.firstId;
    let p = this.firstId < this.count ? this.at[this.firstId] : this.used;
    for (let id = this.firstId; id < this.count; id++) {
      if (!keep(id)) continue;
      const length = this.length(id);
      this.words.copyWithin(p, this.at[id], this.at[id] + length);
      now[id] = next;
      this.at[next++] = p;
      p += length;
    }
    this.count = next;
    this.used = p;
    return now;
  }

  /** The pool's own types and strings as BTF data. */
  bytes(littleEndian = this.littleEndian): Uint8Array {
    const start = this.firstId < this.count ? this.at[this.firstId] : this.used;
    const types = Buffer.from(this.words.slice(start, this.used).buffer);
    if (littleEndian !== hostIsLittleEndian) types.swap32();
    const strings = this.strings.bytes();
    const layout = this.envelope?.layout ?? new Uint8Array(0);
    const header = this.envelope?.header ?? new Uint8Array(NEW_HEADER_SIZE);
    const out = new Uint8Array(header.length + types.length + layout.length + strings.length);
    out.set(header);
    const view = new DataView(out.buffer);
    view.setUint16(0, BTF_MAGIC, littleEndian);
    if (!this.envelope) out[2] = 1;
    const fields = [header.length, 0, types.length, types.length + layout.length, strings.length];
    for (const [i, value] of fields.entries()) view.setUint32(4 + i * 4, value, littleEndian);
    if (layout.length) {
      view.setUint32(24, types.length, littleEndian);
      view.setUint32(28, layout.length, littleEndian);
    }
    out.set(types, header.length);
    out.set(layout, header.length + types.length);
    out.set(strings, header.length + types.length + layout.length);
    return out;
  }
}
