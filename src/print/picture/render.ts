// The flow of a program as a picture, laid out by Graphviz.
import { writeFileSync } from 'node:fs';
import { toDot } from 'ts-graphviz';
import { toFile } from 'ts-graphviz/adapter';
import type { XlatedOptions, XlatedProgram } from '../xlated.ts';
import { pictureOf } from './model.ts';

/** Formats by the end of the file's name; all can be made with Graphviz installed. */
const FORMATS = { svg: 'svg', png: 'png', pdf: 'pdf', dot: 'dot' } as const;

type Format = keyof typeof FORMATS;

/** The picture cannot be made: the sentence says why. */
export class RenderError extends Error {}

const message = (e: unknown): string => (e instanceof Error ? e.message : String(e));

/** Without a `dot` program: the WebAssembly build of Graphviz, which makes SVG. */
async function renderWithout(dot: string, path: string, format: Format, reason: string): Promise<void> {
  if (format !== 'svg') throw new RenderError(`can't make ${path}: Graphviz is not installed (${reason})`);
  try {
    const { instance } = await import('@viz-js/viz');
    writeFileSync(path, (await instance()).renderString(dot, { format: 'svg' }));
  } catch (e) {
    throw new RenderError(`can't make ${path}: ${message(e)}`);
  }
}

/** Writes the picture of a program to `path`, whose ending says the format. Throws RenderError. */
export async function renderPicture(program: XlatedProgram, options: XlatedOptions, path: string): Promise<void> {
  const ending = path.slice(path.lastIndexOf('.') + 1).toLowerCase();
  if (!Object.hasOwn(FORMATS, ending))
    throw new RenderError(`can't tell the format of ${path}: expected .svg, .png, .pdf or .dot`);
  const format = ending as Format;
  const dot = toDot(pictureOf(program, options));
  try {
    await toFile(dot, path, { format: FORMATS[format] });
  } catch (e) {
    await renderWithout(dot, path, format, message(e));
  }
}
