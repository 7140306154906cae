// The control flow graph of a program as a picture: the DOT text of `visual`, laid out by Graphviz.
import { writeFileSync } from 'node:fs';
import { toFile } from 'ts-graphviz/adapter';
import type { XlatedOptions, XlatedProgram } from '../xlated.ts';
import { printXlatedGraph } from './graph.ts';

/** Formats by the end of the file's name; all can be made with Graphviz installed. */
const FORMATS = { svg: 'svg', png: 'png', pdf: 'pdf', dot: 'dot' } as const;

type Format = keyof typeof FORMATS;

/** The picture cannot be made: the sentence says why. */
export class RenderError extends Error {}

/** Monospaced text, so that the instructions of a block stand in columns. */
const STYLE = 'node [fontname="monospace",fontsize=10,fillcolor="white"];\n';

const message = (e: unknown): string => (e instanceof Error ? e.message : String(e));

/** Without a `dot` program: the WebAssembly build of Graphviz, which makes SVG. */
async function renderWithout(dot: string, path: string, format: Format, reason: string): Promise<void> {
  if (format !== 'svg') throw new RenderError(`can't make ${path}: Graphviz is not installed (${reason})`);
  try {
    const { renderGraphFromSource } = await import('graphviz-cli');
    writeFileSync(path, await renderGraphFromSource({ input: dot }, { format: 'svg' }));
  } catch (e) {
    throw new RenderError(`can't make ${path}: ${message(e)}`);
  }
}

/** Writes the graph of a program to `path`, whose ending says the format. Throws RenderError. */
export async function renderProgramGraph(program: XlatedProgram, options: XlatedOptions, path: string): Promise<void> {
  const ending = path.slice(path.lastIndexOf('.') + 1).toLowerCase();
  if (!(ending in FORMATS))
    throw new RenderError(`can't tell the format of ${path}: expected .svg, .png, .pdf or .dot`);
  const format = ending as Format;
  const chunks: string[] = [];
  printXlatedGraph(program, options, (text) => chunks.push(text));
  const dot = chunks.join('').replace('{\n', `{\n${STYLE}`);
  try {
    await toFile(dot, path, { format: FORMATS[format] });
  } catch (e) {
    await renderWithout(dot, path, format, message(e));
  }
}
