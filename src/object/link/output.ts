// The file that the linker makes, while objects are added to it.

import { TypePool } from '../../btf/dedup/pool.ts';
import { RawStrings } from '../../btf/dedup/raw-strings.ts';
import { SHF, SHT, SYM_BYTES } from '../../elf/constants.ts';
import type { LinkerMessages } from './linker-messages.ts';
import { OutputSection } from './output-section.ts';
import type { RawSymbol } from './raw-elf.ts';
import type { SourceSection } from './source.ts';

/** A symbol that other objects can refer to or define. */
export interface GlobalSymbol {
  name: string;
  /** Number in the symbol table. */
  symbol: number;
  /** Id of its section; 0 for an extern that BTF puts nowhere. */
  section: number;
  /** Id of its VAR or FUNC; 0 before BTF is appended. */
  type: number;
  /** What the VAR or FUNC refers to. */
  underlying: number;
  /** Id in the current source that `underlying` is to become; 0 for none. */
  pending: number;
  /** Number among the variables of its section; -1 for none. */
  variable: number;
  isExtern: boolean;
  /** Goes from weak to strong only. */
  isWeak: boolean;
}

export class LinkerOutput {
  /** Those of the first object. */
  littleEndian: boolean | undefined;
  /** Number 0 takes what belongs nowhere and is not written. */
  readonly sections: OutputSection[] = [new OutputSection(0, '')];
  readonly symbols: RawSymbol[] = [];
  readonly strings = new RawStrings(new Uint8Array(1), 0);
  readonly types = TypePool.empty();
  readonly globals: GlobalSymbol[] = [];
  readonly strtab: OutputSection;
  readonly symtab: OutputSection;
  private readonly messages: LinkerMessages;
  private readonly byName = new Map<string, OutputSection>();
  private readonly globalsByName = new Map<string, GlobalSymbol>();
  /** Sections that the file has. */
  private written = 0;

  constructor(messages: LinkerMessages) {
    this.messages = messages;
    this.strtab = this.addOwn('.strtab', { type: SHT.STRTAB, flags: BigInt(SHF.STRINGS), align: 1n, entsize: 0 });
    this.symtab = this.addOwn('.symtab', { type: SHT.SYMTAB, flags: 0n, align: 8n, entsize: SYM_BYTES });
    this.symtab.link = this.strtab.index;
    this.symbols.push({ nameOffset: 0, info: 0, other: 0, section: 0, value: 0n, size: 0n });
  }

  private add(name: string): OutputSection {
    const section = new OutputSection(this.sections.length, name);
    this.sections.push(section);
    if (!this.byName.has(name)) this.byName.set(name, section);
    return section;
  }

  /** Gives a section its place in the file. */
  private place(section: OutputSection, header: Pick<SourceSection, 'type' | 'flags' | 'align' | 'entsize'>): void {
    section.index = ++this.written;
    section.ephemeral = false;
    section.size = 0;
    section.nameOffset = this.strings.add(section.name);
    section.type = header.type;
    section.flags = header.flags;
    section.align = Number(header.align);
    section.entsize = header.entsize;
  }

  private addOwn(name: string, header: Pick<SourceSection, 'type' | 'flags' | 'align' | 'entsize'>): OutputSection {
    const section = this.add(name);
    this.place(section, header);
    return section;
  }

  find(name: string): OutputSection | undefined {
    return this.byName.get(name);
  }

  /** The section that contents of `source` go to; made where there is none. */
  addFor(source: SourceSection): OutputSection {
    const section = this.add(source.name);
    if (!source.ephemeral) this.place(section, source);
    return section;
  }

  /** Says so and throws when contents of `source` do not fit to those there are. */
  requireMatch(target: OutputSection, source: SourceSection, text: string): void {
    const mismatch = target.mismatch(source);
    if (!mismatch) return;
    this.messages.warn(`sec ${target.name} ${mismatch} mismatch`);
    this.messages.fail('EINVAL', text);
  }

  /** Appends the contents of `source`, which may turn a section that only BTF had into one of the file. */
  extend(target: OutputSection, source: SourceSection): void {
    if (source.ephemeral) return;
    if (target.ephemeral) this.place(target, source);
    const offset = target.append(source);
    if (offset === undefined) this.messages.fail('ENOMEM');
    source.targetOffset = offset;
  }

  /** The section that a part of `source` went to. */
  targetOf(source: SourceSection): OutputSection {
    return source.target ?? this.sections[0];
  }

  addSymbol(symbol: RawSymbol): number {
    this.symbols.push(symbol);
    return this.symbols.length - 1;
  }

  findGlobal(name: string): GlobalSymbol | undefined {
    return this.globalsByName.get(name);
  }

  addGlobal(symbol: GlobalSymbol): void {
    this.globals.push(symbol);
    if (!this.globalsByName.has(symbol.name)) this.globalsByName.set(symbol.name, symbol);
  }
}
