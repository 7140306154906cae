// The small grammar that every command shares: prefixes, numbers, bytes, leftovers.
import { CliError } from './command.ts';

/** True where `word` abbreviates `full`; the empty word abbreviates everything. */
export const isPrefix = (word: string, full: string): boolean => full.startsWith(word);

/** "'show' needs at least 2 arguments, 1 found", where `previous` is the word before the missing one. */
const tooFewWords = (words: readonly string[], count: number, previous: string): string =>
  `'${previous}' needs at least ${count} arguments, ${words.length} found`;

/** Throws CliError where words are missing. Rule: REQ_ARGS, bpftool 7.8. */
export function needWords(words: readonly string[], count: number, previous: string, status = 255): void {
  if (words.length >= count) return;
  throw new CliError(tooFewWords(words, count, previous), status);
}

/** The same, followed by the help of the object. */
export function needWordsOrHelp(words: readonly string[], count: number, previous: string): void {
  if (words.length >= count) return;
  throw new CliError(tooFewWords(words, count, previous), 255, true);
}

/** "what is 'x'?" unless nothing is left. */
export function noMoreWords(words: readonly string[]): void {
  if (words.length > 0) throw new CliError(`what is '${words[0]}'?`);
}

/** strtoul(3) with base 0 that must eat the whole word; undefined otherwise. The empty word is 0. */
export function parseUnsigned(word: string): bigint | undefined {
  const m = /^\s*([+-]?)(0[xX][0-9a-fA-F]+|\d+|)$/.exec(word);
  if (!m) return undefined;
  const digits = m[2];
  if (digits === '') return word === '' ? 0n : undefined;
  if (/^0\d/.test(digits) && /[89]/.test(digits)) return undefined;
  const value = BigInt(/^0\d/.test(digits) ? `0o${digits.slice(1)}` : digits);
  return BigInt.asUintN(64, m[1] === '-' ? -value : value);
}

/** A 32-bit number, cut as the real tool cuts it; "can't parse x as ID". */
export function parseU32(word: string, what: string): number {
  const value = parseUnsigned(word);
  if (value === undefined) throw new CliError(`can't parse ${word} as ${what}`);
  return Number(value & 0xffffffffn);
}

/**
 * `[hex] B B B …`: exactly `size` bytes from the front of `words`, which loses them. `name` is "key" or "value".
 * Only the low 8 bits of a number count.
 */
export function takeBytes(words: string[], name: string, size: number): Uint8Array {
  const hex = words.length > 0 && isPrefix(words[0], 'hex');
  if (hex) words.shift();
  const bytes = new Uint8Array(size);
  let i = 0;
  for (; i < size && words.length > 0; i++) {
    const word = words[0];
    const value = hex ? parseHex(word) : parseUnsigned(word);
    if (value === undefined) throw new CliError(`error parsing byte: ${word}`);
    bytes[i] = Number(value & 0xffn);
    words.shift();
  }
  if (i !== size) throw new CliError(`${name} expected ${size} bytes got ${i}`);
  return bytes;
}

/** strtoul(3) with base 16 that must eat the whole word. The empty word is 0. */
const parseHex = (word: string): bigint | undefined => {
  const m = /^\s*([+-]?)(?:0[xX])?([0-9a-fA-F]+)$/.exec(word);
  if (!m) return word === '' ? 0n : undefined;
  return BigInt.asUintN(64, BigInt(`0x${m[2]}`) * (m[1] === '-' ? -1n : 1n));
};
