// Programs of testdata/rewrite/*.json, from load to machine code, against what Linux 6.18 made of them. The format of
// the cases is described in ../verifier/verify-cases.test.ts.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { runCase, type VerifyCase } from '../verifier/verify-case.ts';

const FOLDER = fileURLToPath(new URL('../../../testdata/rewrite/', import.meta.url));
/** Has a format of its own. */
const CONTEXT_FILE = 'ctx.json';

const files = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.json') && file !== CONTEXT_FILE)
  .sort()
  .map((file) => ({
    file,
    cases: JSON.parse(readFileSync(FOLDER + file, 'utf8')).cases as VerifyCase[],
  }));

const insnLines = (hex: string): string[] => hex.match(/.{16}/g) ?? [];

/** Distances of calls and jumps, and 64-bit constants, depend on where code and maps lie. */
const placeOf = (code: Uint8Array, at: number): { start: number; size: number } | undefined => {
  for (let start = Math.max(1, at - 3); start <= at; start++) {
    const op = code[start - 1];
    const conditional = start > 1 && code[start - 2] === 0x0f && (op & 0xf0) === 0x80;
    if (op === 0xe8 || op === 0xe9 || conditional) return { start, size: 4 };
    if (start > 2 && code[start - 2] === 0xc7) return { start, size: 4 };
  }
  for (let start = Math.max(2, at - 7); start <= at; start++) {
    if ((code[start - 1] & 0xf8) === 0xb8 && (code[start - 2] & 0xf8) === 0x48) return { start, size: 8 };
  }
  return undefined;
};

/** The code with the places that differ from `other`, and may, set to zero. */
function withoutAddresses(code: Uint8Array, other: Uint8Array): string {
  const masked = Uint8Array.from(code);
  for (let at = 0; at < Math.min(code.length, other.length); at++) {
    if (code[at] === other[at]) continue;
    const place = placeOf(code, at);
    if (place === undefined) continue;
    masked.fill(0, place.start, place.start + place.size);
    at = place.start + place.size - 1;
  }
  return Buffer.from(masked).toString('hex');
}

describe.each(files)('$file', ({ cases }) => {
  it.each(cases)('$name', (theCase) => {
    const { env, errno } = runCase(theCase);
    expect(errno).toBe(theCase.expect.errno);
    const { program } = env;
    const xlated = Buffer.from(program?.xlated ?? []).toString('hex');
    expect(insnLines(xlated)).toEqual(insnLines(theCase.expect.xlated ?? ''));
    const jited = Buffer.concat(program?.functions.map((f) => f.jited) ?? []);
    const expected = Buffer.from(theCase.expect.jited ?? '', 'hex');
    expect(withoutAddresses(jited, expected)).toBe(withoutAddresses(expected, jited));
  });
});
