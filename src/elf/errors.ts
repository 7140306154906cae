// What is wrong with an ELF file, in the words of elfutils' libelf, which libbpf passes on.

export const ELF_FAULT = {
  HANDLE: "invalid `Elf' handle",
  FILE: 'invalid ELF file data',
  INDEX: 'invalid section index',
  SECTION: 'invalid section',
  HEADER: 'invalid section header',
  DATA: 'invalid data',
  RANGE: 'offset out of range',
  UNKNOWN_COMPRESSION: 'unknown compression type',
  DECOMPRESS: 'cannot decompress data',
  WRITE: 'cannot write data to file',
} as const;

/** A file that is not ELF, or that contradicts itself; the message is libelf's. */
export class ElfError extends Error {
  override name = 'ElfError';
  /** Of a string that cannot be had: its offset in the table. */
  readonly stringOffset: number | undefined;

  constructor(message: string, stringOffset?: number) {
    super(message);
    this.stringOffset = stringOffset;
  }
}
