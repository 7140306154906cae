// What is told of one verified program: columns of the table, fields of JSON and CSV.
import { CliError } from '../../command.ts';

/** One program of one file. Numbers are what Linux's verifier counts; sizes are bytes. */
export interface Row {
  /** As the command line tells files apart. */
  file: string;
  program: string;
  section: string;
  type: string;
  verdict: 'success' | 'failure';
  /** 0 or a positive error number. */
  errno: number;
  insns: number;
  total_states: number;
  peak_states: number;
  max_states_per_insn: number;
  /** Of several functions the sum. */
  stack_depth: number;
  /** 0 of a refused program. */
  xlated: number;
  jited: number;
  /** Verification alone, in microseconds. */
  time_us: number;
}

export type Column = keyof Row;

interface ColumnSpec {
  /** What veristat calls it. */
  aliases: readonly string[];
  text?: boolean;
  /** Differs from run to run. */
  volatile?: boolean;
}

const SPECS: Readonly<Record<Column, ColumnSpec>> = {
  file: { aliases: ['file_name', 'filename'], text: true },
  program: { aliases: ['prog_name', 'progname', 'prog'], text: true },
  section: { aliases: [], text: true },
  type: { aliases: ['prog_type'], text: true },
  verdict: { aliases: [], text: true },
  errno: { aliases: [] },
  insns: { aliases: ['total_insns'] },
  total_states: { aliases: ['states'] },
  peak_states: { aliases: ['peak'] },
  max_states_per_insn: { aliases: [] },
  stack_depth: { aliases: ['stack'] },
  xlated: { aliases: [] },
  jited: { aliases: ['prog_size_jited'] },
  time_us: { aliases: ['duration', 'dur', 'time'], volatile: true },
};

export const COLUMNS = Object.keys(SPECS) as readonly Column[];

/** The table and CSV unless others are asked for. */
export const USUAL: readonly Column[] = [
  'file',
  'program',
  'verdict',
  'insns',
  'total_states',
  'peak_states',
  'stack_depth',
  'jited',
  'time_us',
];

export const isText = (column: Column): boolean => SPECS[column].text === true;

/** Part of a program's name, not something found out about it. */
export const isName = (column: Column): boolean => column === 'file' || column === 'program';

/** Columns in which two runs can be compared. */
export const COMPARABLE: readonly Column[] = COLUMNS.filter((c) => !isName(c) && !SPECS[c].volatile);

/** A column by its name or veristat's. */
export const findColumn = (name: string): Column | undefined =>
  COLUMNS.find((c) => c === name || SPECS[c].aliases.includes(name));

/** The same for a word of the user's. Throws CliError. */
export function columnNamed(word: string): Column {
  const column = findColumn(word);
  if (column === undefined) throw new CliError(`no column '${word}': there are ${COLUMNS.join(', ')}`);
  return column;
}
