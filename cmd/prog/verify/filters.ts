// `filter EXPR`: which programs are verified, and which of them are told of. EXPR is FILE[/PROGRAM] with * and ?, or a
// column and what it is compared with; a leading ! leaves out what fits.
import { CliError } from '../../command.ts';
import { type Column, columnNamed, isText, type Row } from './columns.ts';
import { matches, matchesProgram } from './glob.ts';

interface NameFilter {
  pattern: string;
  not: boolean;
}

interface ValueFilter {
  column: Column;
  operator: string;
  value: string;
  not: boolean;
}

const COMPARISON = /^(\w+)(<=|>=|!=|==|=|<|>)(.*)$/;

export class Filters {
  private readonly names: NameFilter[] = [];
  private readonly values: ValueFilter[] = [];

  /** Throws CliError where `expression` makes no sense. */
  add(expression: string): void {
    const not = expression.startsWith('!');
    const text = not ? expression.slice(1) : expression;
    const [, name, operator, value] = COMPARISON.exec(text) ?? [];
    if (name === undefined) {
      if (text === '') throw new CliError('an empty filter');
      this.names.push({ pattern: text, not });
      return;
    }
    const column = columnNamed(name);
    if (isText(column) && /[<>]/.test(operator)) throw new CliError(`'${name}' is no number: '${expression}'`);
    if (!isText(column) && !/^\d+$/.test(value)) throw new CliError(`can't parse ${value} as number: '${expression}'`);
    this.values.push({ column, operator, value, not });
  }

  /** Whether a program of a file is to be verified; without a name, whether any of the file's may be. */
  wants(file: string, program: string): boolean {
    const allowed = this.names.filter(({ not }) => !not);
    if (this.names.some(({ pattern, not }) => not && matchesProgram(pattern, file, program))) return false;
    return allowed.length === 0 || allowed.some(({ pattern }) => matchesProgram(pattern, file, program));
  }

  /** Whether a result is to be told of. */
  shows(row: Row): boolean {
    return this.values.every((filter) => fits(filter, row) !== filter.not);
  }
}

function fits({ column, operator, value }: ValueFilter, row: Row): boolean {
  const cell = row[column];
  if (typeof cell === 'string') return matches(value, cell) === (operator !== '!=');
  const number = Number(value);
  switch (operator) {
    case '<':
      return cell < number;
    case '<=':
      return cell <= number;
    case '>':
      return cell > number;
    case '>=':
      return cell >= number;
    case '!=':
      return cell !== number;
    default:
      return cell === number;
  }
}
