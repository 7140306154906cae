// How a function begins and ends.
import { emitMov64 } from './constants.ts';
import {
  ADD_SUB_IMM,
  ADD_SUB_REG,
  addSubImm,
  BRANCH_REG,
  b,
  bCond,
  branchReg,
  COND,
  LOGIC_IMM,
  loadLiteral,
  logicImm,
  mrs,
  pop,
  push,
  SYSTEM_REG,
  threeReg,
  WORD,
} from './encoding.ts';
import type { Frame } from './frame.ts';
import { PRIVATE_STACK_GUARD } from './frame.ts';
import { logicalImmediate } from './logical-immediate.ts';
import {
  ALL_SAVED_PAIRS,
  ARENA_BASE,
  FP,
  FRAME_POINTER,
  LINK,
  PRIVATE_STACK,
  R0,
  R1,
  RESULT,
  SP,
  TAIL_COUNTER,
  TMP1,
  ZERO,
} from './registers.ts';
import type { Arm64Settings } from './settings.ts';

/** Registers of the main function that lie between its frame record and what the exception callback takes over. */
const CALLBACK_STACK_BYTES = 96;
/** Number of the firmware call that clears branch history. */
const ARM_SMCCC_ARCH_WORKAROUND_3 = 0x80003fffn;
/** Bytes of the address at the very end, which does not count as code. */
export const PLT_TARGET_BYTES = 8;

/** mov through an addition of nothing: the form that also knows the stack pointer. */
export const move = (wide: boolean, dst: number, src: number): number => addSubImm(ADD_SUB_IMM.ADD, wide, dst, src, 0);

/** Words of the prologue that a tail call jumps over. rule: PROLOGUE_OFFSET */
export const tailCallOffset = ({ bti, pac }: Arm64Settings): number => 6 + (bti ? 1 : 0) + (pac ? 1 : 0);

/** rule: build_prologue, 6.18 */
export function emitPrologue(frame: Frame): void {
  const { input, settings } = frame;
  if (settings.cfi) frame.emit(0);
  if (settings.bti) frame.emit(WORD.BTI_JC);
  frame.emit(move(true, 9, LINK), WORD.NOP);
  if (input.exceptionCallback) {
    // It runs on the frame of the main function, which it is told as third argument.
    frame.emit(move(true, FRAME_POINTER, 2), addSubImm(ADD_SUB_IMM.SUB, true, SP, FRAME_POINTER, CALLBACK_STACK_BYTES));
  } else {
    if (settings.pac) frame.emit(WORD.PACIASP);
    frame.emit(push(FRAME_POINTER, LINK), move(true, FRAME_POINTER, SP));
    pushTailCounter(frame);
    if (settings.bti && !frame.classic && !input.isSubprog) frame.emit(WORD.BTI_J);
    pushSaved(frame);
  }
  if (frame.usesFp) setFramePointer(frame);
  if (frame.stackSize && frame.privateStack === undefined) {
    frame.emit(addSubImm(ADD_SUB_IMM.SUB, true, SP, SP, frame.stackSize));
  }
  if (frame.arena && frame.hasArena) emitMov64(frame, ARENA_BASE, frame.arena.kernStart);
}

/** The main function keeps the counter on its stack, the others are told where. */
function pushTailCounter(frame: Frame): void {
  if (frame.input.isSubprog) frame.emit(push(TAIL_COUNTER, TAIL_COUNTER));
  else frame.emit(push(ZERO, TAIL_COUNTER), move(true, TAIL_COUNTER, SP));
}

function pushSaved(frame: Frame): void {
  if (frame.input.exceptionBoundary) {
    for (const [first, second] of ALL_SAVED_PAIRS) frame.emit(push(first, second));
    return;
  }
  const { saved } = frame;
  for (let i = 0; i < saved.length; i += 2) frame.emit(push(saved[i], saved[i + 1] ?? ZERO));
}

/** rule: pop_callee_regs, 6.18 */
function popSaved(frame: Frame): void {
  const { input, saved } = frame;
  if (input.exceptionBoundary || input.exceptionCallback) {
    for (const [first, second] of [...ALL_SAVED_PAIRS].reverse()) frame.emit(pop(first, second));
    return;
  }
  for (let i = (saved.length - 1) & ~1; i >= 0; i -= 2) frame.emit(pop(saved[i], saved[i + 1] ?? ZERO));
}

function setFramePointer(frame: Frame): void {
  if (frame.privateStack === undefined) {
    frame.emit(move(true, FP, SP));
    return;
  }
  emitMov64(frame, PRIVATE_STACK, frame.privateStack + BigInt(PRIVATE_STACK_GUARD));
  emitPerCpu(frame, PRIVATE_STACK);
  frame.emit(addSubImm(ADD_SUB_IMM.ADD, true, FP, PRIVATE_STACK, frame.stackSize));
}

/** Makes of a per-CPU pointer one of this CPU. */
export function emitPerCpu(frame: Frame, reg: number): void {
  const register = frame.settings.vhe ? SYSTEM_REG.TPIDR_EL2 : SYSTEM_REG.TPIDR_EL1;
  frame.emit(mrs(TMP1, register), threeReg(ADD_SUB_REG.ADD, true, reg, reg, TMP1));
}

/** Gives back stack and saved registers, the tail call counter excepted. */
export function leaveStack(frame: Frame): void {
  if (frame.stackSize && frame.privateStack === undefined) {
    frame.emit(addSubImm(ADD_SUB_IMM.ADD, true, SP, SP, frame.stackSize));
  }
  popSaved(frame);
}

/** rule: build_epilogue, 6.18 */
export function emitEpilogue(frame: Frame): void {
  leaveStack(frame);
  frame.emit(pop(ZERO, TAIL_COUNTER));
  if (frame.classic && frame.clearBranchHistory) clearHistory(frame);
  frame.emit(pop(FRAME_POINTER, LINK), move(true, RESULT, R0));
  if (frame.settings.pac) frame.emit(WORD.AUTIASP);
  frame.emit(branchReg(BRANCH_REG.RET, LINK));
}

/** rule: build_bhb_mitigation, 6.18 */
function clearHistory(frame: Frame): void {
  const { clearInstruction, loops, firmware } = frame.settings.branchHistory;
  if (clearInstruction) {
    frame.emit(WORD.CLEARBHB);
    return;
  }
  if (loops) {
    emitMov64(frame, R1, BigInt(loops));
    frame.emit(b(1), addSubImm(ADD_SUB_IMM.SUBS, true, R1, R1, 1), bCond(COND.NE, -2), WORD.DSB_ISH, WORD.ISB);
  }
  const pattern = logicalImmediate(ARM_SMCCC_ARCH_WORKAROUND_3, false);
  if (firmware && pattern !== undefined) {
    frame.emit(logicImm(LOGIC_IMM.ORR, false, R1, ZERO, pattern), firmware === 'hvc' ? WORD.HVC : WORD.SMC);
  }
}

/** The jump through which a far trampoline is reached; the address that it reads follows the code. rule: build_plt */
export function emitPlt(frame: Frame): void {
  if (frame.at % 2) frame.emit(WORD.NOP);
  frame.emit(loadLiteral(TMP1, 2), branchReg(BRANCH_REG.BR, TMP1));
}
