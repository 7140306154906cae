// A run that was saved: the JSON or CSV that `prog verify` printed, or the CSV of veristat.
import { readFileSync } from 'node:fs';
import { CliError } from '../../command.ts';
import { type Column, findColumn, isText, type Row } from './columns.ts';
import { parseCsv } from './csv.ts';

export interface SavedRun {
  columns: ReadonlySet<Column>;
  rows: Partial<Row>[];
}

function cellOf(column: Column, value: unknown, path: string): string | number {
  if (isText(column)) return String(value);
  const number = Number(value);
  if (!Number.isFinite(number) || value === '' || value === null) {
    throw new CliError(`'${path}': '${column}' is no number: '${value}'`);
  }
  return number;
}

function fromRecords(records: readonly (readonly [string, unknown][])[], path: string): SavedRun {
  const columns = new Set<Column>();
  const rows = records.map((record) => {
    const row: Partial<Record<Column, string | number>> = {};
    for (const [name, value] of record) {
      const column = findColumn(name);
      if (column === undefined) continue;
      columns.add(column);
      row[column] = cellOf(column, value, path);
    }
    return row as Partial<Row>;
  });
  if (rows.length > 0 && !columns.has('program')) throw new CliError(`'${path}' names no programs`);
  return { columns, rows };
}

function jsonRecords(text: string, path: string): [string, unknown][][] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new CliError(`'${path}' is no JSON`);
  }
  const isRecord = (x: unknown): x is object => typeof x === 'object' && x !== null && !Array.isArray(x);
  if (!Array.isArray(value) || !value.every(isRecord)) throw new CliError(`'${path}' is no array of programs`);
  return value.map((record) => Object.entries(record));
}

function csvRecords(text: string): [string, unknown][][] {
  const [head = [], ...lines] = parseCsv(text);
  return lines.map((cells) => head.map((name, i) => [name, cells[i] ?? '']));
}

/** A text file of the user's. Throws CliError. */
export function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (e) {
    throw new CliError(`can't read '${path}': ${(e as Error).message}`);
  }
}

/** Throws CliError where the file cannot be read or makes no sense. */
export function readSaved(path: string): SavedRun {
  const text = readText(path);
  return fromRecords(/^\s*[[{]/.test(text) ? jsonRecords(text, path) : csvRecords(text), path);
}
