// The string section, decoded on demand.
import { isAscii } from 'node:buffer';

/** Strings that are decoded one by one before all are prepared for it. */
const FEW = 100;

/** NUL-terminated strings by byte offset. Offsets must be inside; the section ends with NUL. */
export class StringSection {
  readonly bytes: Uint8Array;
  private text: string | undefined;
  private ascii = true;
  private lookups = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  at(offset: number): string {
    if (this.lookups < FEW) {
      this.lookups++;
      const { buffer, byteOffset, length } = this.bytes;
      return Buffer.from(buffer, byteOffset, length).toString('utf8', offset, this.bytes.indexOf(0, offset));
    }
    // One character a byte, so that positions in the text are byte offsets; cutting it is far cheaper than decoding.
    let text = this.text;
    if (text === undefined) {
      this.ascii = isAscii(this.bytes);
      text = Buffer.from(this.bytes.buffer, this.bytes.byteOffset, this.bytes.length).toString('latin1');
      this.text = text;
    }
    const piece = text.slice(offset, text.indexOf('\0', offset));
    return this.ascii ? piece : Buffer.from(piece, 'latin1').toString('utf8');
  }
}
