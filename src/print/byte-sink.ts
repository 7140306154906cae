// Text as bytes: pieces go straight into one buffer that is used over and over, without strings in between.
//
// Copies move four bytes at a time and may write up to three beyond the piece; what follows overwrites them.

/** Text in ASCII that is written often, prepared for copying. */
export interface Token {
  /** Four characters each, the first one in the low byte. */
  readonly words: Int32Array;
  readonly length: number;
}

/** Bytes that are passed on at once, about as many as a pipe holds. */
const CHUNK = 1 << 16;
/** Room behind a chunk for the token or number that crosses its end. */
const SLACK = 1 << 10;

/** Prepares ASCII text of at most 1000 characters. */
export const token = (text: string): Token => {
  if (text.length > SLACK - 24) throw new Error(`too long for a token: ${text}`);
  const words = new Int32Array((text.length + 3) >> 2);
  for (let i = 0; i < text.length; i++) words[i >> 2] |= text.charCodeAt(i) << ((i & 3) * 8);
  return { words, length: text.length };
};

/** The three digits of each number below 1000, the first one in the low byte. */
const DIGITS = new Int32Array(1000);
for (let a = 0, n = 0; a < 10; a++) {
  for (let b = 0; b < 10; b++) {
    for (let c = 0; c < 10; c++) DIGITS[n++] = 0x303030 + a + (b << 8) + (c << 16);
  }
}

/** The highest bit of the lowest byte that is zero, alone; 0 when there is none. */
const zeroByte = (word: number): number => {
  const zeros = (word - 0x01010101) & ~word & 0x80808080;
  return zeros & -zeros;
};

const mixed = (hash: number): number => {
  const product = Math.imul(hash, 0x9e3779b1);
  return product ^ (product >>> 15);
};

const encoder = new TextEncoder();

/** NUL-terminated strings by offset; the last byte must be NUL. */
export class ByteStrings {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Up to here four bytes can be read. */
  readonly lastWord: number;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.lastWord = bytes.length - 4;
  }

  /** The string at an offset. */
  at(offset: number): string {
    const { bytes } = this;
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8', offset, bytes.indexOf(0, offset));
  }

  /** 32 bits that equal strings have in common. */
  hash(offset: number): number {
    const { view, lastWord } = this;
    let hash = 0;
    for (; offset <= lastWord; offset += 4) {
      const word = view.getInt32(offset, true);
      const zero = zeroByte(word);
      hash = ((hash << 5) | (hash >>> 27)) ^ (zero === 0 ? word : word & ((zero >>> 7) - 1));
      if (zero !== 0) return mixed(hash);
    }
    let word = 0;
    for (let shift = 0; view.getUint8(offset) !== 0; shift += 8) word |= view.getUint8(offset++) << shift;
    return mixed(((hash << 5) | (hash >>> 27)) ^ word);
  }

  equal(a: number, b: number): boolean {
    const { bytes } = this;
    for (; bytes[a] === bytes[b]; a++, b++) if (bytes[a] === 0) return true;
    return false;
  }

  /** Whether the string at an offset has these bytes. */
  is(offset: number, text: Uint8Array): boolean {
    const { bytes } = this;
    for (let i = 0; i < text.length; i++) if (bytes[offset + i] !== text[i]) return false;
    return bytes[offset + text.length] === 0;
  }

  /** Bytes of the string at an offset. */
  lengthAt(offset: number): number {
    return this.bytes.indexOf(0, offset) - offset;
  }
}

/** Collects bytes and passes them on in chunks; what `write` is given is overwritten after it returns. */
export class ByteSink {
  private readonly write: (bytes: Buffer) => void;
  private readonly strings: ByteStrings;
  private readonly buffer: Buffer;
  private readonly view: DataView;
  private at = 0;

  /** `strings` are those that `string` and `escaped` take; the longest one has room behind a chunk. */
  constructor(strings: ByteStrings, write: (bytes: Buffer) => void) {
    this.write = write;
    this.strings = strings;
    this.buffer = Buffer.allocUnsafeSlow(CHUNK + strings.bytes.length + SLACK);
    this.view = new DataView(this.buffer.buffer);
  }

  /** Passes on what there is. */
  flush(): void {
    if (this.at > 0) this.write(this.buffer.subarray(0, this.at));
    this.at = 0;
  }

  put({ words, length }: Token): void {
    if (this.at > CHUNK) this.flush();
    const { view, at } = this;
    for (let i = 0; i < words.length; i++) view.setInt32(at + i * 4, words[i], true);
    this.at = at + length;
  }

  /** A natural number below 2^31 in decimal. */
  decimal(value: number): void {
    if (value >= 1000) {
      const high = (value / 1000) | 0;
      this.decimal(high);
      this.view.setInt32(this.at, DIGITS[value - high * 1000], true);
      this.at += 3;
      return;
    }
    if (this.at > CHUNK) this.flush();
    const { at } = this;
    const length = value < 10 ? 1 : value < 100 ? 2 : 3;
    this.view.setInt32(at, DIGITS[value] >>> (24 - length * 8), true);
    this.at = at + length;
  }

  /** 32 bits as a natural number. */
  unsigned(bits: number): void {
    if (bits >= 0) this.decimal(bits);
    else this.text(String(bits >>> 0));
  }

  /** The string at an offset, whatever its bytes. */
  string(offset: number): void {
    if (this.at > CHUNK) this.flush();
    const { view, strings } = this;
    const from = strings.view;
    let { at } = this;
    for (; offset <= strings.lastWord; offset += 4) {
      const word = from.getInt32(offset, true);
      view.setInt32(at, word, true);
      // The lowest bit that is left belongs to the first zero byte.
      const zero = (word - 0x01010101) & ~word & 0x80808080;
      if (zero !== 0) {
        this.at = at + ((zero & 0x8080) === 0 ? ((zero & 0x800000) === 0 ? 3 : 2) : (zero & 0x80) === 0 ? 1 : 0);
        return;
      }
      at += 4;
    }
    for (let byte = from.getUint8(offset); byte !== 0; byte = from.getUint8(++offset)) view.setUint8(at++, byte);
    this.at = at;
  }

  /** As `string`, with what JSON wants escaped replaced; `escapes` has a token for each such byte. */
  escaped(offset: number, escapes: readonly (Token | undefined)[]): void {
    const from = this.strings.view;
    for (let byte = from.getUint8(offset); byte !== 0; byte = from.getUint8(++offset)) {
      const replacement = escapes[byte];
      if (replacement) {
        this.put(replacement);
      } else {
        if (this.at > CHUNK) this.flush();
        this.view.setUint8(this.at++, byte);
      }
    }
  }

  /** Any text; slower than the others. */
  text(text: string): void {
    this.bytes(encoder.encode(text));
  }

  bytes(all: Uint8Array): void {
    for (let start = 0; start < all.length; start += SLACK) {
      if (this.at > CHUNK) this.flush();
      const piece = all.subarray(start, start + SLACK);
      this.buffer.set(piece, this.at);
      this.at += piece.length;
    }
  }
}
