// A string section that grows, by bytes: what is not UTF-8 stays as it is.
import { BtfError } from '../btf-error.ts';

const MAX_SIZE = 0x7fffffff;

/**
 * NUL-terminated strings by offset. A string is handled as text of one character a byte (latin1). Given bytes stay,
 * new strings go to the end, each once. Rule: libbpf 1.8, strset.c.
 */
export class RawStrings {
  /** Offset of the first string. */
  readonly first: number;
  /** The end of all offsets. */
  end: number;
  private readonly initial: string;
  private readonly added: string[] = [];
  private readonly addedAt = new Map<number, string>();
  private offsets: Map<string, number> | undefined;

  constructor(bytes: Uint8Array, first: number) {
    this.first = first;
    this.initial = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
    this.end = first + bytes.length;
  }

  /** The string at an offset, which must be inside. */
  at(offset: number): string {
    const start = offset - this.first;
    if (start < this.initial.length) return this.initial.slice(start, this.initial.indexOf('\0', start));
    const text = this.addedAt.get(offset);
    if (text === undefined) throw new BtfError(`string offset ${offset} does not exist`);
    return text;
  }

  private index(): Map<string, number> {
    if (!this.offsets) {
      this.offsets = new Map();
      const text = this.initial;
      for (let at = 0; at < text.length; ) {
        const end = text.indexOf('\0', at);
        const piece = text.slice(at, end);
        if (!this.offsets.has(piece)) this.offsets.set(piece, this.first + at);
        at = end + 1;
      }
    }
    return this.offsets;
  }

  /** Offset of a string, or undefined. */
  find(text: string): number | undefined {
    return this.index().get(text);
  }

  /** Offset of a string, which is added unless it is there. Throws BtfError when strings become too long. */
  add(text: string): number {
    const offsets = this.index();
    const known = offsets.get(text);
    if (known !== undefined) return known;
    const offset = this.end;
    if (offset - this.first + text.length + 1 > MAX_SIZE) throw new BtfError('BTF strings are too long');
    offsets.set(text, offset);
    this.addedAt.set(offset, text);
    this.added.push(text);
    this.end = offset + text.length + 1;
    return offset;
  }

  /** The section. */
  bytes(): Uint8Array {
    const added = this.added.length ? `${this.added.join('\0')}\0` : '';
    return Buffer.concat([Buffer.from(this.initial, 'latin1'), Buffer.from(added, 'latin1')]);
  }
}
