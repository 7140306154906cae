import { readFileSync } from 'node:fs';
import { deflateSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EM, ET, SHF, SHT, STB, STT } from './constants.ts';
import { ElfError, type ElfFile, type ElfSection, readElf } from './elf.ts';

const object = new Uint8Array(readFileSync(new URL('../../testdata/object/maps.bpf.o', import.meta.url)));

const files = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`../../testdata/btf-files/${name}`, import.meta.url)));

/** An ELF file with one compressed section ".z" beside the table of names. */
function compressed(method: number, body: Uint8Array, size: number): Uint8Array {
  const names = new TextEncoder().encode('\0.z\0.shstrtab\0');
  const headers = 64 + names.length + 24 + body.length;
  const out = new Uint8Array(headers + 3 * 64);
  const view = new DataView(out.buffer);
  out.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, ET.REL, true);
  view.setBigUint64(40, BigInt(headers), true);
  view.setUint16(58, 64, true);
  view.setUint16(60, 3, true);
  view.setUint16(62, 2, true);
  out.set(names, 64);
  view.setUint32(64 + names.length, method, true);
  view.setBigUint64(64 + names.length + 8, BigInt(size), true);
  out.set(body, 64 + names.length + 24);
  const header = (i: number, name: number, type: number, flags: number, at: number, bytes: number): void => {
    view.setUint32(headers + i * 64, name, true);
    view.setUint32(headers + i * 64 + 4, type, true);
    view.setBigUint64(headers + i * 64 + 8, BigInt(flags), true);
    view.setBigUint64(headers + i * 64 + 24, BigInt(at), true);
    view.setBigUint64(headers + i * 64 + 32, BigInt(bytes), true);
  };
  header(1, 1, SHT.PROGBITS, SHF.COMPRESSED, 64 + names.length, 24 + body.length);
  header(2, 4, SHT.STRTAB, 0, 64, names.length);
  return out;
}

describe('an ELF file', () => {
  test('tells type, machine and sections', () => {
    const elf = readElf(object);
    expect([elf.type, elf.machine]).toEqual([ET.REL, EM.BPF]);
    expect(elf.sections[0].type).toBe(SHT.NULL);
    const socket = elf.section('socket');
    expect(socket?.flags).toBe(SHF.ALLOC | SHF.EXECINSTR);
    expect(socket?.data.length).toBe(socket?.size);
    expect(elf.section('nothing')).toBeUndefined();
  });

  test('tells symbols with their names, bindings and sections', () => {
    const elf = readElf(object);
    if (!elf.symtab) throw new Error('no symbols');
    const symbols = elf.symbols(elf.symtab);
    expect(symbols[0]).toMatchObject({ name: '', section: 0 });
    const step = symbols.find((s) => s.name === 'step');
    expect(step).toMatchObject({ type: STT.FUNC, bind: STB.GLOBAL, value: 0n, section: elf.section('socket')?.index });
    expect(elf.symbols(elf.symtab)).toBe(symbols);
  });

  test('tells relocations', () => {
    const elf = readElf(object);
    const section = elf.section('.relsocket');
    if (!section || !elf.symtab) throw new Error('no relocations');
    const names = elf
      .relocations(section)
      .map((r) => elf.symbols(elf.symtab as NonNullable<typeof elf.symtab>)[r.symbol].name);
    expect(names).toEqual(['typed', 'sized', 'jumps']);
    expect(() => elf.relocations(elf.sections[1])).toThrow(ElfError);
  });

  test.each(['types', 'program'])('%s of the other byte order says the same', (name) => {
    const [little, big] = ['bpf', 'bpfeb'].map((order) => readElf(files(`${name}-${order}.o`)));
    expect([little.littleEndian, big.littleEndian]).toEqual([true, false]);
    const headers = (elf: ElfFile): unknown[] =>
      elf.sections.map((s) => [s.name, s.type, s.flags, s.size, s.link, s.info]);
    expect(headers(big)).toEqual(headers(little));
    const symbols = (elf: ElfFile): unknown[] =>
      elf
        .symbols(elf.symtab as ElfSection)
        .map((s) => [s.name, s.value, s.size, s.bind, s.type, s.visibility, s.section]);
    expect(symbols(big)).toEqual(symbols(little));
    const relocations = (elf: ElfFile): unknown[] =>
      elf.sections.filter((s) => s.type === SHT.REL).map((s) => elf.relocations(s));
    expect(relocations(big)).toEqual(relocations(little));
  });

  test.each(['plain-i386-bpf.o', 'plain-powerpc-bpf.o'])('%s of 32 bits tells sections and symbols', (name) => {
    const elf = readElf(files(name));
    expect(elf.is64).toBe(false);
    expect(Buffer.from(elf.section('.BTF')?.data ?? [])).toEqual(Buffer.from(files('types-bpf.btf')));
    const main = elf.symbols(elf.symtab as ElfSection).find((s) => s.name === 'main');
    expect(main).toMatchObject({ type: STT.FUNC, bind: STB.GLOBAL, section: elf.section('.text')?.index });
  });

  test('whose section headers are cut off has no sections', () => {
    expect(readElf(files('cut-sections')).sections).toEqual([]);
  });

  test.each(['empty', 'short', 'text', 'archive', 'cut-header'])('%s is none', (name) => {
    expect(() => readElf(files(name))).toThrow(ElfError);
  });

  test('is read the same from a part of a larger buffer', () => {
    const larger = new Uint8Array(object.length + 24);
    larger.set(object, 24);
    const elf = readElf(larger.subarray(24));
    expect(elf.section('license')?.data).toEqual(readElf(object).section('license')?.data);
  });

  test('unpacks sections of both methods', () => {
    const text = new TextEncoder().encode('type information '.repeat(40));
    expect(readElf(compressed(1, deflateSync(text), text.length)).section('.z')?.unpacked).toEqual(text);
    expect(readElf(compressed(2, zstdCompressSync(text), text.length)).section('.z')?.unpacked).toEqual(text);
  });

  test('does not unpack more than a section claims, nor claims beyond reason', () => {
    const zeroes = deflateSync(new Uint8Array(1 << 20));
    expect(() => readElf(compressed(1, zeroes, 100)).section('.z')?.unpacked).toThrow(ElfError);
    expect(() => readElf(compressed(1, zeroes, 2 ** 45)).section('.z')?.unpacked).toThrow(ElfError);
    expect(() => readElf(compressed(3, zeroes, 1 << 20)).section('.z')?.unpacked).toThrow(ElfError);
  });

  test('that is damaged gives ElfError and nothing else', () => {
    const flips = fc.array(fc.tuple(fc.nat(object.length - 1), fc.integer({ min: 1, max: 255 })), {
      minLength: 1,
      maxLength: 8,
    });
    fc.assert(
      fc.property(fc.nat(object.length), flips, (length, changes) => {
        const bytes = object.slice();
        for (const [at, mask] of changes) bytes[at] ^= mask;
        try {
          const elf = readElf(bytes.subarray(0, length % 3 === 0 ? length : bytes.length));
          for (const section of elf.sections) {
            if (section.type === SHT.SYMTAB) elf.symbols(section);
            else if (section.type === SHT.REL) elf.relocations(section);
            else expect(section.data.length).toBeGreaterThanOrEqual(0);
          }
        } catch (error) {
          if (!(error instanceof ElfError)) throw error;
        }
      }),
      { numRuns: 2000 },
    );
  });
});
