// Putting a program together: its own code, then each subprogram that it calls, with calls and records adjusted.
import { INSN_BYTES, type Insn, LDIMM64 } from '../isa/insn.ts';
import { CALL_KIND, PSEUDO } from '../isa/opcode.ts';
import type { InfoRecords } from '../syscall.ts';
import type { ExtTable } from './btf-ext.ts';
import { LIBBPF_ERRNO, ObjectError } from './errors.ts';
import type { LoadState, ProgramState } from './load-state.ts';
import { CALL_CODE, findProgram } from './prog-relocs.ts';
import { RELOC, type RelocSpec } from './spec.ts';

/** Calls within calls; Linux takes programs of at most 256 functions. */
const MAX_DEPTH = 2000;

const isSubprogramCall = (insn: Insn): boolean =>
  insn.code === CALL_CODE && insn.src === CALL_KIND.PSEUDO && insn.dst === 0 && insn.off === 0;

const isFunctionAddress = (insn: Insn): boolean => insn.code === LDIMM64 && insn.src === PSEUDO.FUNC;

/** Marks the loads of function addresses, so that linking sees them. */
export function markFunctionAddresses(programs: readonly ProgramState[]): void {
  for (const { insns, relocs } of programs) {
    for (const { type, insn } of relocs) if (type === RELOC.SUBPROG_ADDR) insns[insn].src = PSEUDO.FUNC;
  }
}

/** Appends to `main` everything that it calls. Throws ObjectError. Rule: libbpf 1.8. */
export function linkProgram(state: LoadState, main: ProgramState): void {
  for (const program of state.programs) if (program.spec.subprogram) program.offset = 0;
  linkFunction(state, main, main, 0);
}

/** The relocation of an instruction of the function itself. */
function relocAt(program: ProgramState, insn: number): RelocSpec | undefined {
  let low = 0;
  let high = program.relocs.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const difference = program.relocs[middle].insn - insn;
    if (difference === 0) return program.relocs[middle];
    if (difference < 0) low = middle + 1;
    else high = middle - 1;
  }
  return undefined;
}

function linkFunction(state: LoadState, main: ProgramState, program: ProgramState, depth: number): void {
  const { messages, spec } = state;
  const { name } = program.spec;
  const refuse: (text: string) => never = (text) => {
    messages.warn(`prog '${name}': ${text}`);
    throw new ObjectError(LIBBPF_ERRNO.RELOC);
  };
  if (depth > MAX_DEPTH) throw new ObjectError('E2BIG');
  addInfo(state, main, program);
  const own = program.spec.insns.length;
  for (let i = 0; i < own; i++) {
    const insn = main.insns[program.offset + i];
    const address = isFunctionAddress(insn);
    if (!address && !isSubprogramCall(insn)) continue;
    const reloc = relocAt(program, i);
    if (reloc?.type === RELOC.EXTERN_CALL) continue;
    let target: number;
    if (reloc) {
      if (reloc.type === RELOC.CALL) target = reloc.offset / INSN_BYTES + insn.imm + 1;
      else if (reloc.type === RELOC.SUBPROG_ADDR) target = Math.trunc((reloc.offset + insn.imm) / INSN_BYTES);
      else refuse(`unexpected relo for insn #${i}, type ${reloc.type}`);
    } else if (address) {
      refuse(`missing subprog addr relo for insn #${i}`);
    } else {
      // A call within the section: the distance is already right for where the code was.
      target = program.spec.start + i + insn.imm + 1;
    }
    const index = spec.textSection ? findProgram(spec.programs, spec.textSection, target) : -1;
    if (index < 0) refuse('no .text section found yet sub-program call exists');
    const callee = state.programs[index];
    if (callee.offset === 0) {
      appendFunction(state, main, callee);
      linkFunction(state, main, callee, depth + 1);
    }
    insn.imm = callee.offset - (program.offset + i) - 1;
    messages.debug(
      () =>
        `prog '${name}': insn #${i} relocated, imm ${insn.imm} points to subprog '${callee.spec.name}' ` +
        `(now at ${callee.offset} offset)`,
    );
  }
}

function appendFunction(state: LoadState, main: ProgramState, callee: ProgramState): void {
  callee.offset = main.insns.length;
  for (const insn of callee.insns) main.insns.push({ ...insn });
  state.messages.debug(
    () => `prog '${main.spec.name}': added ${callee.insns.length} insns from sub-prog '${callee.spec.name}'`,
  );
  for (const reloc of callee.relocs) main.relocs.push({ ...reloc, insn: reloc.insn + callee.offset });
  main.parts.push({ start: callee.spec.start, offset: callee.offset });
}

/** Function and line records of one function; undefined when it has none. */
function recordsOf(table: ExtTable, program: ProgramState): Uint8Array | undefined {
  const { start, sectionIndex } = program.spec;
  const group = table.groups.find((g) => g.sectionIndex === sectionIndex);
  if (!group) return undefined;
  const view = new DataView(group.bytes.buffer, group.bytes.byteOffset, group.bytes.byteLength);
  const end = start + program.spec.insns.length;
  let from = -1;
  let to = -1;
  for (let i = 0; i < group.count; i++) {
    const at = Math.floor(view.getUint32(i * table.recSize, true) / INSN_BYTES);
    if (at < start) continue;
    if (at >= end) break;
    if (from < 0) from = i;
    to = i + 1;
  }
  if (from < 0) return undefined;
  const out = group.bytes.slice(from * table.recSize, to * table.recSize);
  const records = new DataView(out.buffer);
  for (let at = 0; at < out.length; at += table.recSize) {
    const insn = Math.floor(records.getUint32(at, true) / INSN_BYTES);
    records.setUint32(at, insn + program.offset - start, true);
  }
  return out;
}

const joined = (recSize: number, old: InfoRecords | undefined, more: Uint8Array): InfoRecords => ({
  recSize,
  bytes: Buffer.concat([old?.bytes ?? new Uint8Array(), more]),
});

/** Appends the records of a function to those of the program; a subprogram without any is an error. */
function addInfo(state: LoadState, main: ProgramState, program: ProgramState): void {
  const { messages, features } = state;
  const { btfExt } = state.spec;
  if (!btfExt || !features.supports('BTF_FUNC')) return;
  const tables = [
    ['funcInfo', btfExt.funcInfo, 'function info', 'func info'],
    ['lineInfo', btfExt.lineInfo, 'line info', 'line info'],
  ] as const;
  for (const [field, table, what, short] of tables) {
    if (main !== program && !main[field]) continue;
    const records = recordsOf(table, program);
    if (records) {
      main[field] = joined(table.recSize, main[field], records);
    } else if (main[field]) {
      messages.warn(`prog '${program.spec.name}': missing .BTF.ext ${what}.`);
      throw new ObjectError('ENOENT');
    } else {
      messages.warn(
        `prog '${program.spec.name}': missing .BTF.ext ${what} for the main program, ` +
          `skipping all of .BTF.ext ${short}.`,
      );
    }
  }
}

/** Appends the function that handles the exceptions of `main`, unless it is there already. Throws ObjectError. */
export function linkExceptionCallback(state: LoadState, main: ProgramState): void {
  if (main.exceptionCallback < 0) return;
  const callback = state.programs[main.exceptionCallback];
  if (callback.offset !== 0) return;
  appendFunction(state, main, callback);
  linkFunction(state, main, callback, 0);
}
