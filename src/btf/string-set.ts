// A string section that grows: each distinct string once, found again by its text.
import { BtfError } from './btf-error.ts';

const MAX_SIZE = 0x7fffffff;

/** Strings by offset, after those of a base. Rule: libbpf 1.8, strset.c: given bytes stay, new strings go to the end. */
export class StringSet {
  private readonly first: number;
  private readonly offsets = new Map<string, number>();
  private readonly pieces: Uint8Array[] = [];
  private length = 0;

  /** `first` is the offset of the first string: 0, or the end of the base's strings. */
  constructor(bytes: Uint8Array, first: number) {
    this.first = first;
    this.pieces.push(bytes);
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let at = 0; at < bytes.length; ) {
      const end = text.indexOf(0, at);
      const string = text.toString('utf8', at, end);
      if (!this.offsets.has(string)) this.offsets.set(string, first + at);
      at = end + 1;
    }
    this.length = bytes.length;
  }

  /** Offset of a string, or undefined. */
  find(text: string): number | undefined {
    return this.offsets.get(text);
  }

  add(text: string): number {
    const known = this.offsets.get(text);
    if (known !== undefined) return known;
    if (text.includes('\0')) throw new BtfError('a BTF string cannot hold NUL');
    const bytes = Buffer.from(`${text}\0`, 'utf8');
    const offset = this.first + this.length;
    if (offset + bytes.length > MAX_SIZE) throw new BtfError('BTF strings are too long');
    this.offsets.set(text, offset);
    this.pieces.push(bytes);
    this.length += bytes.length;
    return offset;
  }

  bytes(): Uint8Array {
    return Buffer.concat(this.pieces, this.length);
  }
}
