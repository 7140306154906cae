// A bar on the terminal while many programs are verified.

/** The part of a terminal's stream that a bar needs. */
export interface Terminal {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

const BAR = 30;
/** Milliseconds between two drawings. */
const PAUSE = 50;
const CLEAR = '\r\x1b[K';

export class Progress {
  private readonly terminal: Terminal | undefined;
  private readonly total: number;
  private drawn = Number.NEGATIVE_INFINITY;

  /** Draws nothing unless `terminal` is one. */
  constructor(total: number, terminal: Terminal) {
    this.total = total;
    this.terminal = terminal.isTTY ? terminal : undefined;
  }

  /** `done` steps are done, `what` comes next. */
  show(done: number, what: string, now: number = performance.now()): void {
    if (!this.terminal || now - this.drawn < PAUSE) return;
    this.drawn = now;
    const full = this.total === 0 ? BAR : Math.floor((done / this.total) * BAR);
    const line = `[${'#'.repeat(full)}${'.'.repeat(BAR - full)}] ${done}/${this.total} ${what}`;
    this.terminal.write(CLEAR + line.slice(0, Math.max(10, (this.terminal.columns || 80) - 1)));
  }

  /** Makes room for what else is written. */
  clear(): void {
    if (this.drawn === Number.NEGATIVE_INFINITY) return;
    this.terminal?.write(CLEAR);
    this.drawn = Number.NEGATIVE_INFINITY;
  }
}
