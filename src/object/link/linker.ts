// The static linker: several BPF objects become one.
import { BtfError } from '../../btf/btf-error.ts';
import { dedupPool } from '../../btf/dedup/dedup.ts';
import { EM, ET, SHT } from '../../elf/constants.ts';
import { ElfError } from '../../elf/errors.ts';
import { type ElfToWrite, type SectionToWrite, writeElf } from '../../elf/write.ts';
import { errstr, ObjectError } from '../errors.ts';
import type { Print } from '../print.ts';
import { appendContents, appendRelocations } from './contents.ts';
import { appendExt, finishExt } from './ext.ts';
import { encodeName, LinkerMessages } from './linker-messages.ts';
import { LinkerOutput } from './output.ts';
import { writeSymbols } from './raw-elf.ts';
import { openSource } from './source.ts';
import { appendSymbols } from './symbols.ts';
import { appendTypes, fixTypes } from './types.ts';

const TYPE_ALIGN = 8;

/**
 * Links objects in the order in which they are added. The result is, byte for byte, what libbpf 1.8 makes of them;
 * so are its messages, which go to `print`. After an error nothing more can be done with it.
 */
export class Linker {
  private readonly messages: LinkerMessages;
  private readonly output: LinkerOutput;

  constructor(print?: Print) {
    this.messages = new LinkerMessages(print);
    this.output = new LinkerOutput(this.messages);
  }

  /** Adds an object; `name` is for messages. Throws ObjectError. */
  add(bytes: Uint8Array, name: string): void {
    const { messages, output } = this;
    try {
      const object = openSource(bytes, encodeName(name), messages, output);
      fixTypes(object, messages);
      appendContents(output, object, messages);
      appendSymbols(output, object, messages);
      appendRelocations(output, object, messages);
      appendTypes(output, object, messages);
      appendExt(output, object, messages);
    } catch (error) {
      throw asObjectError(error);
    }
  }

  /** The linked object. Throws ObjectError. */
  finish(): Uint8Array {
    const { output } = this;
    const littleEndian = output.littleEndian ?? true;
    let types: SectionToWrite[];
    try {
      types = this.finishTypes(littleEndian);
    } catch (error) {
      throw asObjectError(error);
    }
    // A section that only BTF had at first got its place in the file later than others.
    const sections = output.sections.filter((section) => section.index > 0).sort((a, b) => a.index - b.index);
    if (sections.some(({ entsize, size }) => entsize > 1 && size % entsize !== 0)) {
      this.messages.fail('EINVAL', 'failed to finalize ELF layout: invalid section entry size');
    }
    return this.write({
      type: ET.REL,
      machine: EM.BPF,
      littleEndian,
      namesSection: output.strtab.index,
      sections: [
        ...sections.map((section) => ({
          nameOffset: section.nameOffset,
          type: section.type,
          flags: section.flags,
          data:
            section === output.strtab
              ? output.strings.bytes()
              : section === output.symtab
                ? writeSymbols(output.symbols, littleEndian)
                : section.data,
          size: section.size,
          link: section.link,
          info: section.info,
          align: section.align,
          entsize: section.entsize,
        })),
        ...types,
      ],
    });
  }

  private write(elf: ElfToWrite): Uint8Array {
    try {
      return writeElf(elf);
    } catch (error) {
      if (!(error instanceof ElfError)) throw error;
      return this.messages.fail('EINVAL', `failed to write ELF contents: ${error.message}`);
    }
  }

  /** The sections .BTF and .BTF.ext, as far as there are types. */
  private finishTypes(littleEndian: boolean): SectionToWrite[] {
    const { messages, output } = this;
    const { types } = output;
    if (types.count === 1) return [];
    for (const section of output.sections) {
      if (section.id && section.hasTypes) types.addDatasec(section.name, section.size, section.variables);
    }
    const ext = finishExt(output, messages);
    const newId = this.dedup();
    const made: SectionToWrite[] = [this.typeSection('.BTF', types.bytes(littleEndian))];
    if (ext) made.push(this.typeSection('.BTF.ext', ext(newId, littleEndian)));
    return made;
  }

  private dedup(): (id: number) => number {
    try {
      return dedupPool(this.output.types);
    } catch (error) {
      if (!(error instanceof BtfError)) throw error;
      return this.messages.fail(error.errno, `BTF dedup failed: ${errstr(error.errno)}`);
    }
  }

  private typeSection(name: string, data: Uint8Array): SectionToWrite {
    const nameOffset = this.output.strings.add(name);
    return { nameOffset, type: SHT.PROGBITS, flags: 0n, data, link: 0, info: 0, align: TYPE_ALIGN, entsize: 0 };
  }
}

/** Types that do not fit together are the only errors that libbpf has no sentence for. */
const asObjectError = (error: unknown): unknown => (error instanceof BtfError ? new ObjectError(error.errno) : error);
