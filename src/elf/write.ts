// ELF64 writer: places sections one behind the other and the table of headers after them.
import { EHDR_BYTES, SHDR_BYTES, SHT } from './constants.ts';
import { ELF_FAULT, ElfError } from './errors.ts';

/** A section as it is to be written; numbers run from 1 in the order of the list. */
export interface SectionToWrite {
  /** Offset of the name in the section that holds names. */
  nameOffset: number;
  /** SHT. */
  type: number;
  flags: bigint;
  /** Empty for NOBITS. */
  data: Uint8Array;
  /** Bytes that a NOBITS section stands for. */
  size?: number;
  link: number;
  info: number;
  /** A power of two, or 0. */
  align: number;
  entsize: number;
}

export interface ElfToWrite {
  /** ET. */
  type: number;
  /** EM. */
  machine: number;
  littleEndian: boolean;
  sections: readonly SectionToWrite[];
  /** Number of the section that holds the names of sections. */
  namesSection: number;
}

const TABLE_ALIGN = 8;
/** A file that alignments or sizes blow up beyond this is refused, as file systems refuse it from some size on. */
const MAX_FILE_BYTES = 256 << 20;

const alignUp = (value: number, align: number): number => (align > 1 ? Math.ceil(value / align) * align : value);

/**
 * The bytes of a file without program headers. Section contents must be in the file's byte order already. The layout
 * is that of elfutils' libelf: sections in order, each aligned, gaps of zeros, headers last. Throws ElfError for a file
 * that is too large.
 */
export const writeElf = (elf: ElfToWrite): Uint8Array => {
  const { littleEndian, sections } = elf;
  const sizeOf = (section: SectionToWrite): number =>
    section.type === SHT.NOBITS ? (section.size ?? 0) : section.data.length;
  let end = EHDR_BYTES;
  const offsets = sections.map((section) => {
    const offset = alignUp(end, section.align);
    end = section.type === SHT.NOBITS ? offset : offset + section.data.length;
    return offset;
  });
  const table = alignUp(end, TABLE_ALIGN);
  const count = sections.length + 1;
  const size = table + count * SHDR_BYTES;
  if (size > MAX_FILE_BYTES) throw new ElfError(ELF_FAULT.WRITE);
  const out = new Uint8Array(size);
  const view = new DataView(out.buffer);

  out.set([0x7f, 0x45, 0x4c, 0x46, 2, littleEndian ? 1 : 2, 1]);
  view.setUint16(16, elf.type, littleEndian);
  view.setUint16(18, elf.machine, littleEndian);
  view.setUint32(20, 1, littleEndian);
  view.setBigUint64(40, BigInt(table), littleEndian);
  view.setUint16(52, EHDR_BYTES, littleEndian);
  view.setUint16(58, SHDR_BYTES, littleEndian);
  view.setUint16(60, count, littleEndian);
  view.setUint16(62, elf.namesSection, littleEndian);

  for (const [i, section] of sections.entries()) {
    out.set(section.data, offsets[i]);
    const at = table + (i + 1) * SHDR_BYTES;
    view.setUint32(at, section.nameOffset, littleEndian);
    view.setUint32(at + 4, section.type, littleEndian);
    view.setBigUint64(at + 8, section.flags, littleEndian);
    view.setBigUint64(at + 24, BigInt(offsets[i]), littleEndian);
    view.setBigUint64(at + 32, BigInt(sizeOf(section)), littleEndian);
    view.setUint32(at + 40, section.link, littleEndian);
    view.setUint32(at + 44, section.info, littleEndian);
    view.setBigUint64(at + 48, BigInt(section.align), littleEndian);
    view.setBigUint64(at + 56, BigInt(section.entsize), littleEndian);
  }
  return out;
};
