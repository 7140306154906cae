// The string section, decoded on demand.
import { isAscii } from 'node:buffer';

/** NUL-terminated strings by byte offset. Offsets must be inside; the section ends with NUL. */
export class StringSection {
  readonly bytes: Uint8Array;
  private text: string | undefined;
  private ascii = true;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  at(offset: number): string {
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
