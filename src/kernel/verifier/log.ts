// The verifier log as a byte buffer with a position, as the kernel keeps it: what a branch wrote can be taken back.

/** Bits of log_level. */
export const LOG = { PATH: 1, INSNS: 2, STATS: 4, FIXED: 8, /** PATH or INSNS */ ANY_PATH: 3 } as const;

/** One message is cut at this many bytes. */
const MESSAGE_BYTES = 1024;

/**
 * Text written so far. `write` is the kernel's verbose(): it prints at any non-zero level. Positions count bytes; all
 * text is Latin-1 as far as counting goes, so positions are string lengths.
 */
export class VerifierLog {
  readonly level: number;
  readonly size: number;
  /** Everything since the last rewind; the final rotation or cut to `size` happens in finish(). */
  private chunks: string[] = [];
  private length = 0;
  private peak = 0;

  constructor(level: number, size: number) {
    this.level = level;
    this.size = size;
  }

  get endPos(): number {
    return this.length;
  }

  wants(bits: number): boolean {
    return (this.level & bits) !== 0;
  }

  write(message: string): void {
    if (this.level === 0) return;
    const text = message.length >= MESSAGE_BYTES ? message.slice(0, MESSAGE_BYTES - 1) : message;
    if (text.length === 0) return;
    this.chunks.push(text);
    this.length += text.length;
    if (this.length > this.peak) this.peak = this.length;
  }

  /** Forgets all after `position` (bpf_vlog_reset). */
  rewind(position: number): void {
    while (this.length > position) {
      const last = this.chunks.pop() as string;
      this.length -= last.length;
      if (this.length < position) {
        this.chunks.push(last.slice(0, position - this.length));
        this.length = position;
      }
    }
  }

  text(): string {
    return this.chunks.join('');
  }

  /** Bytes that would have held the longest text, with its NUL; 0 without a log. */
  get trueSize(): number {
    return this.level === 0 ? 0 : this.peak + 1;
  }

  /** What the caller's buffer holds at the end: the last bytes, or with FIXED the first ones, of what was written. */
  finish(): string {
    const text = this.text();
    const room = Math.max(this.size - 1, 0);
    if (text.length <= room) return text;
    return this.level & LOG.FIXED ? text.slice(0, room) : text.slice(text.length - room);
  }
}
