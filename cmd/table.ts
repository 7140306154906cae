// --table (ours): listings as a table with borders.

/** Text of a table; cells may hold several lines. */
export async function tableOf(head: readonly string[], rows: readonly string[][]): Promise<string> {
  const { default: Table } = await import('cli-table3');
  const table = new Table({ head: [...head], style: { head: [], border: [] } });
  for (const row of rows) table.push(row);
  return `${table.toString()}\n`;
}
