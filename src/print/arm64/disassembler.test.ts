import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { disassembleArm64, findRow, wordPieces } from './disassembler.ts';
import { TABLE } from './table.ts';

type Row = [base: string, offset: string, word: string, pieces: string[]];
const FILE = new URL('../../../testdata/jit/arm64/disassembly.json', import.meta.url);
const rows = JSON.parse(readFileSync(FILE, 'utf8')) as Row[];
const hex = (text: string): bigint => BigInt(`0x${text}`);

describe('arm64 disassembler', () => {
  it('writes every instruction as binutils does, piece by piece', () => {
    const ours = rows.map(([base, offset, word]): Row => {
      return [base, offset, word, wordPieces(Number(hex(word)), hex(base) + hex(offset))];
    });
    expect(ours).toEqual(rows);
  });

  it('has no row that these rows do not try', () => {
    const tried = new Set(rows.map(([, , word]) => findRow(Number(hex(word)))));
    expect(TABLE.filter((row) => !tried.has(row)).map(({ name }) => name)).toEqual([]);
  });

  it('shows words that it does not know as numbers, and bytes that are no word one by one', () => {
    const code = Uint8Array.from([0x1f, 0x20, 0x03, 0xd5, 0xff, 0xff, 0xff, 0xff, 0x12, 0x34]);
    const lines = [...disassembleArm64(code, 0x1000n)].map(({ offset, length, pieces }) => [
      offset,
      length,
      pieces.join(''),
    ]);
    expect(lines).toEqual([
      [0, 4, 'nop'],
      [4, 4, '.inst\t0xffffffff'],
      [8, 1, '.byte\t0x12'],
      [9, 1, '.byte\t0x34'],
    ]);
  });

  it('covers any bytes without gap', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), (code, address) => {
        let at = 0;
        for (const insn of disassembleArm64(code, address)) {
          expect(insn.offset).toBe(at);
          expect(insn.pieces.join('')).not.toBe('');
          at += insn.length;
        }
        expect(at).toBe(code.length);
      }),
    );
  });
});
