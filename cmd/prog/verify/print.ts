// Results as a table, CSV or JSON.
import { styleText } from 'node:util';
import type { CommandContext } from '../../command.ts';
import { tableOf } from '../../table.ts';
import type { Budget } from './budget.ts';
import { COLUMNS, type Column, isText, type Row, USUAL } from './columns.ts';
import { type Change, type Comparison, differenceText, isWorse } from './compare.ts';
import { csvLine } from './csv.ts';
import type { Verdict } from './verdict.ts';

const alignmentOf = (column: Column): 'left' | 'right' => (isText(column) ? 'left' : 'right');

/** Colours, where standard output is a terminal that wants them. */
const coloured = (colour: 'red' | 'green' | 'yellow', text: string): string =>
  styleText(colour, text, { stream: process.stdout });

const cellText = (row: Row, column: Column): string =>
  column === 'verdict' && row.errno !== 0 ? coloured('red', row.verdict) : String(row[column]);

function printJson(
  context: CommandContext,
  verdicts: readonly Verdict[],
  columns: readonly Column[],
  budget?: Budget,
): void {
  const { json } = context;
  if (!json) return;
  json.startArray();
  for (const { row, log } of verdicts) {
    json.startObject();
    for (const column of columns) json.field(column, row[column]);
    const limit = budget?.of(row);
    if (limit !== undefined) json.field('budget', limit).field('over_budget', row.insns > limit);
    json.field('log', log).endObject();
  }
  json.endArray();
}

/** The results themselves; in a table the logs of those programs follow that `logs` names. */
export async function printRows(
  context: CommandContext,
  verdicts: readonly Verdict[],
  asked: readonly Column[] | undefined,
  logs: 'all' | 'refused' | 'none',
  budget?: Budget,
): Promise<void> {
  if (context.json) {
    printJson(context, verdicts, asked ?? COLUMNS, budget);
    return;
  }
  const columns = asked ?? USUAL;
  if (context.options.csv) {
    context.out(csvLine(columns));
    for (const { row } of verdicts) context.out(csvLine(columns.map((c) => row[c])));
    return;
  }
  const rows = verdicts.map(({ row }) => columns.map((c) => cellText(row, c)));
  context.out(await tableOf(columns, rows, { alignments: columns.map(alignmentOf), compact: true }));
  for (const { row, log } of verdicts) {
    if (log !== '' && (logs === 'all' || (logs === 'refused' && row.errno !== 0)))
      context.out(`\n${row.program}:\n${log.replace(/^(?=.)/gm, '\t')}`);
  }
}

function changeText(change: Change): string {
  const by = differenceText(change);
  return coloured(isWorse(change) ? 'red' : 'green', `${change.base} -> ${change.now}${by === '' ? '' : ` (${by})`}`);
}

const stateText = ({ state, changes }: Comparison): string =>
  state === 'changed' ? `changed: ${changes.map(({ column }) => column).join(', ')}` : state;

function comparisonJson(context: CommandContext, comparisons: readonly Comparison[]): void {
  const { json } = context;
  if (!json) return;
  json.startArray();
  for (const { file, program, state, changes } of comparisons) {
    json.startObject().field('file', file).field('program', program).field('state', state);
    json.name('changes').startObject();
    for (const { column, base, now } of changes) {
      json.name(column).startObject().field('base', base).field('now', now).endObject();
    }
    json.endObject().endObject();
  }
  json.endArray();
}

function comparisonCsv(context: CommandContext, comparisons: readonly Comparison[]): void {
  context.out(csvLine(['file', 'program', 'state', 'column', 'base', 'now']));
  for (const { file, program, state, changes } of comparisons) {
    if (changes.length === 0) context.out(csvLine([file, program, state, '', '', '']));
    for (const { column, base, now } of changes) context.out(csvLine([file, program, state, column, base, now]));
  }
}

/** What differs from the saved run: in JSON and CSV all programs, in the table those that are not the same. */
export async function printComparison(context: CommandContext, comparisons: readonly Comparison[]): Promise<void> {
  if (context.json) return comparisonJson(context, comparisons);
  if (context.options.csv) return comparisonCsv(context, comparisons);
  const differing = comparisons.filter(({ state }) => state !== 'same');
  const columns = COLUMNS.filter((c) => differing.some(({ changes }) => changes.some(({ column }) => column === c)));
  const rows = differing.map((comparison) => [
    comparison.file,
    comparison.program,
    comparison.state === 'changed' ? comparison.state : coloured('yellow', stateText(comparison)),
    ...columns.map((c) => {
      const change = comparison.changes.find(({ column }) => column === c);
      return change ? changeText(change) : '';
    }),
  ]);
  if (rows.length > 0) context.out(await tableOf(['file', 'program', 'state', ...columns], rows, { compact: true }));
  const count = (state: Comparison['state']): number => comparisons.filter((c) => c.state === state).length;
  const counts = (['same', 'changed', 'added', 'removed'] as const).map((state) => `${count(state)} ${state}`);
  context.out(`${comparisons.length} programs: ${counts.join(', ')}\n`);
}
