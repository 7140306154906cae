// `prog dump source` (ours): C, BPF, translated BPF and machine code side by side.
import type { ProgSource } from '../../syscall.ts';
import { type JitedOptions, loadDisassembler } from '../jited.ts';
import type { JsonWriter } from '../json.ts';
import type { XlatedProgram } from '../xlated.ts';
import { type SourceGroup, type SourceInsn, sourceGroups } from './groups.ts';

/** Longest text of a column; what is longer is cut. */
const WIDEST = { bpf: 44, xlated: 52 } as const;
const GAP = '  ';

const cut = (text: string, width: number): string => (text.length > width ? `${text.slice(0, width - 1)}…` : text);

const decimal = ({ at, text }: SourceInsn): string => `${String(at).padStart(4)}: ${text}`;
const hexadecimal = ({ at, text }: SourceInsn): string => `${at.toString(16).padStart(4)}: ${text}`;

/** Each loaded instruction in the row of what became of it, as far as their order allows. */
function besideTranslated({ bpf, xlated }: SourceGroup): string[] {
  const rows: string[] = [];
  for (const insn of bpf) {
    const row = xlated.findIndex(({ at }) => at === insn.becomes);
    while (rows.length < row) rows.push('');
    rows.push(decimal(insn));
  }
  return rows;
}

async function groupsOf(program: XlatedProgram, source: ProgSource | undefined, options: JitedOptions) {
  return sourceGroups(program, source, await loadDisassembler(options.arch));
}

/** A function's prototype, then for each source line a line of its own and under it the three columns. */
export async function printSource(
  program: XlatedProgram,
  source: ProgSource | undefined,
  options: JitedOptions,
  write: (text: string) => void,
): Promise<void> {
  const groups = await groupsOf(program, source, options);
  const columns = groups.map((group) => ({
    bpf: besideTranslated(group).map((t) => cut(t, WIDEST.bpf)),
    xlated: group.xlated.map(decimal).map((t) => cut(t, WIDEST.xlated)),
    jited: group.jited.map(hexadecimal),
  }));
  const width = (column: 'bpf' | 'xlated', head: string): number =>
    Math.max(head.length, ...columns.flatMap((c) => c[column].map((t) => t.length)));
  const bpf = source ? width('bpf', 'BPF') : 0;
  const xlated = width('xlated', 'translated');
  const row = (a: string, b: string, c: string): string =>
    `${source ? a.padEnd(bpf) + GAP : ''}${b.padEnd(xlated)}${GAP}${c}`.trimEnd();
  write(`${row('BPF', 'translated', 'machine code')}\n`);
  let last = '';
  for (const [i, group] of groups.entries()) {
    if (group.proto !== '') write(`\n${group.proto}:\n`);
    const line = heading(group);
    if (line !== last && line !== '') write(`${line}\n`);
    last = line;
    const { bpf: a, xlated: b, jited: c } = columns[i];
    for (let r = 0; r < Math.max(a.length, b.length, c.length); r++) {
      write(`${row(a[r] ?? '', b[r] ?? '', c[r] ?? '')}\n`);
    }
  }
}

const heading = ({ source, file, line }: SourceGroup): string =>
  line === 0 && source === '' ? '' : `; ${file.slice(file.lastIndexOf('/') + 1)}:${line}: ${source}`;

/** An array with an object for each line record. */
export async function writeSource(
  program: XlatedProgram,
  source: ProgSource | undefined,
  options: JitedOptions,
  json: JsonWriter,
): Promise<void> {
  const list = (name: string, insns: readonly SourceInsn[]): void => {
    json.name(name).startArray();
    for (const { at, text } of insns) {
      json.startObject();
      json.field('at', at).field('disasm', text);
      json.endObject();
    }
    json.endArray();
  };
  json.startArray();
  for (const group of await groupsOf(program, source, options)) {
    json.startObject();
    if (group.proto !== '') json.field('proto', group.proto);
    if (group.line !== 0) {
      json.field('src', group.source).field('file', group.file).field('line_num', group.line);
      json.field('line_col', group.column);
    }
    if (source) list('bpf', group.bpf);
    list('xlated', group.xlated);
    list('jited', group.jited);
    json.endObject();
  }
  json.endArray();
}
