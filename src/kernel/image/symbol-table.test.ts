import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type SymbolLine, SymbolTable, SymbolTableError } from './symbol-table.ts';

const LINES: SymbolLine[] = [
  { address: 0xffffffff81000000n, type: 'T', name: '_text' },
  { address: 0xffffffff81000000n, type: 'T', name: 'startup' },
  { address: 0xffffffff81000100n, type: 't', name: 'twice' },
  { address: 0xffffffff81000200n, type: 't', name: 'twice' },
  { address: 0xffffffff81000300n, type: 't', name: '__pfx_twice' },
  { address: 0x10n, type: 'A', name: 'absolute' },
  { address: 0xffffffffc0000000n, type: 't', name: 'of_module\t[module]' },
];
const table = new SymbolTable(SymbolTable.pack(LINES));

test('a name that occurs twice is the one of the lower address, and a part of a name is none', () => {
  expect(table.address('twice')).toBe(0xffffffff81000100n);
  expect(table.address('wice')).toBeUndefined();
  expect(table.address('twic')).toBeUndefined();
  expect(table.address('')).toBeUndefined();
  expect(table.address('startup\ntwice')).toBeUndefined();
});

test('a symbol of a module is found without the name of the module', () => {
  expect(table.address('of_module')).toBe(0xffffffffc0000000n);
  expect(table.nameOf(0xffffffffc0000000n)).toBe('of_module');
});

test('an address belongs to the first symbol at it, even where the lines are not in order', () => {
  expect(table.nameOf(0xffffffff81000000n)).toBe('_text');
  expect(table.nameOf(0x10n)).toBe('absolute');
  expect(table.nameOf(0xffffffff81000001n)).toBeUndefined();
  expect(table.nameOf(-1n)).toBeUndefined();
  expect(table.nameOf(1n << 64n)).toBeUndefined();
});

test('the text is that of /proc/kallsyms', () => {
  expect(Buffer.from(table.text()).toString()).toBe(
    LINES.map((l) => `${l.address.toString(16).padStart(16, '0')} ${l.type} ${l.name}\n`).join(''),
  );
});

test('packing loses nothing', () => {
  const line = fc.record({
    address: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
    type: fc.constantFrom('t', 'T', 'W'),
    name: fc.stringMatching(/^[a-z_.]{1,12}$/),
  });
  fc.assert(
    fc.property(fc.array(line, { maxLength: 30 }), (lines) => {
      const unpacked = new SymbolTable(SymbolTable.pack(lines));
      expect(unpacked.count).toBe(lines.length);
      for (const { name } of lines) {
        expect(unpacked.address(name)).toBe(lines.find((l) => l.name === name)?.address);
      }
      for (const { address } of lines) {
        expect(unpacked.nameOf(address)).toBe(lines.find((l) => l.address === address)?.name);
      }
    }),
  );
});

test('cut data are refused', () => {
  const packed = SymbolTable.pack(LINES);
  expect(() => new SymbolTable(packed.subarray(0, 40))).toThrow(SymbolTableError);
  expect(() => new SymbolTable(new Uint8Array(3))).toThrow(SymbolTableError);
  expect(() => new SymbolTable(packed.subarray(0, packed.length - 20)).text()).toThrow(SymbolTableError);
});
