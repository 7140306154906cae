// The words of `prog verify`: files first, then keywords, which may stand between files.
import { existsSync } from 'node:fs';
import { CliError } from '../../command.ts';
import { needWords, parseU32 } from '../../words.ts';
import { type Column, columnNamed } from './columns.ts';
import { Filters } from './filters.ts';

export interface SortKey {
  column: Column;
  descending: boolean;
}

export interface VerifyArguments {
  files: string[];
  /** Names of the programs to verify; empty: all. */
  programs: string[];
  /** Log to print of every program; undefined: that of refused ones. */
  level: number | undefined;
  columns: readonly Column[] | undefined;
  sort: readonly SortKey[];
  filters: Filters;
  /** Percent that a written budget is greater than what programs take now. */
  headroom: number;
}

const KEYWORDS = ['program', 'log_level', 'columns', 'sort', 'filter', 'headroom'] as const;

const listOf = (word: string): string[] => word.split(',').filter((part) => part !== '');

function sortKey(word: string): SortKey {
  const [name, direction = 'asc', ...rest] = word.split(':');
  if (rest.length > 0 || !['asc', 'desc'].includes(direction)) {
    throw new CliError(`expected COLUMN, COLUMN:asc or COLUMN:desc, got: '${word}'?`);
  }
  return { column: columnNamed(name), descending: direction === 'desc' };
}

/** Throws CliError. */
export function parseArguments(words: readonly string[], previous: string): VerifyArguments {
  needWords(words, 1, previous);
  const left = [...words];
  const files = [left.shift() as string];
  const found: VerifyArguments = {
    files,
    programs: [],
    level: undefined,
    columns: undefined,
    sort: [],
    filters: new Filters(),
    headroom: 0,
  };
  for (let word = left.shift(); word !== undefined; word = left.shift()) {
    const typed = word;
    const keyword = existsSync(typed) ? undefined : KEYWORDS.find((k) => k.startsWith(typed));
    if (keyword === undefined) {
      files.push(typed);
      continue;
    }
    needWords(left, 1, typed);
    const value = left.shift() as string;
    if (keyword === 'program') found.programs.push(value);
    else if (keyword === 'log_level') found.level = parseU32(value, 'log level');
    else if (keyword === 'columns') found.columns = listOf(value).map(columnNamed);
    else if (keyword === 'sort') found.sort = listOf(value).map(sortKey);
    else if (keyword === 'filter') found.filters.add(value);
    else found.headroom = parseU32(value, 'percent');
  }
  return found;
}

/** Order of two values of one column; numbers by size, text by its characters. */
const order = (a: string | number, b: string | number): number => (a < b ? -1 : a > b ? 1 : 0);

/** Sorts in place; what is equal stays in the order of the files. */
export function sortBy<T>(
  items: T[],
  keys: readonly SortKey[],
  cell: (item: T, column: Column) => string | number,
): void {
  if (keys.length === 0) return;
  items.sort((a, b) => {
    for (const { column, descending } of keys) {
      const by = order(cell(a, column), cell(b, column));
      if (by !== 0) return descending ? -by : by;
    }
    return 0;
  });
}
