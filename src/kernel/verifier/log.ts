// The verifier log as a byte buffer with a position, as the kernel keeps it: what a branch wrote can be taken back.

/** Bits of log_level. */
export const LOG = { PATH: 1, INSNS: 2, STATS: 4, FIXED: 8, /** PATH or INSNS */ ANY_PATH: 3 } as const;

/** One message is cut at this many bytes. */
const MESSAGE_BYTES = 1024;

// biome-ignore lint/suspicious/noControlCharactersInRegex: the range is "not ASCII"
const NOT_ASCII = /[^\x00-\x7f]/;

/** UTF-8 with one character a byte, so that positions count bytes. */
const toBytes = (text: string): string => (NOT_ASCII.test(text) ? Buffer.from(text, 'utf8').toString('latin1') : text);
const fromBytes = (text: string): string =>
  NOT_ASCII.test(text) ? Buffer.from(text, 'latin1').toString('utf8') : text;

/**
 * Text written so far. `write` is the kernel's verbose(): it prints at any non-zero level. Positions count bytes. The
 * buffer holds `size` bytes with the closing NUL; without FIXED it keeps the last ones, else the first ones.
 * rule: bpf_verifier_vlog, bpf_vlog_reset, bpf_vlog_finalize, log.c, 6.18.
 */
export class VerifierLog {
  readonly level: number;
  readonly size: number;
  /** What is kept, one character a byte, and where each piece begins. */
  private chunks: string[] = [];
  private starts: number[] = [];
  /** Pieces before this index are no longer in the buffer. */
  private firstChunk = 0;
  /** The log window: [start, end). */
  private start = 0;
  private end = 0;
  /** Longest text so far with its NUL. */
  private longest = 0;

  constructor(level: number, size: number) {
    this.level = level;
    this.size = size;
  }

  get endPos(): number {
    return this.end;
  }

  wants(bits: number): boolean {
    return (this.level & bits) !== 0;
  }

  /** One message, cut at 1023 bytes. */
  write(message: string): void {
    if (this.level === 0) return;
    const text = toBytes(message);
    this.put(text.length >= MESSAGE_BYTES ? text.slice(0, MESSAGE_BYTES - 1) : text);
  }

  /** One message as bytes, one character each, cut like the others. */
  writeBytes(message: string): void {
    if (this.level !== 0) this.put(message.slice(0, MESSAGE_BYTES - 1));
  }

  /** Several short messages joined: the sum is not cut. */
  append(messages: string): void {
    if (this.level !== 0) this.put(toBytes(messages));
  }

  private put(text: string): void {
    const at = this.end;
    this.end = at + text.length;
    const withNul = this.end + 1;
    if (withNul > this.longest) this.longest = withNul;
    if (this.level & LOG.FIXED) {
      if (at >= this.size - 1) return;
    } else if (withNul - this.start >= this.size) {
      this.start = withNul - this.size;
      if (this.size === 0) return;
    }
    if (text.length === 0) return;
    this.chunks.push(text);
    this.starts.push(at);
    this.dropOld();
  }

  /** Forgets what has left the window, now and then. */
  private dropOld(): void {
    while (this.firstChunk < this.chunks.length - 1 && this.starts[this.firstChunk + 1] <= this.start) {
      this.chunks[this.firstChunk++] = '';
    }
    if (this.firstChunk > 4096 && this.firstChunk * 2 > this.chunks.length) {
      this.chunks.splice(0, this.firstChunk);
      this.starts.splice(0, this.firstChunk);
      this.firstChunk = 0;
    }
  }

  /** Forgets all after `position`. */
  rewind(position: number): void {
    if (this.level === 0 || position > this.end) return;
    this.end = position;
    if (this.end < this.start) this.start = this.end;
    for (let last = this.chunks.length - 1; last >= 0; last--) {
      const at = this.starts[last];
      if (at < position) {
        this.chunks[last] = this.chunks[last].slice(0, position - at);
        break;
      }
      this.chunks.pop();
      this.starts.pop();
    }
    if (this.firstChunk > this.chunks.length) this.firstChunk = this.chunks.length;
  }

  /** All that is still in the window. */
  text(): string {
    return fromBytes(this.windowBytes());
  }

  private windowBytes(): string {
    const { firstChunk } = this;
    if (firstChunk >= this.chunks.length) return '';
    const kept = (firstChunk === 0 ? this.chunks : this.chunks.slice(firstChunk)).join('');
    const skip = this.start - this.starts[firstChunk];
    return skip > 0 ? kept.slice(skip) : kept;
  }

  /** log_true_size: bytes that would have held the longest text, with its NUL; 0 if nothing was ever written. */
  get trueSize(): number {
    return this.longest;
  }

  /** Whether text was lost: the load then fails with ENOSPC. Never without a buffer. */
  get overflowed(): boolean {
    return this.size > 0 && this.longest > this.size;
  }

  /** What the caller's buffer holds at the end, up to its NUL. */
  finish(): string {
    if (this.size === 0) return '';
    const bytes = this.windowBytes();
    return fromBytes(this.level & LOG.FIXED ? bytes.slice(0, this.size - 1) : bytes);
  }
}
