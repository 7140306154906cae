// Writing BTF: from nothing, on top of a base, or by changing what was read.
import { type Btf, BtfError } from './btf.ts';
import { BTF_HEADER_SIZE, BTF_MAGIC, readSections } from './header.ts';
import { BTF_KIND, KIND_LAYOUTS } from './kinds.ts';
import { StringSet } from './string-set.ts';

const MAX_VLEN = 0xffffff;
/** Bytes of the header of new data. Rule: libbpf 1.8. */
const NEW_HEADER_SIZE = 32;

export interface NewMember {
  name: string;
  type: number;
  /** Offset in bits from the beginning of the struct. */
  bitOffset: number;
  /** Bits of a bitfield; 0 or absent for a plain member. */
  bitSize?: number;
}

export interface NewParam {
  name: string;
  type: number;
}

export interface NewEnumerator {
  name: string;
  value: bigint;
}

export interface NewVariable {
  type: number;
  /** Bytes. */
  offset: number;
  size: number;
}

/** The three words that every type begins with, to change some of them. */
export interface TypeHead {
  name?: string;
  kind?: number;
  vlen?: number;
  kflag?: boolean;
  /** Size field or type field. */
  third?: number;
}

const infoWord = (kind: number, vlen: number, kflag: boolean): number => {
  if (vlen > MAX_VLEN) throw new BtfError(`a BTF type cannot have ${vlen} elements`);
  return (kflag ? 0x80000000 : 0) | (kind << 24) | vlen;
};

const low32 = (value: bigint): number => Number(BigInt.asIntN(32, value));

/**
 * Collects types and strings and makes BTF bytes of them, little-endian. Each `add…` gives the new type's id; ids are
 * consecutive, so that `nextId` may be referred to before its type is added. Nothing is checked here that
 * `Btf.parse` checks.
 */
export class BtfBuilder {
  private readonly base: Btf | undefined;
  private readonly firstId: number;
  private readonly types: Int32Array[] = [];
  private readonly strings: StringSet;
  private readonly source: Btf | undefined;
  /** Types or strings were added, so that the sections do not fit where they were. */
  private grown = false;

  /** Starts empty, on top of `base` if given. */
  constructor(base?: Btf, source?: Btf) {
    this.base = source ? source.base : base;
    this.source = source;
    this.firstId = this.base ? this.base.count : 1;
    let strings = new Uint8Array(this.base ? 0 : 1);
    if (source) {
      const section = readSections(source.bytes, source.base !== undefined).strings;
      strings = source.bytes.slice(section.start, section.start + section.length);
      for (let id = source.firstId; id < source.count; id++) this.types.push(source.wordsOf(id).slice());
    }
    this.strings = new StringSet(strings, this.base ? this.base.stringEnd : 0);
  }

  /** Starts with all types and strings of `btf`; ids stay, the base too. */
  static from(btf: Btf): BtfBuilder {
    return new BtfBuilder(undefined, btf);
  }

  get nextId(): number {
    return this.firstId + this.types.length;
  }

  /** Offset of a string, which is added unless it is there already (in the base or here). */
  str(text: string): number {
    const known = this.baseString(text) ?? this.strings.find(text);
    if (known !== undefined) return known;
    this.grown = true;
    return this.strings.add(text);
  }

  private baseStrings: StringSet[] | undefined;

  private baseString(text: string): number | undefined {
    if (!this.base) return undefined;
    if (!this.baseStrings) {
      this.baseStrings = [];
      for (let btf: Btf | undefined = this.base; btf; btf = btf.base) {
        const { start, length } = readSections(btf.bytes, btf.base !== undefined).strings;
        this.baseStrings.unshift(new StringSet(btf.bytes.subarray(start, start + length), btf.firstString));
      }
    }
    for (const set of this.baseStrings) {
      const offset = set.find(text);
      if (offset !== undefined) return offset;
    }
    return undefined;
  }

  /** Adds a type from its parts; `words` follow the three common ones. */
  add(kind: number, head: Omit<TypeHead, 'kind'>, words: readonly number[] = []): number {
    const type = new Int32Array(3 + words.length);
    type[0] = this.str(head.name ?? '');
    type[1] = infoWord(kind, head.vlen ?? 0, head.kflag ?? false);
    type[2] = head.third ?? 0;
    type.set(words, 3);
    this.types.push(type);
    this.grown = true;
    return this.nextId - 1;
  }

  /** `encoding` bits: 1 signed, 2 char, 4 bool; `bits` is 8 × size unless given. */
  addInt(name: string, size: number, encoding = 0, bits = size * 8, bitOffset = 0): number {
    return this.add(BTF_KIND.INT, { name, third: size }, [(encoding << 24) | (bitOffset << 16) | bits]);
  }

  addFloat(name: string, size: number): number {
    return this.add(BTF_KIND.FLOAT, { name, third: size });
  }

  /** PTR, CONST, VOLATILE or RESTRICT. */
  addRef(kind: number, type: number): number {
    return this.add(kind, { third: type });
  }

  addPtr(type: number): number {
    return this.addRef(BTF_KIND.PTR, type);
  }

  addTypedef(name: string, type: number): number {
    return this.add(BTF_KIND.TYPEDEF, { name, third: type });
  }

  addArray(element: number, index: number, length: number): number {
    return this.add(BTF_KIND.ARRAY, {}, [element, index, length]);
  }

  /** STRUCT or UNION of `size` bytes. */
  addComposite(kind: number, name: string, size: number, members: readonly NewMember[]): number {
    // Names first, then those of the elements: the order in which libbpf puts strings.
    this.str(name);
    const kflag = members.some((member) => member.bitSize);
    const words = members.flatMap(({ name, type, bitOffset, bitSize = 0 }) => {
      if (kflag && (bitOffset > 0xffffff || bitSize > 0xff)) throw new BtfError(`bitfield '${name}' is out of range`);
      return [this.str(name), type, kflag ? (bitSize << 24) | bitOffset : bitOffset];
    });
    return this.add(kind, { name, vlen: members.length, kflag, third: size }, words);
  }

  addStruct(name: string, size: number, members: readonly NewMember[]): number {
    return this.addComposite(BTF_KIND.STRUCT, name, size, members);
  }

  addUnion(name: string, size: number, members: readonly NewMember[]): number {
    return this.addComposite(BTF_KIND.UNION, name, size, members);
  }

  addFwd(name: string, union = false): number {
    return this.add(BTF_KIND.FWD, { name, kflag: union });
  }

  /** ENUM of `size` bytes, signed when a value is negative. */
  addEnum(name: string, size: number, values: readonly NewEnumerator[]): number {
    this.str(name);
    const words = values.flatMap(({ name, value }) => [this.str(name), low32(value)]);
    const kflag = values.some(({ value }) => value < 0n);
    return this.add(BTF_KIND.ENUM, { name, vlen: values.length, kflag, third: size }, words);
  }

  addEnum64(name: string, size: number, values: readonly NewEnumerator[]): number {
    this.str(name);
    const words = values.flatMap(({ name, value }) => [this.str(name), low32(value), low32(value >> 32n)]);
    const kflag = values.some(({ value }) => value < 0n);
    return this.add(BTF_KIND.ENUM64, { name, vlen: values.length, kflag, third: size }, words);
  }

  addFuncProto(returns: number, params: readonly NewParam[]): number {
    const words = params.flatMap(({ name, type }) => [this.str(name), type]);
    return this.add(BTF_KIND.FUNC_PROTO, { vlen: params.length, third: returns }, words);
  }

  /** `linkage`: 0 static, 1 global, 2 extern. */
  addFunc(name: string, linkage: number, proto: number): number {
    return this.add(BTF_KIND.FUNC, { name, vlen: linkage, third: proto });
  }

  addVar(name: string, linkage: number, type: number): number {
    return this.add(BTF_KIND.VAR, { name, third: type }, [linkage]);
  }

  addDatasec(name: string, size: number, variables: readonly NewVariable[]): number {
    const words = variables.flatMap(({ type, offset, size }) => [type, offset, size]);
    return this.add(BTF_KIND.DATASEC, { name, vlen: variables.length, third: size }, words);
  }

  /** `component` is the number of a member or parameter, -1 for the whole type. */
  addDeclTag(name: string, type: number, component = -1): number {
    return this.add(BTF_KIND.DECL_TAG, { name, third: type }, [component]);
  }

  addTypeTag(name: string, type: number): number {
    return this.add(BTF_KIND.TYPE_TAG, { name, third: type });
  }

  /** Copies a type of another BTF; `mapId` gives the id here of each type that it refers to (0 is never asked). */
  copy(from: Btf, id: number, mapId: (id: number) => number): number {
    const words = from.wordsOf(id).slice();
    const layout = from.layouts[from.kind(id)];
    const string = (index: number) => {
      if (words[index]) words[index] = this.str(from.str(words[index] >>> 0));
    };
    const type = (index: number) => {
      if (words[index]) words[index] = mapId(words[index]);
    };
    string(0);
    if (layout.reference) type(2);
    for (const index of layout.infoIds ?? []) type(3 + index);
    for (let p = 3 + layout.info; layout.element && p < words.length; p += layout.element) {
      if (layout.elementName !== undefined) string(p + layout.elementName);
      if (layout.elementId !== undefined) type(p + layout.elementId);
    }
    this.types.push(words);
    this.grown = true;
    return this.nextId - 1;
  }

  private own(id: number): Int32Array {
    const type = this.types[id - this.firstId];
    if (!type) throw new BtfError(`type id ${id} cannot be changed`);
    return type;
  }

  /** Changes what `head` names of a type; the number of words that the type takes must stay. */
  edit(id: number, head: TypeHead): void {
    const words = this.own(id);
    const kind = head.kind ?? (words[1] >>> 24) & 0x7f;
    const vlen = head.vlen ?? words[1] & 0xffffff;
    const layout = KIND_LAYOUTS[kind];
    if (!layout || 3 + layout.info + layout.element * vlen !== words.length) {
      throw new BtfError(`type id ${id} cannot become another size`);
    }
    if (head.name !== undefined) words[0] = this.str(head.name);
    words[1] = infoWord(kind, vlen, head.kflag ?? words[1] < 0);
    if (head.third !== undefined) words[2] = head.third;
  }

  /** Changes word number `index` of those that follow the three common ones. */
  editWord(id: number, index: number, value: number): void {
    const words = this.own(id);
    if (index < 0 || 3 + index >= words.length) throw new BtfError(`type id ${id} has no word ${index}`);
    words[3 + index] = value;
  }

  /** Changes variable `i` of a DATASEC. */
  editVariable(id: number, i: number, change: Partial<NewVariable>): void {
    const columns: readonly (keyof NewVariable)[] = ['type', 'offset', 'size'];
    columns.forEach((column, k) => {
      const value = change[column];
      if (value !== undefined) this.editWord(id, i * 3 + k, value);
    });
  }

  /** The data. As long as nothing was added to what was read, sections stay where they were. */
  bytes(): Uint8Array {
    if (this.source && !this.grown) {
      const section = readSections(this.source.bytes, this.base !== undefined);
      if (section.littleEndian) {
        const out = this.source.bytes.slice();
        this.writeTypes(out, section.types.start);
        return out;
      }
    }
    return this.assemble();
  }

  private writeTypes(out: Uint8Array, start: number): number {
    const view = new DataView(out.buffer, out.byteOffset, out.length);
    let at = start;
    for (const type of this.types) {
      for (const word of type) {
        view.setInt32(at, word, true);
        at += 4;
      }
    }
    return at;
  }

  private assemble(): Uint8Array {
    const source = this.source && this.sourceParts(this.source);
    const headerSize = source ? source.header.length : NEW_HEADER_SIZE;
    const layout = source ? source.layout : new Uint8Array(0);
    const strings = this.strings.bytes();
    const typeLength = this.types.reduce((sum, type) => sum + type.length * 4, 0);
    const out = new Uint8Array(headerSize + typeLength + layout.length + strings.length);
    out.set(source ? source.header.subarray(2, 4) : [1], 2);
    const view = new DataView(out.buffer);
    view.setUint16(0, BTF_MAGIC, true);
    const fields = [headerSize, 0, typeLength, typeLength + layout.length, strings.length];
    fields.forEach((value, i) => {
      view.setUint32(4 + i * 4, value, true);
    });
    if (layout.length) {
      view.setUint32(24, typeLength, true);
      view.setUint32(28, layout.length, true);
    }
    const end = this.writeTypes(out, headerSize);
    out.set(layout, end);
    out.set(strings, end + layout.length);
    return out;
  }

  private sourceParts(btf: Btf): { header: Uint8Array; layout: Uint8Array } {
    const { littleEndian, layout } = readSections(btf.bytes, btf.base !== undefined);
    const view = new DataView(btf.bytes.buffer, btf.bytes.byteOffset);
    const header = btf.bytes.slice(0, view.getUint32(4, littleEndian));
    if (header.length < BTF_HEADER_SIZE || header.subarray(NEW_HEADER_SIZE).some((byte) => byte !== 0)) {
      throw new BtfError('BTF with unknown header fields cannot be changed');
    }
    return { header, layout: btf.bytes.slice(layout.start, layout.start + layout.length) };
  }
}
