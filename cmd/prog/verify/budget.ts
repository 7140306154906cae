// Budgets: how many instructions of Linux's million a program may take. A file of lines "FILE/PROGRAM COUNT", or a JSON
// object of the same; names may hold * and ?, a count may be a share such as 5%. The first name that fits counts, an
// exact one before all others.
import { writeFileSync } from 'node:fs';
import { CliError } from '../../command.ts';
import type { Row } from './columns.ts';
import { matches } from './glob.ts';
import { readText } from './saved.ts';

/** Instructions that Linux walks at most, all paths together. */
const MILLION = 1_000_000;

const nameOf = ({ file, program }: Row): string => `${file}/${program}`;

function countOf(text: string, path: string): number {
  const [, digits, percent] = /^(\d+(?:\.\d+)?)(%?)$/.exec(text) ?? [];
  const count = percent ? Math.floor((Number(digits) / 100) * MILLION) : Number(digits);
  if (digits === undefined || !Number.isInteger(count))
    throw new CliError(`'${path}': no number of instructions: '${text}'`);
  return count;
}

function parseJson(text: string, path: string): [string, string][] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new CliError(`'${path}' is no JSON`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new CliError(`'${path}' is no object of budgets`);
  }
  return Object.entries(value).map(([name, count]) => [name, String(count)]);
}

function parseLines(text: string, path: string): [string, string][] {
  return text.split('\n').flatMap((line): [string, string][] => {
    const words = line.replace(/#.*/, '').trim();
    if (words === '') return [];
    const [, name, count] = /^(.*\S)\s+(\S+)$/.exec(words) ?? [];
    if (name === undefined) throw new CliError(`'${path}': expected FILE/PROGRAM COUNT, got: '${words}'`);
    return [[name, count]];
  });
}

export class Budget {
  private readonly exact = new Map<string, number>();
  private readonly patterns: [pattern: string, count: number][] = [];

  /** Throws CliError where the file cannot be read or makes no sense. */
  constructor(path: string) {
    const text = readText(path);
    for (const [name, count] of /^\s*\{/.test(text) ? parseJson(text, path) : parseLines(text, path)) {
      if (/[*?]/.test(name)) this.patterns.push([name, countOf(count, path)]);
      else this.exact.set(name, countOf(count, path));
    }
  }

  /** Instructions that the program may take; undefined: nothing is said of it. */
  of(row: Row): number | undefined {
    const name = nameOf(row);
    return this.exact.get(name) ?? this.patterns.find(([pattern]) => matches(pattern, name))?.[1];
  }
}

/**
 * Writes what the accepted programs take now, and `headroom` percent more, as a budget: JSON if the file is called so.
 * Throws CliError.
 */
export function writeBudget(path: string, rows: readonly Row[], headroom: number): void {
  const entries = rows
    .filter(({ errno }) => errno === 0)
    .map((row): [string, number] => [nameOf(row), Math.min(Math.ceil((row.insns * (100 + headroom)) / 100), MILLION)])
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const text = path.endsWith('.json')
    ? `${JSON.stringify(Object.fromEntries(entries), undefined, 2)}\n`
    : entries.map(([name, count]) => `${name} ${count}\n`).join('');
  try {
    writeFileSync(path, text);
  } catch (e) {
    throw new CliError(`can't write '${path}': ${(e as Error).message}`);
  }
}
