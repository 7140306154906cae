// What a run of generated programs came to.
import { ERRNO } from '../../src/errno.ts';
import type { Difference } from './compare.ts';
import type { FuzzProgram } from './program.ts';
import type { Outcome } from './sides.ts';

interface Row {
  programs: number;
  accepted: number;
  tooLong: number;
  differences: number;
}

function lastLine(log: string): string {
  const lines = log
    .split('\n')
    .filter((line) => line !== '' && !/^(processed|stack depth|verification time) /.test(line));
  return (lines.at(-1) ?? '').replace(/-?\b(0x[0-9a-f]+|\d+)\b/g, 'N').replace(/\bR\d+/g, 'RN');
}

export class Tally {
  private readonly rows = new Map<string, Row>();
  private readonly errors = new Map<string, number>();
  private readonly reasons = new Map<string, number>();
  private readonly kinds = new Map<string, number>();
  private readonly started = performance.now();
  private processed = 0;
  differences = 0;

  private row(type: string): Row {
    let row = this.rows.get(type);
    if (row === undefined) {
      row = { programs: 0, accepted: 0, tooLong: 0, differences: 0 };
      this.rows.set(type, row);
    }
    return row;
  }

  tooLong(program: FuzzProgram): void {
    this.row(program.type).tooLong++;
  }

  add(program: FuzzProgram, real: Outcome, difference: Difference | undefined, processed: number): void {
    const row = this.row(program.type);
    row.programs++;
    this.processed += processed;
    if (real.errno === 0) row.accepted++;
    else {
      const name = Object.entries(ERRNO).find(([, n]) => n === real.errno)?.[0] ?? String(real.errno);
      this.errors.set(name, (this.errors.get(name) ?? 0) + 1);
      const reason = lastLine(real.log) || name;
      this.reasons.set(reason, (this.reasons.get(reason) ?? 0) + 1);
    }
    if (difference === undefined) return;
    row.differences++;
    this.differences++;
    this.kinds.set(difference.what, (this.kinds.get(difference.what) ?? 0) + 1);
  }

  /** The most frequent last lines of logs, numbers replaced by N. */
  reasonText(most: number): string {
    const list = [...this.reasons].sort((a, b) => b[1] - a[1]).slice(0, most);
    return list.map(([reason, n]) => `${String(n).padStart(6)}  ${reason}\n`).join('');
  }

  /** All of it in one line. */
  summary(): string {
    const rows = [...this.rows.values()];
    const sum = (key: keyof Row): number => rows.reduce((n, row) => n + row[key], 0);
    return (
      `${sum('programs')} programs of ${rows.length} types, ${sum('accepted')} of them accepted; ` +
      `${this.processed} instructions processed; ${this.differences} different`
    );
  }

  /** The table, with a line for each program type. */
  text(title: string): string {
    const head = ['type', 'programs', 'accepted', 'too long', 'differences'];
    const sum: Row = { programs: 0, accepted: 0, tooLong: 0, differences: 0 };
    const cells = (name: string, row: Row): string[] => [
      name,
      `${row.programs}`,
      `${row.accepted} (${Math.round((100 * row.accepted) / Math.max(1, row.programs))} %)`,
      `${row.tooLong}`,
      `${row.differences}`,
    ];
    const lines = [...this.rows].sort().map(([type, row]) => {
      for (const key of ['programs', 'accepted', 'tooLong', 'differences'] as const) sum[key] += row[key];
      return cells(type, row);
    });
    const all = [head, ...lines, cells('all', sum)];
    const widths = head.map((_, i) => Math.max(...all.map((line) => line[i].length)));
    const table = all.map((line) =>
      line.map((cell, i) => (i ? cell.padStart(widths[i]) : cell.padEnd(widths[i]))).join('  '),
    );
    const list = (map: Map<string, number>): string =>
      [...map]
        .sort((a, b) => b[1] - a[1])
        .map(([name, n]) => `${name} ${n}`)
        .join(', ') || 'none';
    const seconds = (performance.now() - this.started) / 1000;
    return `${title}\n${table.join('\n')}\nrefused with: ${list(this.errors)}\ndifferent: ${list(this.kinds)}\n${this.processed} instructions processed, ${seconds.toFixed(0)} s, ${(sum.programs / seconds).toFixed(0)} programs/s\n`;
  }
}
