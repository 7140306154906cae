// Expected lines of a log or a listing, and whether a text has them: the rules of the kernel's own test loader.

/** One expected piece of text. */
export interface Expected {
  /** Verbatim text, with regular expressions between {{ and }}. */
  pattern: string;
  /** It must not be there. */
  negative: boolean;
  /** It must stand on the line after the one before. */
  onNextLine: boolean;
}

const verbatim = (text: string): string => text.replace(/[.[\]\\()*+?{}|^$]/g, '\\$&');

const CLASSES: Readonly<Record<string, string>> = {
  '[:digit:]': '0-9',
  '[:xdigit:]': '0-9a-fA-F',
  '[:alpha:]': 'a-zA-Z',
  '[:alnum:]': 'a-zA-Z0-9',
  '[:space:]': '\\s',
};

/** POSIX classes in the words of JavaScript. */
const translate = (expression: string): string => expression.replace(/\[:\w+:\]/g, (name) => CLASSES[name] ?? name);

/** A pattern as a regular expression; `{{` without its end is taken verbatim. */
export function compile(pattern: string): RegExp {
  const source = pattern
    .split(/(\{\{.*?\}\})/s)
    .map((part) => (part.startsWith('{{') && part.endsWith('}}') ? translate(part.slice(2, -2)) : verbatim(part)));
  return new RegExp(source.join(''), 'm');
}

interface Match {
  start: number;
  end: number;
}

function find(text: string, pattern: string, from: number): Match | undefined {
  const found = compile(pattern).exec(text.slice(from));
  return found ? { start: from + found.index, end: from + found.index + found[0].length } : undefined;
}

const linesBefore = (text: string, at: number): number => text.slice(0, at).split('\n').length - 1;

/** What is wrong with a text; undefined where it has all that is expected, in order. */
export function mismatch(text: string, expected: readonly Expected[]): string | undefined {
  const matches: (Match | undefined)[] = [];
  let from = 0;
  for (const { pattern, negative } of expected) {
    const match = negative ? undefined : find(text, pattern, from);
    if (match) from = match.end;
    matches.push(match);
  }
  let start = 0;
  let line: number | undefined;
  for (const [i, { pattern, negative, onNextLine }] of expected.entries()) {
    const match = matches[i];
    if (negative) {
      const next = expected.findIndex((e, k) => k > i && !e.negative);
      const end = next < 0 ? text.length : (matches[next]?.start ?? 0);
      const there = find(text, pattern, start);
      if (there && there.end <= end) return `unexpected: ${pattern}`;
      continue;
    }
    if (!match) return `missing: ${pattern}`;
    const at = linesBefore(text, match.start);
    if (onNextLine && line !== undefined && at !== line + 1) return `not on the next line: ${pattern}`;
    line = at;
    start = match.end;
  }
  return undefined;
}
