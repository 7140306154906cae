import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadDisassembler } from './att.ts';

type Row = [address: string, bytes: string, pieces: string[]];
const rows = JSON.parse(readFileSync(new URL('../../../testdata/jit/att.json', import.meta.url), 'utf8')) as Row[];
const disassembler = await loadDisassembler();
const text = (hex: string, address = 0n): string[] =>
  [...disassembler.disassemble(Buffer.from(hex, 'hex'), address)].map((x) => x.pieces.join(''));

describe('Disassembler', () => {
  it.each(rows)('at %s writes %s as binutils does', (address, hex, pieces) => {
    const [insn, ...rest] = disassembler.disassemble(Buffer.from(hex, 'hex'), BigInt(`0x${address}`));
    expect(insn).toEqual({ offset: 0, length: hex.length / 2, pieces });
    expect(rest).toEqual([]);
  });

  it('gives code that is cut off byte by byte', () => {
    expect(text('e811')).toEqual(['.byte 0xe8', '.byte 0x11']);
    expect(text('90f0')).toEqual(['nop', 'lock']);
    expect(text('4d')).toEqual(['rex.WRB']);
  });

  it('goes on after a byte that begins no instruction', () => {
    expect(text('0690')).toEqual(['(bad)', 'nop']);
  });

  it('covers any bytes without gap', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), (code, address) => {
        let at = 0;
        for (const insn of disassembler.disassemble(code, address)) {
          expect(insn.offset).toBe(at);
          expect(insn.length).toBeGreaterThan(0);
          expect(insn.pieces.join('')).not.toBe('');
          at += insn.length;
        }
        expect(at).toBe(code.length);
      }),
    );
  });
});
