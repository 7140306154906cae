import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { zstdDecompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { answerOf } from './testing/answer.ts';
import { blindedCases, blindedHex, encodingCases } from './testing/cases.ts';
import type { EncodingCase } from './testing/encodings.ts';
import { randomProgram } from './testing/random-program.ts';

type Captured = Record<string, string[]>;

const file = (name: string): Buffer =>
  readFileSync(new URL(`../../../../testdata/jit/x86-64/${name}`, import.meta.url));
const captured = (name: string): Captured => JSON.parse(zstdDecompressSync(file(name)).toString()) as Captured;
const byGroup = (cases: readonly EncodingCase[]): Map<string, EncodingCase[]> =>
  Map.groupBy(cases, ({ group }) => group);
const digest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16);

describe('x86-64 machine code', () => {
  const theirs = captured('encodings.json.zst');
  const cases = byGroup(encodingCases());

  it('is compared for every captured group', () => {
    expect([...cases.keys()]).toEqual(Object.keys(theirs));
  });

  it.each([...cases])('of %s is that of Linux', (group, items) => {
    expect(items.map(({ program }) => answerOf(program).trim())).toEqual(theirs[group]);
  });

  it('of generated programs on generated machines is that of Linux in every byte, offset, size and table entry', () => {
    const digests = JSON.parse(file('programs.json').toString()) as string[];
    expect(digests.map((_, i) => digest(answerOf(randomProgram(i + 1))))).toEqual(digests);
  });
});

describe('blinding', () => {
  const theirs = captured('blinded.json.zst');
  const cases = byGroup(blindedCases());

  it('is compared for every captured group', () => {
    expect([...cases.keys()]).toEqual(Object.keys(theirs));
  });

  it.each([...cases])('of %s is that of Linux', (group, items) => {
    expect(items.map(({ program }) => digest(blindedHex(program)))).toEqual(theirs[group]);
  });
});
