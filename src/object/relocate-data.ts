// References from code to maps, global data, kernel symbols and functions.
import { CALL_KIND, PSEUDO } from '../isa/opcode.ts';
import { poisonInsn } from './core/patch.ts';
import { errstr, ObjectError } from './errors.ts';
import { jumpTable } from './jump-table.ts';
import type { LoadState, ProgramState } from './load-state.ts';
import { RELOC, type RelocSpec } from './spec.ts';

/** Helper numbers that stand for a map that was not made, or a kernel function that was not found. */
export const POISON_MAP = 2001000000;
export const POISON_KFUNC = 2002000000;

/** Fills in the references of a linked program. Descriptors of maps come later. Throws ObjectError. */
export function relocateData(state: LoadState, program: ProgramState): void {
  const { messages } = state;
  program.relocs.forEach((reloc, i) => {
    const name = `prog '${program.spec.name}': relo #${i}: `;
    const low = program.insns[reloc.insn];
    switch (reloc.type) {
      case RELOC.MAP:
        loadMap(state, program, reloc, i);
        break;
      case RELOC.DATA: {
        const offset = reloc.map === state.spec.arenaMap ? state.arenaDataOffset : 0;
        program.insns[reloc.insn + 1].imm = (low.imm + reloc.offset + offset) | 0;
        low.src = PSEUDO.MAP_VALUE;
        loadMap(state, program, reloc, i);
        break;
      }
      case RELOC.EXTERN_LD64:
        loadExtern(state, program, reloc);
        break;
      case RELOC.EXTERN_CALL:
        callExtern(state, program, reloc, i);
        break;
      case RELOC.SUBPROG_ADDR:
        if (low.src !== PSEUDO.FUNC) {
          messages.warn(`${name}bad insn`);
          throw new ObjectError('EINVAL');
        }
        break;
      case RELOC.INSN_ARRAY:
        low.imm = jumpTable(state, program, reloc, i);
        low.src = PSEUDO.MAP_VALUE;
        low.off = 0;
        break;
    }
  });
}

function loadMap(state: LoadState, program: ProgramState, reloc: RelocSpec, index: number): void {
  const map = state.maps[reloc.map];
  const low = program.insns[reloc.insn];
  if (state.loader) {
    low.src = reloc.type === RELOC.MAP ? PSEUDO.MAP_IDX : PSEUDO.MAP_IDX_VALUE;
    low.imm = reloc.map;
    return;
  }
  if (map.autocreate) {
    if (reloc.type === RELOC.MAP) low.src = PSEUDO.MAP_FD;
    program.mapLoads.push({ insn: reloc.insn, map: reloc.map });
    return;
  }
  state.messages.debug(
    () =>
      `prog '${program.spec.name}': relo #${index}: poisoning insn #${reloc.insn} that loads ` +
      `map #${reloc.map} '${map.name}'`,
  );
  for (const insn of program.insns.slice(reloc.insn, reloc.insn + 2)) poisonInsn(insn, POISON_MAP + reloc.map);
}

function loadExtern(state: LoadState, program: ProgramState, reloc: RelocSpec): void {
  const extern = state.externs[reloc.extern];
  const low = program.insns[reloc.insn];
  const high = program.insns[reloc.insn + 1];
  const { config, typeId } = extern.spec;
  if (config) {
    const map = state.maps.findIndex((m) => m.spec.kind === 'kconfig');
    high.imm = config.offset;
    if (state.loader) {
      low.src = PSEUDO.MAP_IDX_VALUE;
      low.imm = map;
      return;
    }
    low.src = PSEUDO.MAP_VALUE;
    program.mapLoads.push({ insn: reloc.insn, map });
  } else if (typeId && extern.resolved) {
    low.src = PSEUDO.BTF_ID;
    low.imm = extern.btfId;
    high.imm = extern.btfObjFd;
  } else {
    low.imm = Number(BigInt.asIntN(32, extern.address));
    high.imm = Number(BigInt.asIntN(32, extern.address >> 32n));
  }
}

function callExtern(state: LoadState, program: ProgramState, reloc: RelocSpec, index: number): void {
  const extern = state.externs[reloc.extern];
  const insn = program.insns[reloc.insn];
  insn.src = CALL_KIND.KFUNC;
  if (extern.resolved) {
    insn.imm = extern.btfId;
    insn.off = extern.fdIndex;
    return;
  }
  state.messages.debug(
    () =>
      `prog '${program.spec.name}': relo #${index}: poisoning insn #${reloc.insn} that calls kfunc '${extern.spec.name}'`,
  );
  poisonInsn(insn, POISON_KFUNC + reloc.extern);
}

/** Runs `relocateData` and says whose references failed. */
export function relocateProgramData(state: LoadState, program: ProgramState): void {
  try {
    relocateData(state, program);
  } catch (error) {
    if (!(error instanceof ObjectError)) throw error;
    state.messages.warn(`prog '${program.spec.name}': failed to relocate data references: ${errstr(error.errno)}`);
    throw error;
  }
}
