// The compiler leaves sizes and offsets of data sections open in BTF; the symbols of the ELF file fill them in.
import type { Btf } from '../btf/btf.ts';
import { BtfBuilder } from '../btf/encode.ts';
import { BTF_KIND, LINKAGE } from '../btf/kinds.ts';
import { SHT, STB, STT, STV } from '../elf/constants.ts';
import { ElfError, type ElfSymbol } from '../elf/elf.ts';
import { parseObjectBtf } from './btf-words.ts';
import { type ObjectFile, symbolName } from './elf-collect.ts';
import { errstr, ObjectError } from './errors.ts';

/** Global variables by name; the first symbol of a name counts. A name that cannot be had ends the search for others. */
class VariableSymbols {
  private readonly file: ObjectFile;
  private readonly byName = new Map<string, ElfSymbol>();
  /** The first symbol without a readable name; those behind it are never found. */
  private readonly nameless: ElfSymbol | undefined;

  constructor(file: ObjectFile) {
    this.file = file;
    for (const symbol of file.symbols) {
      const visible = symbol.bind === STB.GLOBAL || symbol.bind === STB.WEAK;
      if (symbol.type !== STT.OBJECT || !visible) continue;
      const name = readableName(symbol);
      if (name === undefined) {
        this.nameless = symbol;
        return;
      }
      if (!this.byName.has(name)) this.byName.set(name, symbol);
    }
  }

  find(name: string): ElfSymbol | undefined {
    const found = this.byName.get(name);
    if (!found && this.nameless) {
      symbolName(this.file, this.nameless);
      this.file.messages.warn(`failed to get sym name string for var ${name}`);
    }
    return found;
  }
}

const readableName = (symbol: ElfSymbol): string | undefined => {
  try {
    return symbol.name;
  } catch (error) {
    if (error instanceof ElfError) return undefined;
    throw error;
  }
};

/** Bytes of a section in the file or, for zeroes, in memory; -1 when there is none. */
function sectionSize(file: ObjectFile, name: string): number {
  const section = file.elf.section(name);
  if (!section) return -1;
  return (section.type === SHT.NOBITS ? section.size : section.data.length) >>> 0;
}

/**
 * Gives BTF whose DATASECs have their sizes, offsets and order as the kernel wants them; hidden variables become
 * static. Throws ObjectError. Rule: libbpf 1.8.
 */
export function fixDatasecs(file: ObjectFile, btf: Btf): Btf {
  const ids: number[] = [];
  for (let id = 1; id < btf.count; id++) if (btf.kind(id) === BTF_KIND.DATASEC) ids.push(id);
  if (ids.length === 0) return btf;
  const builder = BtfBuilder.from(btf);
  const symbols = new VariableSymbols(file);
  for (const id of ids) fixDatasec(file, btf, builder, symbols, id);
  return parseObjectBtf(builder.bytes());
}

function fixDatasec(file: ObjectFile, btf: Btf, builder: BtfBuilder, symbols: VariableSymbols, id: number): void {
  const { messages } = file;
  const name = btf.name(id);
  const vlen = btf.vlen(id);
  const variables = Array.from({ length: vlen }, (_, i) => ({
    type: btf.secType(id, i),
    offset: btf.secOffset(id, i),
    size: btf.secSize(id, i),
  }));
  // Externs were laid out before, and not all of them have symbols.
  if (name !== '.kconfig' && name !== '.ksyms') {
    const open = btf.size(id) === 0;
    if (open) {
      const size = sectionSize(file, name);
      if (size <= 0) {
        messages.debug(
          () =>
            `sec '${name}': failed to determine size from ELF: size ${Math.max(size, 0)}, ` +
            `err ${size < 0 ? errstr(2) : '0'}`,
        );
        throw new ObjectError('ENOENT');
      }
      builder.edit(id, { third: size });
    }
    for (const variable of variables) {
      if (btf.kind(variable.type) !== BTF_KIND.VAR) {
        messages.debug(() => `sec '${name}': unexpected non-VAR type found`);
        throw new ObjectError('EINVAL');
      }
      const linkage = btf.linkage(variable.type);
      if (linkage === LINKAGE.STATIC || linkage === LINKAGE.EXTERN) continue;
      const symbol = symbols.find(btf.name(variable.type));
      if (!symbol) {
        messages.debug(() => `sec '${name}': failed to find ELF symbol for VAR '${btf.name(variable.type)}'`);
        throw new ObjectError('ENOENT');
      }
      if (open) variable.offset = Number(symbol.value & 0xffffffffn);
      if (symbol.visibility === STV.HIDDEN || symbol.visibility === STV.INTERNAL) {
        builder.editWord(variable.type, 0, LINKAGE.STATIC);
      }
    }
  }
  variables.sort((a, b) => (a.offset - b.offset) | 0);
  variables.forEach((variable, i) => {
    builder.editVariable(id, i, variable);
  });
}
