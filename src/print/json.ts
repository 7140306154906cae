// JSON in bpftool's own layout: compact without spaces, or one member a line with four spaces a level.

/** Characters that are escaped, and how; all others are written as they are. */
export const JSON_ESCAPES: Readonly<Record<string, string>> = {
  '\t': '\\t',
  '\n': '\\n',
  '\r': '\\r',
  '\f': '\\f',
  '\b': '\\b',
  '\\': '\\\\',
  '"': '\\"',
};

const quote = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: bpftool escapes exactly these
  `"${text.replace(/[\t\n\r\f\x08\\"]/g, (c) => JSON_ESCAPES[c])}"`;

/** Values that `value` writes by themselves. */
export type JsonScalar = string | number | bigint | boolean | null;

/** How a value has to be laid out that somebody else writes into a document. */
export interface JsonPlace {
  pretty: boolean;
  /** Objects and arrays around it. */
  depth: number;
}

/**
 * Streams one JSON document as text pieces. Like bpftool's writer it does not check that names and values alternate:
 * what the real tool prints can be printed. `finish` ends the document with a newline.
 */
export class JsonWriter {
  private readonly write: (text: string) => void;
  private readonly pretty: boolean;
  private depth = 0;
  private separator = '';

  constructor(write: (text: string) => void, pretty: boolean) {
    this.write = write;
    this.pretty = pretty;
  }

  private separate(): void {
    if (this.separator) this.write(this.separator);
    this.separator = ',';
  }

  private endLine(): void {
    if (this.pretty) this.write(`\n${'    '.repeat(this.depth)}`);
  }

  private begin(bracket: string): this {
    this.separate();
    this.write(bracket);
    this.depth++;
    this.separator = '';
    return this;
  }

  private end(bracket: string): this {
    this.depth--;
    if (this.separator) this.endLine();
    this.write(bracket);
    this.separator = ',';
    return this;
  }

  startObject(): this {
    return this.begin('{');
  }

  endObject(): this {
    return this.end('}');
  }

  startArray(): this {
    return this.begin('[');
  }

  endArray(): this {
    return this.end(']');
  }

  name(name: string): this {
    this.separate();
    this.endLine();
    this.separator = '';
    this.write(this.pretty ? `${quote(name)}: ` : `${quote(name)}:`);
    return this;
  }

  /** A value by itself: strings quoted, numbers in decimal. */
  value(value: JsonScalar): this {
    return this.raw(typeof value === 'string' ? quote(value) : String(value));
  }

  /** Text that already is a JSON value. */
  raw(text: string): this {
    this.separate();
    this.write(text);
    return this;
  }

  /** Leaves the next value to the caller, who writes it right away where this writer writes. */
  leaveValue(): JsonPlace {
    this.separate();
    return { pretty: this.pretty, depth: this.depth };
  }

  field(name: string, value: JsonScalar): this {
    return this.name(name).value(value);
  }

  finish(): void {
    this.write('\n');
  }
}
