// The verifier log as a byte buffer with a position, as the kernel keeps it: what a branch wrote can be taken back.
import { constants } from 'node:buffer';

/** Bits of log_level. */
export const LOG = { PATH: 1, INSNS: 2, STATS: 4, FIXED: 8, /** PATH or INSNS */ ANY_PATH: 3 } as const;

/** One message is cut at this many bytes. */
const MESSAGE_BYTES = 1024;

// biome-ignore lint/suspicious/noControlCharactersInRegex: the range is "not ASCII"
const NOT_ASCII = /[^\x00-\x7f]/;

/** UTF-8 with one character a byte, so that positions count bytes. */
const toBytes = (text: string): string => (NOT_ASCII.test(text) ? Buffer.from(text, 'utf8').toString('latin1') : text);
/** Pieces kept as they came, to be taken back cheaply; twice as many, and the older half becomes a block of bytes. */
const RECENT_PIECES = 2048;

/** Bytes that were written long ago. */
interface Block {
  readonly at: number;
  readonly bytes: Buffer;
}

/**
 * Text written so far. `write` is the kernel's verbose(): it prints at any non-zero level. Positions count bytes. The
 * buffer holds `size` bytes with the closing NUL; without FIXED it keeps the last ones, else the first ones. Of a log that
 * is longer than a string can be it is the last ones as well.
 * rule: bpf_verifier_vlog, bpf_vlog_reset, bpf_vlog_finalize, log.c, 6.18.
 */
export class VerifierLog {
  readonly level: number;
  readonly size: number;
  /** Bytes that are kept at most. */
  private readonly room: number;
  /** What is kept: older text, in order, then pieces with one character a byte and where each begins. */
  private blocks: Block[] = [];
  private pieces: string[] = [];
  private starts: number[] = [];
  /** The log window: [start, end). */
  private start = 0;
  private end = 0;
  /** Longest text so far with its NUL. */
  private longest = 0;

  constructor(level: number, size: number) {
    this.level = level;
    this.size = size;
    this.room = Math.min(size, constants.MAX_STRING_LENGTH);
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

  /** The same for text that is known to be ASCII. */
  appendAscii(messages: string): void {
    if (this.level !== 0) this.put(messages);
  }

  private put(text: string): void {
    const at = this.end;
    this.end = at + text.length;
    const withNul = this.end + 1;
    if (withNul > this.longest) this.longest = withNul;
    if (this.level & LOG.FIXED) {
      if (at >= this.size - 1) return;
    } else if (withNul - this.start >= this.room) {
      this.start = withNul - this.room;
      if (this.room === 0) return;
    }
    if (text.length === 0) return;
    this.pieces.push(text);
    this.starts.push(at);
    if (this.pieces.length >= 2 * RECENT_PIECES) this.makeBlock();
  }

  /** The older pieces become bytes; forgets what has left the window. */
  private makeBlock(): void {
    const [at] = this.starts;
    const old = this.pieces.splice(0, RECENT_PIECES);
    this.starts.splice(0, RECENT_PIECES);
    this.blocks.push({ at, bytes: Buffer.from(old.join(''), 'latin1') });
    const gone = this.blocks.findIndex(({ at, bytes }) => at + bytes.length > this.start);
    this.blocks.splice(0, gone < 0 ? this.blocks.length : gone);
  }

  /** Forgets all after `position`. */
  rewind(position: number): void {
    if (this.level === 0 || position > this.end) return;
    this.end = position;
    if (this.end < this.start) this.start = this.end;
    for (let last = this.pieces.length - 1; last >= 0; last--) {
      const at = this.starts[last];
      if (at < position) {
        const piece = this.pieces[last];
        if (at + piece.length > position) this.pieces[last] = piece.slice(0, position - at);
        return;
      }
      this.pieces.pop();
      this.starts.pop();
    }
    for (let last = this.blocks.pop(); last !== undefined; last = this.blocks.pop()) {
      if (last.at >= position) continue;
      this.blocks.push({ at: last.at, bytes: last.bytes.subarray(0, position - last.at) });
      return;
    }
  }

  /** All that is still in the window. */
  text(): string {
    return this.window().toString('utf8');
  }

  private window(): Buffer {
    const kept = [...this.blocks.map(({ bytes }) => bytes), Buffer.from(this.pieces.join(''), 'latin1')];
    const first = this.blocks[0]?.at ?? this.starts[0] ?? this.start;
    return (kept.length === 1 ? kept[0] : Buffer.concat(kept)).subarray(Math.max(this.start - first, 0));
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
    const bytes = this.window();
    return (this.level & LOG.FIXED ? bytes.subarray(0, this.room - 1) : bytes).toString('utf8');
  }
}
