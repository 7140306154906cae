import { describe, expect, test } from 'vitest';
import { CliError } from './command.ts';
import { needWords, noMoreWords, parseU32, parseUnsigned, takeBytes } from './words.ts';

describe('numbers', () => {
  test.each([
    ['12', 12n],
    ['0x1f', 31n],
    ['010', 8n],
    ['', 0n],
    ['-1', 0xffffffffffffffffn],
  ])('%j is read as strtoul with base 0 reads it', (word, value) => {
    expect(parseUnsigned(word)).toBe(value);
  });

  test.each(['08', '1x', 'abc', '0x'])('%j is no number', (word) => {
    expect(parseUnsigned(word)).toBeUndefined();
  });

  test('a number is cut to 32 bits', () => {
    expect(parseU32('4294967297', 'ID')).toBe(1);
    expect(() => parseU32('abc', 'ID')).toThrow(new CliError("can't parse abc as ID"));
  });
});

describe('bytes', () => {
  test('decimal, octal and hexadecimal words give the low eight bits', () => {
    expect([...takeBytes(['256', '0xfff', '010', '7'], 'key', 4)]).toEqual([0, 0xff, 8, 7]);
  });

  test('after hex every word is base 16', () => {
    const words = ['hex', '0a', 'ff', 'value'];
    expect([...takeBytes(words, 'key', 2)]).toEqual([10, 255]);
    expect(words).toEqual(['value']);
  });

  test('too few bytes and words that are none are named', () => {
    expect(() => takeBytes(['1', '2', '3'], 'key', 4)).toThrow('key expected 4 bytes got 3');
    expect(() => takeBytes(['1', 'value'], 'key', 4)).toThrow('error parsing byte: value');
  });
});

test('missing and superfluous words are told as bpftool tells them', () => {
  expect(() => needWords(['x'], 2, 'load')).toThrow("'load' needs at least 2 arguments, 1 found");
  expect(() => noMoreWords(['x'])).toThrow("what is 'x'?");
});
