// What differs between a saved run and this one.
import { COMPARABLE, type Column, type Row } from './columns.ts';
import type { SavedRun } from './saved.ts';

export interface Change {
  column: Column;
  base: string | number;
  now: string | number;
}

export interface Comparison {
  file: string;
  program: string;
  state: 'same' | 'changed' | 'added' | 'removed';
  changes: Change[];
}

/** Files of a saved run without file names all have the name ''. */
const keyOf = (file: string | undefined, program: string | undefined): string => `${file ?? ''}\0${program ?? ''}`;

/**
 * Compares in the columns that both have, or in those of `only` among them. `concerns` says whether a saved program
 * that did not turn up now should have.
 */
export function compareRuns(
  saved: SavedRun,
  rows: readonly Row[],
  only: readonly Column[] | undefined,
  concerns: (file: string, program: string) => boolean,
): Comparison[] {
  const columns = COMPARABLE.filter((c) => saved.columns.has(c) && (only === undefined || only.includes(c)));
  const named = saved.columns.has('file');
  const base = new Map(saved.rows.map((row) => [keyOf(row.file, row.program), row]));
  const comparisons = rows.map((row): Comparison => {
    const { file, program } = row;
    const key = keyOf(named ? file : undefined, program);
    const before = base.get(key);
    base.delete(key);
    if (before === undefined) return { file, program, state: 'added', changes: [] };
    const changes = columns.flatMap((column) => {
      const was = before[column];
      return was === undefined || was === row[column] ? [] : [{ column, base: was, now: row[column] }];
    });
    return { file, program, state: changes.length > 0 ? 'changed' : 'same', changes };
  });
  for (const { file = '', program = '' } of base.values()) {
    if (concerns(file, program)) comparisons.push({ file, program, state: 'removed', changes: [] });
  }
  return comparisons;
}

/** Whether a change is for the worse: more of something, or refused now. */
export const isWorse = ({ base, now }: Change): boolean =>
  typeof now === 'number' && typeof base === 'number' ? now > base : now === 'failure';

/** "+12, +3.4%"; empty for text. */
export function differenceText({ base, now }: Change): string {
  if (typeof now !== 'number' || typeof base !== 'number') return '';
  const by = now - base;
  const share = base === 0 ? '' : `, ${by > 0 ? '+' : ''}${((by / base) * 100).toFixed(1)}%`;
  return `${by > 0 ? '+' : ''}${by}${share}`;
}
