// BTF, the type information of BPF programs and of the kernel: a reader that keeps the bytes as they are.
//
// Opening makes one pass that notes where each type begins and that everything in it is within bounds; nothing is
// decoded before it is asked for. Ids run from 1; 0 is void. A split BTF continues the ids and string offsets of its base.
import { BtfError } from './btf-error.ts';
import { FlatTypes } from './flat-types.ts';
import { readSections } from './header.ts';
import { BTF_KIND, isModifier, type KindLayout } from './kinds.ts';
import { Alignments, sizeOf } from './layout.ts';
import { memberOffset } from './member-offset.ts';
import { NameIndex } from './name-index.ts';
import { readLayouts, scanTypes } from './scan.ts';
import { StringSection } from './strings.ts';

export { BtfError } from './btf-error.ts';
export { BTF_KIND } from './kinds.ts';

const LONG_NAMES: ReadonlySet<string> = new Set([
  'long',
  'long int',
  'int long',
  'unsigned long',
  'long unsigned',
  'unsigned long int',
  'unsigned int long',
  'long unsigned int',
  'long int unsigned',
  'int unsigned long',
  'int long unsigned',
]);

const encoder = new TextEncoder();

/** Everything found at opening; one object, so that the class has one private constructor argument. */
interface Parts {
  bytes: Uint8Array;
  base: Btf | undefined;
  words: Int32Array;
  places: Int32Array;
  layouts: readonly KindLayout[];
  strings: StringSection;
  pointerSize: number | undefined;
}

export interface BtfOptions {
  /** Bytes of a pointer (4 or 8); guessed from the size of `long` unless given. */
  pointerSize?: number;
}

/**
 * BTF data. Methods that take an id throw BtfError for one that does not exist; those that ask for what only some
 * kinds have (members, parameters, values …) expect an id of such a kind and an index below `vlen`.
 */
export class Btf {
  /** The data as given. */
  readonly bytes: Uint8Array;
  readonly base: Btf | undefined;
  /** Ids run from 1 to count - 1, those of the base included. */
  readonly count: number;
  /** The first id of this data: 1, or the base's count. */
  readonly firstId: number;
  /** Kinds that this data may use, by number. */
  readonly layouts: readonly KindLayout[];
  /** Offset of the first string: 0, or the end of the base's. */
  readonly firstString: number;
  /** The end of all string offsets. */
  readonly stringEnd: number;

  private readonly words: Int32Array;
  /** Word indexes of the types of this data. */
  private readonly offsets: Int32Array;
  /** The same behind that of void. */
  private readonly places: Int32Array;
  private readonly strings: StringSection;
  private readonly givenPointerSize: number | undefined;
  private guessedPointerSize: number | undefined;
  private names: NameIndex | undefined;
  private alignments: Alignments | undefined;
  private flatTypes: FlatTypes | undefined;
  private readonly knownOffsets = new Map<string, number>();

  private constructor(parts: Parts) {
    this.bytes = parts.bytes;
    this.base = parts.base;
    this.words = parts.words;
    this.places = parts.places;
    this.offsets = parts.places.subarray(1);
    this.layouts = parts.layouts;
    this.strings = parts.strings;
    this.givenPointerSize = parts.pointerSize;
    this.firstId = parts.base ? parts.base.count : 1;
    this.count = this.firstId + this.offsets.length;
    this.firstString = parts.base ? parts.base.stringEnd : 0;
    this.stringEnd = this.firstString + parts.strings.bytes.length;
  }

  /**
   * Opens BTF of either byte order, on top of `base` when it is split BTF. Throws BtfError when a section, a type, a
   * string offset or a type id is out of bounds. `bytes` must not change afterwards.
   */
  static parse(bytes: Uint8Array, base?: Btf, options: BtfOptions = {}): Btf {
    const sections = readSections(bytes, base !== undefined);
    const strings = new StringSection(
      bytes.subarray(sections.strings.start, sections.strings.start + sections.strings.length),
    );
    const layouts = sections.layout.length || !base ? readLayouts(bytes, sections) : base.layouts;
    const table = scanTypes(bytes, sections, layouts, {
      firstId: base ? base.count : 1,
      stringEnd: (base ? base.stringEnd : 0) + strings.bytes.length,
      baseKind: (id) => (base ? base.kind(id) : 0),
    });
    return new Btf({ bytes, base, ...table, layouts, strings, pointerSize: options.pointerSize });
  }

  /** Word index of a type of this data, -1 for one of the base. */
  private at(id: number): number {
    const offset = this.offsets[id - this.firstId];
    if (offset !== undefined) return offset;
    if (id === 0) return this.places[0];
    if (this.base && id > 0 && id < this.firstId) return -1;
    throw new BtfError(`type id ${id} does not exist`);
  }

  private get parent(): Btf {
    return this.base as Btf;
  }

  /** All types, those of the base included, for passes over every one; copies them where there is a base. */
  flat(): FlatTypes {
    if (!this.flatTypes) {
      const { words, places, layouts, pointerSize } = this;
      const parts = { words, places, layouts, pointerSize, strings: this.strings.bytes };
      this.flatTypes = this.base ? FlatTypes.over(this.base.flat(), parts) : new FlatTypes(parts);
    }
    return this.flatTypes;
  }

  /** The words of a type of this data, in the machine's byte order; not to be written to. */
  wordsOf(id: number): Int32Array {
    const at = this.at(id);
    if (at < 0) return this.parent.wordsOf(id);
    const { info, element } = this.layouts[this.kind(id)];
    return this.words.subarray(at, at + 3 + info + element * this.vlen(id));
  }

  /** Third word: the type of references, the size of the others. */
  private third(id: number): number {
    const at = this.at(id);
    return at < 0 ? this.parent.third(id) : this.words[at + 2] >>> 0;
  }

  /** Word number `index` after the three common ones. */
  private extra(id: number, index: number): number {
    const at = this.at(id);
    return at < 0 ? this.parent.extra(id, index) : this.words[at + 3 + index];
  }

  private info(id: number): number {
    const at = this.at(id);
    return at < 0 ? this.parent.info(id) : this.words[at + 1];
  }

  kind(id: number): number {
    return (this.info(id) >>> 24) & 0x7f;
  }

  vlen(id: number): number {
    return this.info(id) & 0xffffff;
  }

  kflag(id: number): boolean {
    return this.info(id) < 0;
  }

  /** Offset of the type's name among the strings; 0 for none. */
  nameOffset(id: number): number {
    const at = this.at(id);
    return at < 0 ? this.parent.nameOffset(id) : this.words[at] >>> 0;
  }

  /** Empty when it has no name. */
  name(id: number): string {
    return this.str(this.nameOffset(id));
  }

  /** Size field, in bytes, of INT, STRUCT, UNION, ENUM, ENUM64, FLOAT and DATASEC. */
  size(id: number): number {
    return this.third(id);
  }

  /** Type field of PTR, TYPEDEF, modifiers, FUNC, FUNC_PROTO (what it returns), VAR and tags. */
  type(id: number): number {
    return this.third(id);
  }

  /** The string at an offset. Throws BtfError outside of the strings. */
  str(offset: number): string {
    if (offset >= this.firstString && offset < this.stringEnd) return this.strings.at(offset - this.firstString);
    if (offset >= 0 && this.base && offset < this.firstString) return this.base.str(offset);
    throw new BtfError(`string offset ${offset} does not exist`);
  }

  /** Bits: 1 signed, 2 char, 4 bool. */
  intEncoding(id: number): number {
    return (this.extra(id, 0) >>> 24) & 0xf;
  }

  intOffset(id: number): number {
    return (this.extra(id, 0) >>> 16) & 0xff;
  }

  intBits(id: number): number {
    return this.extra(id, 0) & 0xff;
  }

  /** Offset of the name of element `i`: member, parameter, or enumerator. */
  elementNameOffset(id: number, i: number): number {
    return this.extra(id, i * this.layouts[this.kind(id)].element) >>> 0;
  }

  memberName(id: number, i: number): string {
    return this.str(this.extra(id, i * 3) >>> 0);
  }

  memberType(id: number, i: number): number {
    return this.extra(id, i * 3 + 1);
  }

  memberBitOffset(id: number, i: number): number {
    const offset = this.extra(id, i * 3 + 2);
    return this.kflag(id) ? offset & 0xffffff : offset >>> 0;
  }

  /** Bits of a bitfield; 0 for a plain member. */
  memberBitSize(id: number, i: number): number {
    return this.kflag(id) ? this.extra(id, i * 3 + 2) >>> 24 : 0;
  }

  arrayElem(id: number): number {
    return this.extra(id, 0);
  }

  arrayIndexType(id: number): number {
    return this.extra(id, 1);
  }

  arrayLength(id: number): number {
    return this.extra(id, 2) >>> 0;
  }

  paramName(id: number, i: number): string {
    return this.str(this.extra(id, i * 2) >>> 0);
  }

  paramType(id: number, i: number): number {
    return this.extra(id, i * 2 + 1);
  }

  enumName(id: number, i: number): string {
    return this.str(this.elementNameOffset(id, i));
  }

  /** Value of an enumerator; negative ones only where the enumeration is signed. */
  enumValue(id: number, i: number): bigint {
    const signed = this.kflag(id);
    if (this.kind(id) === BTF_KIND.ENUM) {
      const value = this.extra(id, i * 2 + 1);
      return BigInt(signed ? value : value >>> 0);
    }
    const value = (BigInt(this.extra(id, i * 3 + 2) >>> 0) << 32n) | BigInt(this.extra(id, i * 3 + 1) >>> 0);
    return signed ? BigInt.asIntN(64, value) : value;
  }

  /** 0 static, 1 global, 2 extern; of a FUNC or VAR. */
  linkage(id: number): number {
    return this.kind(id) === BTF_KIND.FUNC ? this.vlen(id) : this.extra(id, 0) >>> 0;
  }

  secType(id: number, i: number): number {
    return this.extra(id, i * 3);
  }

  secOffset(id: number, i: number): number {
    return this.extra(id, i * 3 + 1) >>> 0;
  }

  secSize(id: number, i: number): number {
    return this.extra(id, i * 3 + 2) >>> 0;
  }

  /** Number of the member or parameter that a DECL_TAG is on; -1 for the whole. */
  tagComponent(id: number): number {
    return this.extra(id, 0);
  }

  /** The section that holds a string, and where that begins. */
  private holder(offset: number): Btf {
    return offset < this.firstString && this.base ? this.base.holder(offset) : this;
  }

  private index(): NameIndex {
    const offsetOf = (i: number): number => this.words[this.offsets[i]] >>> 0;
    this.names ??= new NameIndex({
      count: this.offsets.length,
      strings: (i) => this.holder(offsetOf(i)).strings.bytes,
      nameOffset: (i) => {
        const offset = offsetOf(i);
        return offset === 0 ? -1 : offset - this.holder(offset).firstString;
      },
    });
    return this.names;
  }

  /** Ids of the types of that name, lowest first. */
  findAll(name: string): number[] {
    const ids = this.base ? this.base.findAll(name) : [];
    const wanted = encoder.encode(name);
    const index = this.index();
    for (let i = index.lookup(wanted); i >= 0; i = index.after(i, wanted)) ids.push(this.firstId + i);
    return ids;
  }

  /** The first id of that name, and kind when one is given; 0 when there is none. */
  find(name: string, kind?: number): number {
    for (const id of this.findAll(name)) if (kind === undefined || this.kind(id) === kind) return id;
    return 0;
  }

  private skip(id: number, through: (kind: number) => boolean): number {
    for (let steps = 0; through(this.kind(id)); steps++) {
      if (steps > this.count) throw new BtfError(`type id ${id} refers to itself`);
      id = this.third(id);
    }
    return id;
  }

  /** Through CONST, VOLATILE, RESTRICT and TYPE_TAG. */
  skipMods(id: number): number {
    return this.skip(id, isModifier);
  }

  skipModsAndTypedefs(id: number): number {
    return this.skip(id, (kind) => kind === BTF_KIND.TYPEDEF || isModifier(kind));
  }

  /** Bytes of a pointer as the data tells: 8 or 4; undefined when it does not tell. */
  get knownPointerSize(): number | undefined {
    const base: number | undefined = this.base?.knownPointerSize;
    if (this.givenPointerSize) return this.givenPointerSize;
    if (base) return base;
    if (this.guessedPointerSize === undefined) {
      this.guessedPointerSize = 0;
      for (let id = this.firstId; id < this.count; id++) {
        const size = this.kind(id) === BTF_KIND.INT ? this.size(id) : 0;
        if ((size === 4 || size === 8) && LONG_NAMES.has(this.name(id))) {
          this.guessedPointerSize = size;
          break;
        }
      }
    }
    return this.guessedPointerSize || undefined;
  }

  get pointerSize(): number {
    return this.knownPointerSize ?? 8;
  }

  /** Bytes of a value; -1 when it has none (void, function, forward declaration). Rule: libbpf 1.8. */
  resolveSize(id: number): number {
    return sizeOf(this, id);
  }

  /**
   * Natural alignment in bytes; 1 for a struct whose layout shows that it is packed, 0 for what has no alignment.
   * Rule: libbpf 1.8, btf__align_of. Throws BtfError when a struct holds itself.
   */
  align(id: number): number {
    this.alignments ??= new Alignments(this);
    return this.alignments.of(id);
  }

  /** Of a type whose alignment is 0: the kind that has none, see Alignments. */
  unsupportedKind(id: number): number | undefined {
    this.alignments ??= new Alignments(this);
    return this.alignments.unsupportedKind(id);
  }

  /**
   * Offset in bytes of a member such as 'a' or 'a.b.c' of a struct or union; anonymous members are looked through.
   * Throws BtfError when there is no such type or member, or when it is a bitfield.
   */
  offsetOf(struct: string, member: string): number {
    const key = `${struct} ${member}`;
    const known = this.knownOffsets.get(key);
    if (known !== undefined) return known;
    const offset = memberOffset(this, struct, member);
    this.knownOffsets.set(key, offset);
    return offset;
  }
}
