// Calls of helpers, of kernel functions, of the program's own functions, and tail calls.
import { CALL_KIND } from '../../../isa/opcode.ts';
import { HELPER } from '../../../isa/uapi.ts';
import { shiftLeft } from './alu.ts';
import { emitAddress, emitMov, emitMov64 } from './constants.ts';
import {
  ADD_SUB_IMM,
  ADD_SUB_REG,
  addSubImm,
  BRANCH_REG,
  bCond,
  bl,
  branchReg,
  COND,
  cbz,
  isLoadStoreOffset,
  LOAD_STORE_IMM,
  LOAD_STORE_REG,
  loadStoreImm,
  loadStoreReg,
  mrs,
  SYSTEM_REG,
  threeReg,
  WORD,
} from './encoding.ts';
import { leaveStack, move, tailCallOffset } from './entry.ts';
import type { Frame, Op } from './frame.ts';
import { WORD_BYTES } from './frame.ts';
import { giveUp } from './give-up.ts';
import { R0, R2, R3, RESULT, TAIL_COUNTER, TMP1, TMP2, TMP3, ZERO } from './registers.ts';
import { threadInfoCpu } from './settings.ts';

/** How far bl reaches, in bytes either way. */
const REACH = 1n << 27n;
/** Tail calls that one entry may lead to. */
const MAX_TAIL_CALLS = 33n;
/** Function with a calling convention of its own: its result stays where it is. */
const TIMED_MAY_GOTO = 'arch_bpf_timed_may_goto';

/** Helpers that the emitter does itself, by number. rule: bpf_jit_inlines_helper_call, 6.18 */
export const INLINED_HELPERS: ReadonlySet<number> = new Set([
  HELPER.get_smp_processor_id,
  HELPER.get_current_task,
  HELPER.get_current_task_btf,
]);

function emitInlined(frame: Frame, helper: number): void {
  if (helper !== HELPER.get_smp_processor_id) {
    frame.emit(mrs(R0, SYSTEM_REG.SP_EL0));
    return;
  }
  const offset = threadInfoCpu(frame.image, frame.settings);
  frame.emit(mrs(TMP1, SYSTEM_REG.SP_EL0));
  if (isLoadStoreOffset(offset, 2)) {
    frame.emit(loadStoreImm(LOAD_STORE_IMM.LOAD, 2, R0, TMP1, offset));
  } else {
    emitMov(frame, true, TMP2, offset);
    frame.emit(loadStoreReg(LOAD_STORE_REG.LOAD, 2, R0, TMP1, TMP2));
  }
}

/** Address of what is called; undefined while that is a function not compiled yet. */
function target(frame: Frame, { kind, off, imm }: Op): bigint | undefined {
  if (kind !== CALL_KIND.PSEUDO) return BigInt.asUintN(64, frame.symbol('__bpf_call_base') + BigInt(imm));
  if (!frame.functions) return undefined;
  const address = frame.functions[off];
  if (address === undefined) throw giveUp(`there is no function ${off}`);
  return address;
}

/** Any call but a tail call. rule: emit_call and the CALL case of build_insn, 6.18 */
export function emitCallInsn(frame: Frame, op: Op): void {
  if (op.kind === CALL_KIND.HELPER && INLINED_HELPERS.has(op.imm)) {
    emitInlined(frame, op.imm);
    return;
  }
  const address = target(frame, op);
  const distance = address && frame.pc !== undefined ? address - frame.pc : undefined;
  if (distance !== undefined && distance >= -REACH && distance < REACH) {
    if (distance & 3n) throw giveUp('a call to an odd address');
    frame.emit(bl(Number(distance) / WORD_BYTES));
  } else {
    emitAddress(frame, TMP1, address ?? 0n);
    frame.emit(branchReg(BRANCH_REG.BLR, TMP1));
  }
  if (address === undefined || address !== frame.image.symbolAddress(TIMED_MAY_GOTO)) {
    frame.emit(move(true, R0, RESULT));
  }
}

/**
 * bpf_tail_call(ctx, map r2, index r3): on with the program in the slot, or with the next instruction if there is none.
 * Also with a known map and index, since arm64 has no jumps to patch. rule: emit_bpf_tail_call, 6.18
 */
export function emitTailCall(frame: Frame): void {
  const offset = (struct: string, member: string): bigint => BigInt(frame.image.offsetOf(struct, member));
  const branches: { at: number; word: (words: number) => number }[] = [];
  const branchOut = (word: (words: number) => number): void => {
    branches.push({ at: frame.at, word });
    frame.emit(WORD.NOP);
  };
  const carrySet = (words: number): number => bCond(COND.CS, words);

  // Is the index beyond the map?
  emitMov64(frame, TMP1, offset('bpf_array', 'map.max_entries'));
  frame.emit(
    loadStoreReg(LOAD_STORE_REG.LOAD, 2, TMP1, R2, TMP1),
    move(false, R3, R3),
    threeReg(ADD_SUB_REG.SUBS, false, ZERO, R3, TMP1),
  );
  branchOut(carrySet);
  // Were there too many already?
  emitMov64(frame, TMP1, MAX_TAIL_CALLS);
  frame.emit(
    loadStoreImm(LOAD_STORE_IMM.LOAD, 3, TMP3, TAIL_COUNTER, 0),
    threeReg(ADD_SUB_REG.SUBS, true, ZERO, TMP3, TMP1),
  );
  branchOut(carrySet);
  frame.emit(addSubImm(ADD_SUB_IMM.ADD, true, TMP3, TMP3, 1));
  // Is the slot empty?
  emitMov64(frame, TMP1, offset('bpf_array', 'ptrs'));
  frame.emit(
    threeReg(ADD_SUB_REG.ADD, true, TMP1, R2, TMP1),
    shiftLeft(true, TMP2, 3, R3),
    loadStoreReg(LOAD_STORE_REG.LOAD, 3, TMP2, TMP1, TMP2),
  );
  branchOut((words) => cbz(true, TMP2, words));
  // Count it, leave this function and enter the other one behind its prologue.
  frame.emit(loadStoreImm(LOAD_STORE_IMM.STORE, 3, TMP3, TAIL_COUNTER, 0));
  leaveStack(frame);
  emitMov64(frame, TMP1, offset('bpf_prog', 'bpf_func'));
  frame.emit(
    loadStoreReg(LOAD_STORE_REG.LOAD, 3, TMP1, TMP2, TMP1),
    addSubImm(ADD_SUB_IMM.ADD, true, TMP1, TMP1, WORD_BYTES * tailCallOffset(frame.settings)),
    branchReg(BRANCH_REG.BR, TMP1),
  );
  for (const { at, word } of branches) frame.words[at] = word(frame.at - at) >>> 0;
}
