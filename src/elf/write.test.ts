import { describe, expect, it } from 'vitest';
import { EM, ET, SHT } from './constants.ts';
import { readElf } from './elf.ts';
import { type SectionToWrite, writeElf } from './write.ts';

const section = (change: Partial<SectionToWrite>): SectionToWrite => ({
  nameOffset: 0,
  type: SHT.PROGBITS,
  flags: 0n,
  data: new Uint8Array(0),
  link: 0,
  info: 0,
  align: 1,
  entsize: 0,
  ...change,
});

describe('writeElf', () => {
  const names = Buffer.from('\0.strtab\0code\0zeros\0');
  const bytes = writeElf({
    type: ET.REL,
    machine: EM.BPF,
    littleEndian: true,
    namesSection: 1,
    sections: [
      section({ nameOffset: 1, type: SHT.STRTAB, data: names }),
      section({ nameOffset: 9, data: Uint8Array.of(1, 2, 3), align: 32, flags: 6n, info: 7, link: 1, entsize: 3 }),
      section({ nameOffset: 14, type: SHT.NOBITS, size: 4096, align: 8 }),
    ],
  });

  it('is read back as it was written', () => {
    const elf = readElf(bytes);
    expect([elf.type, elf.machine, elf.namesSection]).toEqual([ET.REL, EM.BPF, 1]);
    expect(elf.sections.map(({ name }) => name)).toEqual(['', '.strtab', 'code', 'zeros']);
    const code = elf.sections[2];
    expect([code.flags, code.link, code.info, code.align, code.entsize]).toEqual([6, 1, 7, 32, 3]);
    expect([...code.data]).toEqual([1, 2, 3]);
    expect(elf.sections[3].size).toBe(4096);
  });

  it('aligns contents and headers, and gives NOBITS no room', () => {
    const elf = readElf(bytes);
    expect(elf.sections.map(({ offset }) => offset)).toEqual([0, 64, 96, 104]);
    expect(bytes.length).toBe(104 + 4 * 64);
  });

  it('writes big-endian files', () => {
    const big = writeElf({ type: ET.REL, machine: EM.BPF, littleEndian: false, namesSection: 0, sections: [] });
    expect([...big.subarray(5, 6), ...big.subarray(16, 20)]).toEqual([2, 0, 1, 0, 247]);
  });
});
