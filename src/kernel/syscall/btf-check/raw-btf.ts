// BTF bytes while they are being checked: nothing in them is to be trusted yet.
import { BTF_KIND } from '../../../btf/btf.ts';
import { hasSize, isComposite } from '../../../btf/kinds.ts';

/** Sections as the header tells them; offsets count from the end of the header. */
export interface BtfSections {
  headerBytes: number;
  typeOffset: number;
  typeBytes: number;
  stringOffset: number;
  stringBytes: number;
}

/** Bytes of the three words that every type begins with. */
export const HEAD_BYTES = 12;

const KIND_MASK = 0x1f;
const VLEN_MASK = 0xffff;
const KFLAG = 0x80000000;

const MODIFIERS: ReadonlySet<number> = new Set([
  BTF_KIND.TYPEDEF,
  BTF_KIND.VOLATILE,
  BTF_KIND.CONST,
  BTF_KIND.RESTRICT,
  BTF_KIND.TYPE_TAG,
]);
const SIZELESS: ReadonlySet<number> = new Set([
  BTF_KIND.UNKN,
  BTF_KIND.FWD,
  BTF_KIND.FUNC,
  BTF_KIND.FUNC_PROTO,
  BTF_KIND.DECL_TAG,
]);
const SOURCE_ONLY: ReadonlySet<number> = new Set([BTF_KIND.VAR, BTF_KIND.DECL_TAG, BTF_KIND.DATASEC]);

/**
 * Types by id as they are found good; 0 is void, of kind 0. Words of a type are numbered from 0 after its head. All
 * numbers are unsigned unless said otherwise.
 */
export class RawBtf {
  readonly typesEnd: number;
  readonly typesStart: number;
  /** Offset of each type in the data. */
  private readonly offsets: number[] = [0];
  private readonly view: DataView;
  private readonly strings: Uint8Array;

  constructor(bytes: Uint8Array, sections: BtfSections) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.typesStart = sections.headerBytes + sections.typeOffset;
    this.typesEnd = this.typesStart + sections.typeBytes;
    const stringsAt = sections.headerBytes + sections.stringOffset;
    this.strings = bytes.subarray(stringsAt, stringsAt + sections.stringBytes);
  }

  /** Ids run from 0 to count - 1. */
  get count(): number {
    return this.offsets.length;
  }

  /** The next id is the type at this offset. */
  add(offset: number): void {
    this.offsets.push(offset);
  }

  exists(id: number): boolean {
    return id < this.offsets.length;
  }

  private u32(offset: number): number {
    return this.view.getUint32(offset, true);
  }

  private head(id: number, word: number): number {
    return id === 0 ? 0 : this.u32(this.offsets[id] + word * 4);
  }

  nameOffset(id: number): number {
    return this.head(id, 0);
  }

  info(id: number): number {
    return this.head(id, 1);
  }

  kind(id: number): number {
    return (this.info(id) >>> 24) & KIND_MASK;
  }

  vlen(id: number): number {
    return this.info(id) & VLEN_MASK;
  }

  kflag(id: number): boolean {
    return this.info(id) >= KFLAG;
  }

  /** Size of the type, or what it refers to. */
  third(id: number): number {
    return this.head(id, 2);
  }

  word(id: number, n: number): number {
    return this.u32(this.offsets[id] + HEAD_BYTES + n * 4);
  }

  isNameOffset(offset: number): boolean {
    return offset < this.strings.length;
  }

  /** Bytes of a string without its NUL. */
  stringBytes(offset: number): Uint8Array {
    return this.strings.subarray(offset, this.strings.indexOf(0, offset));
  }

  /** A name as the log prints it, one character a byte. */
  name(offset: number): string {
    if (offset === 0) return '(anon)';
    if (!this.isNameOffset(offset)) return '(invalid-name-offset)';
    return Buffer.from(this.stringBytes(offset)).toString('latin1');
  }

  isModifier(id: number): boolean {
    return MODIFIERS.has(this.kind(id));
  }

  isComposite(id: number): boolean {
    return isComposite(this.kind(id));
  }

  is(id: number, kind: number): boolean {
    return this.kind(id) === kind;
  }

  /** Void, functions and the like, and types that do not exist. */
  isSizeless(id: number): boolean {
    return !this.exists(id) || SIZELESS.has(this.kind(id));
  }

  /** The third word is the size. */
  hasSize(id: number): boolean {
    return hasSize(this.kind(id));
  }

  /** Nothing may refer to such types by way of another type. rule: btf_type_is_resolve_source_only, 6.18 */
  isSourceOnly(id: number): boolean {
    return SOURCE_ONLY.has(this.kind(id));
  }

  /** What it is depends on other types. rule: btf_type_needs_resolve, 6.18 */
  needsResolving(id: number): boolean {
    const kind = this.kind(id);
    return (
      this.isModifier(id) ||
      this.isComposite(id) ||
      kind === BTF_KIND.PTR ||
      kind === BTF_KIND.ARRAY ||
      kind === BTF_KIND.FUNC ||
      SOURCE_ONLY.has(kind)
    );
  }

  intBits(id: number): number {
    return this.word(id, 0) & 0xff;
  }

  intOffset(id: number): number {
    return (this.word(id, 0) >>> 16) & 0xff;
  }

  intEncoding(id: number): number {
    return (this.word(id, 0) >>> 24) & 0xf;
  }

  /** Whole bytes, as many as integers of C have. rule: btf_type_int_is_regular, 6.18 */
  isRegularInt(id: number): boolean {
    const bits = this.intBits(id);
    const bytes = Math.ceil(bits / 8);
    return bits % 8 === 0 && this.intOffset(id) === 0 && [1, 2, 4, 8, 16].includes(bytes);
  }
}
