// Symbols of an object: which become symbols of the result, and which meet one of another object.

import type { TypePool } from '../../btf/dedup/pool.ts';
import { BTF_KIND, LINKAGE } from '../../btf/kinds.ts';
import { SHN, STB, STT } from '../../elf/constants.ts';
import { kindWord } from '../btf-words.ts';
import type { LinkerMessages } from './linker-messages.ts';
import { mapsMatch } from './match-maps.ts';
import { isNonStatic, TypeMatcher } from './match-types.ts';
import type { GlobalSymbol, LinkerOutput } from './output.ts';
import type { OutputSection } from './output-section.ts';
import { bindOf, type RawSymbol, typeOf, visibilityOf } from './raw-elf.ts';
import { type SourceObject, type SourceSection, sectionByName, symbolName } from './source.ts';

/** Where clang puts externs without a section of their own; nothing in the file corresponds to it. */
export const EXTERN_SECTION = '.extern';
const MAPS = '.maps';
const JUMP_TABLES = '.jumptables';
const FUNC_GLOBAL = (BTF_KIND.FUNC << 24) | LINKAGE.GLOBAL;

/** Ids of a symbol's DATASEC (0 for none) and of its VAR or FUNC. */
interface SymbolTypes {
  section: number;
  type: number;
  /** A second VAR or FUNC that may be meant. */
  other?: number;
}

/** Global and extern variables and functions by name; those in a DATASEC count more than free ones. */
const indexTypes = (types: TypePool): Map<string, SymbolTypes> => {
  const index = new Map<string, SymbolTypes>();
  const visitSection = (section: number): void => {
    const first = types.at[section] + 3;
    for (let p = first; p < first + types.vlen(section) * 3; p += 3) {
      const type = types.words[p];
      const kind = types.kind(type);
      if ((kind === BTF_KIND.VAR || kind === BTF_KIND.FUNC) && !isNonStatic(types, type)) continue;
      const name = types.name(type);
      const found = index.get(name);
      if (found?.section) continue;
      if (found && found.type !== type) index.set(name, { section, type: found.type, other: type });
      else index.set(name, { section, type });
    }
  };
  for (let id = 1; id < types.count; id++) {
    if (types.kind(id) === BTF_KIND.DATASEC) visitSection(id);
    if (!isNonStatic(types, id)) continue;
    const name = types.name(id);
    if (!index.get(name)?.section) index.set(name, { section: 0, type: id });
  }
  return index;
};

class SymbolAppender {
  private readonly output: LinkerOutput;
  private readonly object: SourceObject;
  private readonly messages: LinkerMessages;
  private named: Map<string, SymbolTypes> | undefined;

  constructor(output: LinkerOutput, object: SourceObject, messages: LinkerMessages) {
    this.output = output;
    this.object = object;
    this.messages = messages;
  }

  append(): void {
    const { object } = this;
    object.symbolMap = new Array(object.symbols.length).fill(0);
    for (const [i, symbol] of object.symbols.entries()) {
      if (i === 0) continue;
      const name = symbolName(object, symbol);
      if (name === undefined) {
        this.messages.fail('EINVAL', `can't fetch symbol name for symbol #${i} in '${object.name}'`);
      }
      this.appendSymbol(symbol, name, i);
    }
  }

  private appendSymbol(symbol: RawSymbol, name: string, i: number): void {
    const { messages, object, output } = this;
    const isExtern = symbol.section === SHN.UNDEF;
    let source: SourceSection | undefined;
    let target: OutputSection | undefined;
    let isLocal = bindOf(symbol) === STB.LOCAL;
    if (isExtern) {
      if (!object.btf) messages.fail('EOPNOTSUPP', 'externs without BTF info are not supported');
    } else if (symbol.section < SHN.LORESERVE) {
      source = object.sections[symbol.section];
      if (source.skipped) return;
      target = output.targetOf(source);
      if (typeOf(symbol) === STT.SECTION && target.sectionSymbol) {
        object.symbolMap[i] = target.sectionSymbol;
        return;
      }
      if (source.name === JUMP_TABLES) isLocal = true;
    }
    if (!isLocal) {
      const types = this.typesOf(name);
      if (isExtern && types.section) {
        const found = this.externSection(types.section);
        if (found) [source, target] = [found, output.targetOf(found)];
      }
      const known = output.findGlobal(name);
      if (known) {
        object.symbolMap[i] = known.symbol;
        this.merge({ symbol, name, i, source, target }, known, types.type);
        return;
      }
    }
    this.add(symbol, name, i, source, target);
  }

  /** The section that BTF gives an extern; undefined for those that the linker itself resolves. */
  private externSection(datasec: number): SourceSection | undefined {
    const types = this.object.types as TypePool;
    const name = types.name(datasec);
    if (name === EXTERN_SECTION) return undefined;
    const section = sectionByName(this.object, name);
    if (!section) this.messages.fail('ENOENT', `failed to find matching ELF sec '${name}'`);
    return section;
  }

  private add(symbol: RawSymbol, name: string, i: number, source?: SourceSection, target?: OutputSection): void {
    const { object, output } = this;
    const isSection = typeOf(symbol) === STT.SECTION && target !== undefined;
    const offset = BigInt(source?.targetOffset ?? 0);
    const number = output.addSymbol({
      nameOffset: output.strings.add(name),
      info: symbol.info,
      other: symbol.other,
      section: target ? target.index : symbol.section,
      value: isSection ? 0n : BigInt.asUintN(64, offset + symbol.value),
      size: symbol.size,
    });
    object.symbolMap[i] = number;
    if (isSection) target.sectionSymbol = number;
    if (bindOf(symbol) === STB.LOCAL) return;
    output.addGlobal({
      name,
      symbol: number,
      section: target?.id ?? 0,
      type: 0,
      underlying: 0,
      pending: 0,
      variable: -1,
      isExtern: symbol.section === SHN.UNDEF,
      isWeak: bindOf(symbol) === STB.WEAK,
    });
  }

  /** Brings a symbol together with the one of the same name that the result has. */
  private merge(
    {
      symbol,
      name,
      i,
      source,
      target,
    }: {
      symbol: RawSymbol;
      name: string;
      i: number;
      source: SourceSection | undefined;
      target: OutputSection | undefined;
    },
    known: GlobalSymbol,
    type: number,
  ): void {
    const { messages, object, output } = this;
    const isExtern = symbol.section === SHN.UNDEF;
    const bind = bindOf(symbol);
    if (!isExtern && !known.isExtern && !known.isWeak && bind !== STB.WEAK) {
      messages.fail('EINVAL', `conflicting non-weak symbol #${i} (${name}) definition in '${object.name}'`);
    }
    if (!this.typesMatch(name, known, type)) messages.fail('EINVAL');

    const mine = output.symbols[known.symbol];
    if (bind === STB.GLOBAL) {
      mine.info = (STB.GLOBAL << 4) | typeOf(mine);
      known.isWeak = false;
    }
    // The stricter visibility wins, even that of an extern.
    if (visibilityOf(symbol) > visibilityOf(mine)) mine.other = (mine.other & ~3) | visibilityOf(symbol);
    if (isExtern || (!known.isExtern && bind === STB.WEAK)) return;

    mine.info = (bindOf(mine) << 4) | typeOf(symbol);
    mine.section = target?.index ?? 0;
    mine.value = BigInt.asUintN(64, BigInt(source?.targetOffset ?? 0) + symbol.value);
    mine.size = symbol.size;
    known.section = target?.id ?? 0;
    known.isExtern = false;
    this.completeExtern(known.type, type);
    known.underlying = 0;
    known.pending = 0;
  }

  private typesMatch(name: string, known: GlobalSymbol, type: number): boolean {
    const { messages, output } = this;
    const types = this.object.types;
    if (!known.type || !type || !types) {
      messages.warn(`BTF info is missing for global symbol '${name}'`);
      return false;
    }
    const kind = types.kind(type);
    if (kind !== BTF_KIND.VAR && kind !== BTF_KIND.FUNC) {
      const word = kindWord(types, type);
      messages.warn(`only extern variables and functions are supported, but got '${word}' for '${name}'`);
      return false;
    }
    if (known.section && output.sections[known.section].name === MAPS) {
      return mapsMatch(messages, name, [output.types, known.type], [types, type]);
    }
    return new TypeMatcher(messages, output.types, types).matches(name, known.type, type);
  }

  /** What was an extern is defined now: it becomes global, and its parameters get names. */
  private completeExtern(known: number, type: number): void {
    const { types } = this.output;
    const source = this.object.types as TypePool;
    const at = types.at[known];
    if (types.kind(known) === BTF_KIND.VAR) {
      types.words[at + 3] = LINKAGE.GLOBAL;
      return;
    }
    types.words[at + 1] = FUNC_GLOBAL;
    const proto = types.at[types.type(known)];
    const from = source.at[source.type(type)];
    const count = types.vlen(types.type(known));
    for (let p = 3; p < 3 + count * 2; p += 2) {
      const name = source.words[from + p] >>> 0;
      if (name) types.words[proto + p] = types.addStr(source.str(name));
    }
  }

  /** Types of a global or extern symbol. */
  private typesOf(name: string): SymbolTypes {
    const { messages, object } = this;
    if (!object.types) return messages.fail('EINVAL', `failed to find BTF info for object '${object.name}'`);
    this.named ??= indexTypes(object.types);
    const found = this.named.get(name);
    if (!found) return messages.fail('ENOENT', `failed to find BTF info for global/extern symbol '${name}'`);
    if (found.other !== undefined) {
      const both = `both types #${found.type} and #${found.other} match`;
      messages.fail('EINVAL', `global/extern '${name}' BTF is ambiguous: ${both}`);
    }
    return found;
  }
}

/** Puts the symbols of an object into the result. Throws ObjectError. Rule: libbpf 1.8, linker_append_elf_syms. */
export const appendSymbols = (output: LinkerOutput, object: SourceObject, messages: LinkerMessages): void =>
  new SymbolAppender(output, object, messages).append();
