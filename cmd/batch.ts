// bpftool batch: runs the command lines of a file, one after the other. Rule: do_batch and make_args, bpftool 7.8.
import { readFileSync } from 'node:fs';
import { ERRNO, strerror } from '../src/errno.ts';
import { CliError } from './command.ts';
import { isPrefix } from './words.ts';

/** Bytes of the buffer for one command, with the NUL behind it. */
const BUFFER_BYTES = 65536;
/** Words of one command, and one more. */
const MAX_WORDS = 4096;
const BLANKS = ' \t\r\n';

/** Reads pieces as C's fgets does: up to the end of a line, or as much as the buffer holds. */
class Pieces {
  private readonly text: string;
  private at = 0;

  /** `text` has one character a byte. */
  constructor(text: string) {
    this.text = text;
  }

  /** The next piece, up to a NUL in it; undefined at the end. */
  next(): string | undefined {
    if (this.at >= this.text.length) return undefined;
    const newline = this.text.indexOf('\n', this.at);
    const end = Math.min(newline < 0 ? this.text.length : newline + 1, this.at + BUFFER_BYTES - 1);
    const piece = this.text.slice(this.at, end);
    this.at = end;
    return piece.split('\0', 1)[0];
  }
}

/** Comments go to the end of the line, inside quotes too. */
const withoutComment = (line: string): string => line.split('#', 1)[0];

/** The next line with the lines that continue it; `number` is for messages. */
function nextCommand(pieces: Pieces, number: number): string | undefined {
  const first = pieces.next();
  if (first === undefined) return undefined;
  let line = withoutComment(first);
  if (line.length === BUFFER_BYTES - 1) throw new CliError('reading batch file failed: Argument list too long');
  while (line.includes('\\\n')) {
    const more = pieces.next();
    if (!more) throw new CliError(`missing continuation line on command ${number}`);
    const rest = withoutComment(more);
    if (line.length + rest.length + 1 > BUFFER_BYTES) throw new CliError(`command ${number} is too long`);
    line = line.slice(0, -2) + rest;
  }
  return line;
}

/** Words of a command: a word that begins with a quote goes on to the next one, whatever is in between. */
function wordsOf(line: string, number: number): string[] {
  const words: string[] = [];
  let at = 0;
  for (;;) {
    while (at < line.length && BLANKS.includes(line[at])) at++;
    if (at >= line.length) return words;
    if (words.length >= MAX_WORDS - 1) throw new CliError(`too many arguments to command ${number}`);
    const isQuoted = line[at] === "'" || line[at] === '"';
    const start = isQuoted ? at + 1 : at;
    let end = start;
    if (isQuoted) end = line.indexOf(line[at], start);
    else while (end < line.length && !BLANKS.includes(line[end])) end++;
    if (end < 0) throw new CliError(`unterminated quoted string in command ${number}`);
    words.push(Buffer.from(line.slice(start, end), 'latin1').toString('utf8'));
    at = end + 1;
  }
}

/** The text of the file, one character a byte; `-` is standard input. */
function readBatch(path: string): string {
  try {
    return readFileSync(path === '-' ? 0 : path, 'latin1');
  } catch (error) {
    const { code, errno = -ERRNO.EIO } = error as NodeJS.ErrnoException;
    // A folder can be opened, but not read.
    const what = code === 'EISDIR' ? 'reading batch file failed' : `Can't open file (${path})`;
    throw new CliError(`${what}: ${strerror(-errno)}`);
  }
}

function* commandsOf(pieces: Pieces): Generator<string[]> {
  let number = 0;
  for (;;) {
    const line = nextCommand(pieces, number);
    if (line === undefined) return;
    const command = wordsOf(line, number);
    if (command.length === 0) continue;
    yield command;
    number++;
  }
}

/**
 * Commands of the file that `words`, those behind "batch", name. Throws CliError at once where there is no such file,
 * and where a command comes that cannot be taken apart.
 */
export function batchCommands(words: readonly string[]): Iterable<string[]> {
  if (words.length !== 2) throw new CliError(`too ${words.length < 2 ? 'few' : 'many'} parameters for batch`);
  const [keyword, path] = words;
  if (!isPrefix(keyword, 'file')) throw new CliError(`expected 'file', got: ${keyword}`);
  return commandsOf(new Pieces(readBatch(path)));
}
