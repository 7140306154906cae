// --table (ours): listings as a table with borders.

export interface TableStyle {
  /** Of the columns; left unless given. */
  alignments?: readonly ('left' | 'right')[];
  /** No lines between rows. */
  compact?: boolean;
}

/** Text of a table; cells may hold several lines. */
export async function tableOf(
  head: readonly string[],
  rows: readonly string[][],
  { alignments = [], compact = false }: TableStyle = {},
): Promise<string> {
  const { default: Table } = await import('cli-table3');
  const table = new Table({
    head: [...head],
    style: { head: [], border: [], compact },
    colAligns: [...alignments],
  });
  for (const row of rows) table.push(row);
  return `${table.toString()}\n`;
}
