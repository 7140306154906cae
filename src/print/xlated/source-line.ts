// A source line beside the instructions made from it, in each of bpftool's forms.
import type { Btf } from '../../btf/btf.ts';
import type { JsonWriter } from '../json.ts';
import type { SourceLine } from './program-lines.ts';

/** A string of the BTF; undefined where the offset is outside of it. */
function stringAt(btf: Btf, offset: number): string | undefined {
  try {
    return btf.str(offset);
  } catch {
    return undefined;
  }
}

const trimLeft = (text: string): string => text.replace(/^[ \t\n\v\f\r]+/, '');

/** The text of the line, without its indentation; empty if there is none. */
export const sourceText = (btf: Btf, line: SourceLine): string => trimLeft(stringAt(btf, line.lineOff) ?? '');

/** Where the line is; `file` is empty if it is not known. */
export const sourcePlace = (btf: Btf, line: SourceLine): { file: string; line: number; column: number } => ({
  file: stringAt(btf, line.fileNameOff) ?? '',
  line: line.line,
  column: line.column,
});

/** `; source`, with `[file:F line_num:L line_col:C]` after it if `linum`; ends its line. Empty if there is no text. */
export function sourceLineText(btf: Btf, line: SourceLine, linum: boolean): string {
  const text = stringAt(btf, line.lineOff);
  if (text === undefined) return '';
  if (!linum) return `; ${trimLeft(text)}\n`;
  const file = stringAt(btf, line.fileNameOff) ?? '';
  return `; ${trimLeft(text)} [file:${file} line_num:${line.line} line_col:${line.column}]\n`;
}

/** The members `src` and, if `linum`, `file`, `line_num` and `line_col` of the object being written. */
export function writeSourceLine(json: JsonWriter, btf: Btf, line: SourceLine, linum: boolean): void {
  const text = stringAt(btf, line.lineOff);
  if (text !== undefined) json.field('src', trimLeft(text));
  if (!linum) return;
  const file = stringAt(btf, line.fileNameOff);
  if (file !== undefined) json.field('file', file);
  if (line.line) json.field('line_num', line.line);
  if (line.column) json.field('line_col', line.column);
}

const escapeLabel = (text: string): string => text.replace(/[\\"{}<>| ]/g, '\\$&');

/** Longer paths than this lose their beginning in a graph. */
const MAX_PATH = 32;

/** A path cut at a slash, and whether something was cut. */
function shortenPath(path: string): { text: string; cut: boolean } {
  if (path.length <= MAX_PATH) return { text: path, cut: false };
  const near = path.indexOf('/', path.length - MAX_PATH);
  if (near >= 0) return near < 3 ? { text: path, cut: false } : { text: path.slice(near), cut: true };
  const last = path.lastIndexOf('/');
  return last > 0 ? { text: path.slice(last), cut: true } : { text: path, cut: false };
}

/** Rows of a DOT record label, each ended by `\l\` and a newline. */
export function sourceLineLabel(btf: Btf, line: SourceLine, linum: boolean): string {
  const text = stringAt(btf, line.lineOff);
  if (!text) return '';
  const row = `; ${escapeLabel(trimLeft(text))}\\l\\\n`;
  if (!linum) return row;
  const file = stringAt(btf, line.fileNameOff);
  const { text: path, cut } = file === undefined ? { text: '', cut: true } : shortenPath(file);
  return `; [${cut ? '...' : ''}${escapeLabel(path)} line:${line.line} col:${line.column}]\\l\\\n${row}`;
}
