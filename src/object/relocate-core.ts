// CO-RE: instructions that depend on the layout of kernel types are adapted to the kernel at hand.
import { type Btf, BtfError } from '../btf/btf.ts';
import { INSN_BYTES } from '../isa/insn.ts';
import { type CoreRelo, coreRelo } from './btf-ext.ts';
import { kindWord } from './btf-words.ts';
import { addCandidates, type Candidate } from './core/candidates.ts';
import { explainRelo } from './core/explain.ts';
import { CORE } from './core/kinds.ts';
import { patchInsn } from './core/patch.ts';
import { resolveRelo } from './core/resolve.ts';
import { errstr, ObjectError } from './errors.ts';
import { errnoOf } from './kernel-btf.ts';
import type { LoadState, ProgramState } from './load-state.ts';
import { Messages } from './print.ts';
import { findProgram } from './prog-relocs.ts';
import { sourcePlace } from './source-place.ts';
import { RELOC } from './spec.ts';

const EINVAL = 22;

/** Applies the CO-RE relocations of everything that is to be loaded. Throws ObjectError. Rule: libbpf 1.8. */
export function relocateCore(state: LoadState): void {
  const { spec, messages } = state;
  const { btf, btfExt } = spec;
  if (!btf || !btfExt || btfExt.coreRelos.groups.length === 0) return;
  const override = customBtf(state);
  const cache = new Map<number, Candidate[]>();
  for (const group of btfExt.coreRelos.groups) {
    const section = btf.str(group.nameOffset);
    if (section === '') throw new ObjectError('EINVAL');
    messages.debug(() => `sec '${section}': found ${group.count} CO-RE relocations`);
    for (let i = 0; i < group.count; i++) {
      const relo = coreRelo(btfExt.coreRelos, group, i);
      if (relo.insnOff % INSN_BYTES) throw new ObjectError('EINVAL');
      const at = relo.insnOff / INSN_BYTES;
      const index = findProgram(spec.programs, group.sectionIndex, at);
      if (index < 0) {
        messages.debug(
          () =>
            `sec '${section}': skipping CO-RE relocation #${i} for insn #${at} belonging to eliminated weak subprogram`,
        );
        continue;
      }
      const program = state.programs[index];
      if (program.autoload) relocateOne(state, override, cache, program, relo, i, at - program.spec.start);
    }
  }
}

/** BTF given in place of the kernel's, if any. */
function customBtf(state: LoadState): Btf | undefined {
  if (!state.customBtf) return undefined;
  try {
    return state.customBtf();
  } catch (error) {
    const { messages } = state;
    if (error instanceof BtfError) {
      if (error.warned) messages.warn(error.message);
      else messages.debug(() => error.message);
    }
    const errno = error instanceof BtfError ? error.errno : errnoOf(error);
    messages.warn(`failed to parse target BTF: ${errstr(errno)}`);
    throw new ObjectError(errno);
  }
}

function relocateOne(
  state: LoadState,
  override: Btf | undefined,
  cache: Map<number, Candidate[]>,
  program: ProgramState,
  relo: CoreRelo,
  index: number,
  at: number,
): void {
  const { messages } = state;
  const btf = state.spec.btf as Btf;
  const { name } = program.spec;
  program.relocs.push({ type: RELOC.CORE, insn: at, map: -1, offset: 0, extern: -1, size: 0, core: relo });
  if (state.loader) return;
  const refuse: (errno: number, what: string) => never = (errno, what) => {
    messages.warn(`prog '${name}': relo #${index}: failed to ${what}: ${errstr(errno)}`);
    const place = sourcePlace(state.spec, relo.sectionIndex, relo.insnOff);
    if (place !== undefined) messages.note(`prog '${name}': relo #${index} stands for ${place}`);
    throw new ObjectError(errno);
  };
  if (relo.typeId >= btf.count) refuse(EINVAL, 'relocate');
  let candidates = cache.get(relo.typeId) ?? [];
  if (relo.kind !== CORE.TYPE_ID_LOCAL && !cache.has(relo.typeId)) {
    if (btf.name(relo.typeId) === '') {
      messages.warn(
        `prog '${name}': relo #${index}: target candidate search failed for [${relo.typeId}] ` +
          `${kindWord(btf, relo.typeId)} : -${EINVAL}`,
      );
      refuse(EINVAL, 'relocate');
    }
    candidates = findCandidates(state, override, btf, relo.typeId);
    cache.set(relo.typeId, candidates);
  }
  const result = resolveRelo(btf, relo, index, candidates, name, messages);
  if (typeof result === 'number') refuse(-result, 'relocate');
  const error = patchInsn(program.insns, at, result, name, index, messages);
  if (error < 0) refuse(-error, `patch insn #${at}`);
}

/** A relocation with what libbpf leaves out: what is missing in the kernel, and where in the sources it is used. */
export function noteUnresolved(state: LoadState, program: string, relo: CoreRelo): void {
  const { spec, messages } = state;
  const btf = spec.btf as Btf;
  const silent = { ...state, messages: new Messages(undefined) };
  const reason = explainRelo(btf, relo, findCandidates(silent, customBtf(silent), btf, relo.typeId));
  if (reason === undefined) return;
  const place = sourcePlace(spec, relo.sectionIndex, relo.insnOff);
  messages.note(
    `prog '${program}': a CO-RE relocation cannot be resolved: ${reason} in the kernel's types` +
      (place === undefined ? '' : ` (${place})`),
  );
}

function findCandidates(state: LoadState, override: Btf | undefined, local: Btf, localId: number): Candidate[] {
  const { messages, kernelBtf } = state;
  const found: Candidate[] = [];
  addCandidates(found, local, localId, override ?? kernelBtf.vmlinux, 'vmlinux', 1, messages);
  if (found.length > 0 || override) return found;
  for (const module of kernelBtf.modules()) {
    addCandidates(found, local, localId, module.btf, module.name, kernelBtf.vmlinux.count, messages);
  }
  return found;
}
