// What a loader program must know of a program besides the attributes of its load.
import { BTF_KIND } from '../../btf/kinds.ts';
import type { LoadState, ProgramState } from '../load-state.ts';
import { RELOC } from '../spec.ts';
import { Fields } from './fields.ts';
import type { SymbolReference } from './kernel-symbols.ts';
import { CORE_RELO_BYTES } from './layouts.ts';
import type { ProgramExtras } from './loader-program.ts';

const INSN_BYTES = 8;

/** References to the kernel's symbols and types, in the order of the program's relocations. */
export function loaderExtras(state: LoadState, program: ProgramState): ProgramExtras {
  const references: SymbolReference[] = [];
  const coreRelos: Uint8Array[] = [];
  for (const { type, insn, extern, core } of program.relocs) {
    if (core) {
      const relo = new Fields(CORE_RELO_BYTES)
        .u32(0, insn * INSN_BYTES)
        .u32(4, core.typeId)
        .u32(8, core.accessOffset)
        .u32(12, core.kind);
      coreRelos.push(relo.bytes);
    } else if (type === RELOC.EXTERN_LD64 || type === RELOC.EXTERN_CALL) {
      const { kind, name, weak, func, typeId } = state.externs[extern].spec;
      const load = type === RELOC.EXTERN_LD64;
      if (load && kind !== 'ksym') continue;
      const btfKind = load && !func ? BTF_KIND.VAR : BTF_KIND.FUNC;
      references.push({ name, weak, typeless: load && typeId === 0, load, kind: btfKind, insn });
    }
  }
  return { index: state.programs.indexOf(program), references, coreRelos: Buffer.concat(coreRelos) };
}
