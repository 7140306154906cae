// Sections of the file that the linker makes.
import { SHF, SHT } from '../../elf/constants.ts';
import type { SourceSection } from './source.ts';

/** Sizes are ints in libbpf; nothing sensible comes near. */
const MAX_BYTES = 0x7fffffff;

/** BTF.ext records of one kind that belong to a section; words in the machine's byte order. */
export interface ExtRecords {
  /** Bytes of a record; 0 before the first. */
  recSize: number;
  words: number[];
}

const noRecords = (): ExtRecords => ({ recSize: 0, words: [] });

export class OutputSection {
  readonly name: string;
  /** Number among all sections, those that only BTF has included; 0 for what belongs nowhere. */
  readonly id: number;
  /** Number in the file; 0 while only BTF has the section. */
  index = 0;
  ephemeral = true;
  nameOffset = 0;
  type = 0;
  flags = 0n;
  align = 0;
  entsize = 0;
  link = 0;
  info = 0;
  /** Bytes. */
  size = 0;
  /** Number of its section symbol; 0 without. */
  sectionSymbol = 0;
  /** A source has a DATASEC of it. */
  hasTypes = false;
  /** Type, offset, size of each of its variables. */
  readonly variables: number[] = [];
  readonly funcInfo = noRecords();
  readonly lineInfo = noRecords();
  readonly coreRelos = noRecords();
  private bytes = new Uint8Array(0);

  constructor(id: number, name: string) {
    this.id = id;
    this.name = name;
  }

  /** The contents; to be written to. */
  get data(): Uint8Array {
    return this.bytes.subarray(0, this.type === SHT.NOBITS ? 0 : this.size);
  }

  get isCode(): boolean {
    return !this.ephemeral && this.type === SHT.PROGBITS && (this.flags & BigInt(SHF.EXECINSTR)) !== 0n;
  }

  /** Which property differs; undefined when contents of both can be put together. */
  mismatch(source: SourceSection): string | undefined {
    if (this.ephemeral || source.ephemeral) return undefined;
    if (this.type !== source.type) return 'types';
    if (this.flags !== source.flags) return 'flags';
    return this.entsize !== source.entsize ? 'entsize' : undefined;
  }

  hasContentOf(source: SourceSection): boolean {
    return this.size === source.size && Buffer.compare(this.data, source.data) === 0;
  }

  /** Appends contents at the stricter alignment; gives their offset, or undefined when the section becomes too large. */
  append(source: SourceSection): number | undefined {
    const align = Math.max(this.align || 1, Number(source.align));
    const offset = Math.ceil(this.size / align) * align;
    const size = offset + source.size;
    if (size > MAX_BYTES) return undefined;
    if (source.type !== SHT.NOBITS) {
      if (size > this.bytes.length) {
        const bytes = new Uint8Array(Math.max(size, this.bytes.length * 2));
        bytes.set(this.bytes);
        this.bytes = bytes;
      }
      this.bytes.set(source.data, offset);
    }
    this.size = size;
    this.align = align;
    return offset;
  }
}
