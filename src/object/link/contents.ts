// Contents and relocations of an object's sections.
import { SHF, SHT, STT } from '../../elf/constants.ts';
import type { LinkerMessages } from './linker-messages.ts';
import type { LinkerOutput } from './output.ts';
import type { OutputSection } from './output-section.ts';
import { putRelocation, type RawSymbol, readRelocations, typeOf, viewOf } from './raw-elf.ts';
import type { SourceObject, SourceSection } from './source.ts';

const REL_BYTES = 16;
const INSN_BYTES = 8;
/** BPF_JMP | BPF_CALL */
const CALL = 0x85;
/** Sections of which every object has the same. */
const SHARED: readonly string[] = ['license', 'version'];

const isData = ({ skipped, ephemeral, type }: SourceSection): boolean =>
  !skipped && (ephemeral || type === SHT.PROGBITS || type === SHT.NOBITS);

/** Appends code and data. Throws ObjectError. Rule: libbpf 1.8, linker_append_sec_data. */
export const appendContents = (output: LinkerOutput, object: SourceObject, messages: LinkerMessages): void => {
  for (const [i, source] of object.sections.entries()) {
    if (i === 0 || !isData(source)) continue;
    let target = output.find(source.name);
    if (!target) target = output.addFor(source);
    else {
      output.requireMatch(target, source, `ELF sections ${source.name} are incompatible`);
      if (SHARED.includes(source.name)) {
        if (!target.hasContentOf(source)) {
          messages.fail('EINVAL', `non-identical contents of section '${source.name}' are not supported`);
        }
        source.skipped = true;
        source.target = target;
        continue;
      }
    }
    source.target = target;
    output.extend(target, source);
  }
};

/**
 * A relocation against a section: the instruction says where in it, so that it changes with the place of the section's
 * contents. Calls count instructions.
 */
const moveTarget = (code: OutputSection, offset: bigint, by: number, le: boolean): void => {
  const { data } = code;
  if (offset + BigInt(INSN_BYTES) > BigInt(data.length)) return;
  const at = Number(offset);
  const view = viewOf(data);
  const delta = data[at] === CALL ? by / INSN_BYTES : by;
  view.setInt32(at + 4, (view.getInt32(at + 4, le) + Math.trunc(delta)) | 0, le);
};

/** Appends relocations, with numbers of symbols and offsets of the result. Throws ObjectError. */
export const appendRelocations = (output: LinkerOutput, object: SourceObject, messages: LinkerMessages): void => {
  const le = object.littleEndian;
  const sectionOf = (symbol: RawSymbol): SourceSection | undefined =>
    typeOf(symbol) === STT.SECTION ? object.sections[symbol.section] : undefined;
  for (const [i, source] of object.sections.entries()) {
    if (i === 0 || source.skipped || source.ephemeral || source.type !== SHT.REL) continue;
    const linked = object.sections[source.info];
    if (linked.skipped) continue;
    let target = output.find(source.name);
    if (!target) target = output.addFor(source);
    else output.requireMatch(target, source, `sections ${source.name} are not compatible`);
    const code = output.targetOf(linked);
    target.link = output.symtab.index;
    target.info = code.index;
    source.target = target;
    output.extend(target, source);
    for (const [n, { offset, symbol, type }] of readRelocations(source.data, le).entries()) {
      const moved = { offset: offset + BigInt(linked.targetOffset), symbol: object.symbolMap[symbol], type };
      putRelocation(target.data, source.targetOffset + n * REL_BYTES, moved, le);
      if (typeOf(object.symbols[symbol]) !== STT.SECTION) continue;
      if (!(linked.flags & BigInt(SHF.EXECINSTR))) {
        messages.fail('EINVAL', 'relocation against STT_SECTION in non-exec section is not supported!');
      }
      const against = sectionOf(object.symbols[symbol]);
      if (against) moveTarget(code, moved.offset, against.targetOffset, le);
    }
  }
};
