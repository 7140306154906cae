// One step back: which registers and slots must be known before an instruction so that those looked for are known after
// it. Rule: backtrack_insn, verifier.c, 6.18.
import { ERRNO } from '../../errno.ts';
import type { Insn } from '../../isa/insn.ts';
import { ALU, CALL_KIND, CLASS, insnClass, insnMode, insnOp, insnSrc, JMP, MODE, SRC } from '../../isa/opcode.ts';
import { HELPER } from '../../isa/uapi.ts';
import type { Backtrack } from './backtrack-state.ts';
import type { VerifierEnv } from './env.ts';
import { flagsFrameno, flagsSpi } from './history.ts';
import { callsSyncCallback, isAtomicLoad, isPseudoCall } from './insn-kinds.ts';
import { LOG } from './log.ts';
import { verboseInsn } from './print-insn.ts';
import { regMaskText, slotMaskText } from './slot-mask.ts';
import { findSubprog, subprogIsGlobal } from './subprogs.ts';
import { FP, HISTORY_FLAG, type HistoryEntry, MAX_CALL_FRAMES } from './types.ts';
import { verifierBug } from './verifier-bug.ts';

/** R1 to R5. */
export const ARG_REGS = 0x3e;

/** If one of the registers tied together by a comparison is looked for, all of them are. */
function syncLinked(bt: Backtrack, entry: HistoryEntry | undefined): void {
  if (entry === undefined || entry.linked.length === 0) return;
  const wanted = entry.linked.some((e) =>
    e.isReg ? (bt.regs[e.frameno] & (1 << e.regno)) !== 0 : bt.hasSlot(e.frameno, e.regno),
  );
  if (!wanted) return;
  for (const e of entry.linked) {
    if (e.isReg) bt.regs[e.frameno] |= 1 << e.regno;
    else bt.setSlot(e.frameno, e.regno);
  }
}

function enterFrame(env: VerifierEnv, bt: Backtrack): number {
  if (bt.frame === MAX_CALL_FRAMES - 1) return verifierBug(env, `subprog enter from frame ${bt.frame}`);
  bt.frame++;
  return 0;
}

function leaveFrame(env: VerifierEnv, bt: Backtrack): number {
  if (bt.frame === 0) return verifierBug(env, 'subprog exit from frame 0');
  bt.frame--;
  return 0;
}

const regsHex = (bt: Backtrack): string => (bt.regs[bt.frame] >>> 0).toString(16);

function throughAlu(insn: Insn, bt: Backtrack): void {
  const { code, dst, src } = insn;
  if (!bt.hasReg(dst)) return;
  const op = insnOp(code);
  if (op === ALU.END || op === ALU.NEG) return;
  if (op === ALU.MOV) bt.clearReg(dst);
  if (insnSrc(code) === SRC.X && src !== FP) bt.setReg(src);
}

/** Only what was spilled to the stack keeps its precision in memory. */
const stackFlags = (entry: HistoryEntry | undefined): number =>
  entry !== undefined && (entry.flags & HISTORY_FLAG.STACK_ACCESS) !== 0 ? entry.flags : 0;

function throughLoad(insn: Insn, bt: Backtrack, entry: HistoryEntry | undefined): void {
  if (!bt.hasReg(insn.dst)) return;
  bt.clearReg(insn.dst);
  const flags = stackFlags(entry);
  if (flags !== 0) bt.setSlot(flagsFrameno(flags), flagsSpi(flags));
}

function throughStore(insn: Insn, bt: Backtrack, entry: HistoryEntry | undefined): number {
  // A number used as an address: pointers were subtracted somewhere.
  if (bt.hasReg(insn.dst)) return -ERRNO.ENOTSUPP;
  const flags = stackFlags(entry);
  if (flags === 0) return 0;
  const spi = flagsSpi(flags);
  const frame = flagsFrameno(flags);
  if (!bt.hasSlot(frame, spi)) return 0;
  bt.clearSlot(frame, spi);
  if (insnClass(insn.code) === CLASS.STX) bt.setReg(insn.src);
  return 0;
}

function throughPseudoCall(env: VerifierEnv, idx: number, subseqIdx: number, bt: Backtrack): number {
  const subprog = findSubprog(env, idx + env.insns[idx].imm + 1);
  if (subprog < 0) return -ERRNO.EFAULT;
  if (subprogIsGlobal(env, subprog)) {
    if (idx + 1 !== subseqIdx) verifierBug(env, 'extra insn from subprog', 'idx + 1 != subseq_idx');
    if ((bt.regs[bt.frame] & ARG_REGS) !== 0) return verifierBug(env, `global subprog unexpected regs ${regsHex(bt)}`);
    bt.clearReg(0);
    return 0;
  }
  // The walk leaves the callee towards its caller: only arguments may still be looked for.
  if ((bt.regs[bt.frame] & ~ARG_REGS) !== 0) return verifierBug(env, `static subprog unexpected regs ${regsHex(bt)}`);
  if (bt.anySlot) return verifierBug(env, `static subprog leftover stack slots ${bt.slotsHex}`);
  const args = bt.regs[bt.frame] & ARG_REGS;
  if (args !== 0) {
    bt.regs[bt.frame] &= ~ARG_REGS;
    if (bt.frame > 0) bt.regs[bt.frame - 1] |= args;
  }
  return leaveFrame(env, bt);
}

/** From the first instruction of a callback to the call that runs it; its arguments do not come from there. */
function throughCallbackEntry(env: VerifierEnv, bt: Backtrack): number {
  if ((bt.regs[bt.frame] & ~ARG_REGS) !== 0) return verifierBug(env, `callback unexpected regs ${regsHex(bt)}`);
  if (bt.anySlot) return verifierBug(env, `callback leftover stack slots ${bt.slotsHex}`);
  bt.regs[bt.frame] &= ~ARG_REGS;
  return leaveFrame(env, bt);
}

function throughCall(env: VerifierEnv, insn: Insn, idx: number, subseqIdx: number, bt: Backtrack): number {
  // Such a call is refused after verification; be careful until then.
  if (insn.src === CALL_KIND.KFUNC && insn.imm === 0) return -ERRNO.ENOTSUPP;
  bt.clearReg(0);
  if ((bt.regs[bt.frame] & ARG_REGS) !== 0) return verifierBug(env, `backtracking call unexpected regs ${regsHex(bt)}`);
  if (insn.src === CALL_KIND.HELPER && insn.imm === HELPER.tail_call && subseqIdx - idx !== 1)
    return enterFrame(env, bt);
  return 0;
}

/** Into a function from its end: after a call returns what it gave in R0, after a callback nothing. */
function throughExit(env: VerifierEnv, subseqIdx: number, bt: Backtrack): number {
  if (subseqIdx >= 0 && env.aux[subseqIdx].callsCallback) bt.regs[bt.frame] &= ~ARG_REGS;
  if ((bt.regs[bt.frame] & ARG_REGS) !== 0) return verifierBug(env, `backtracking exit unexpected regs ${regsHex(bt)}`);
  const r0 = subseqIdx - 1 >= 0 && isPseudoCall(env.insns[subseqIdx - 1]) && bt.hasReg(0);
  bt.clearReg(0);
  const err = enterFrame(env, bt);
  if (err !== 0) return err;
  if (r0) bt.setReg(0);
  return 0;
}

function throughCompare(insn: Insn, bt: Backtrack, entry: HistoryEntry | undefined): void {
  if (insnSrc(insn.code) !== SRC.X) return;
  if (!bt.hasReg(insn.dst) && !bt.hasReg(insn.src)) return;
  const flags = entry === undefined ? 0 : entry.flags;
  if ((flags & HISTORY_FLAG.SRC_REG_STACK) === 0) bt.setReg(insn.src);
  if ((flags & HISTORY_FLAG.DST_REG_STACK) === 0) bt.setReg(insn.dst);
}

function throughJump(
  env: VerifierEnv,
  insn: Insn,
  idx: number,
  subseqIdx: number,
  entry: HistoryEntry | undefined,
): number {
  const bt = env.backtrack;
  const op = insnOp(insn.code);
  if (isPseudoCall(insn)) return throughPseudoCall(env, idx, subseqIdx, bt);
  if (callsSyncCallback(env, insn) && idx !== subseqIdx - 1) return throughCallbackEntry(env, bt);
  if (op === JMP.EXIT) return throughExit(env, subseqIdx, bt);
  let err = 0;
  if (op === JMP.CALL) err = throughCall(env, insn, idx, subseqIdx, bt);
  else throughCompare(insn, bt, entry);
  if (err === 0) syncLinked(bt, entry);
  return err;
}

function logStep(env: VerifierEnv, idx: number, bt: Backtrack): void {
  const regs = regMaskText(bt.regs[bt.frame]);
  const slots = slotMaskText(bt.slotsLow[bt.frame], bt.slotsHigh[bt.frame]);
  env.log.appendAscii(`mark_precise: frame${bt.frame}: regs=${regs} stack=${slots} before ${idx}: `);
  verboseInsn(env, idx);
}

/**
 * Steps env.backtrack back over the instruction `idx`, which ran just before `subseqIdx`. `entry` is what the history
 * holds of it. -ENOTSUPP: nobody can tell; -EFAULT: a mistake of the verifier.
 */
export function backtrackInsn(
  env: VerifierEnv,
  idx: number,
  subseqIdx: number,
  entry: HistoryEntry | undefined,
): number {
  const insn = env.insns[idx];
  const { code } = insn;
  if (code === 0) return 0;
  const bt = env.backtrack;
  if (env.log.wants(LOG.INSNS)) logStep(env, idx, bt);
  syncLinked(bt, entry);
  const kind = insnClass(code);
  if (kind === CLASS.ALU || kind === CLASS.ALU64) {
    if (!bt.hasReg(insn.dst)) return 0;
    throughAlu(insn, bt);
  } else if (kind === CLASS.LDX || isAtomicLoad(insn)) {
    if (!bt.hasReg(insn.dst)) return 0;
    throughLoad(insn, bt, entry);
  } else if (kind === CLASS.STX || kind === CLASS.ST) {
    const err = throughStore(insn, bt, entry);
    if (err !== 0) return err;
  } else if (kind === CLASS.JMP || kind === CLASS.JMP32) {
    return throughJump(env, insn, idx, subseqIdx, entry);
  } else if (kind === CLASS.LD) {
    if (!bt.hasReg(insn.dst)) return 0;
    bt.clearReg(insn.dst);
    if (insnMode(code) === MODE.IND || insnMode(code) === MODE.ABS) return -ERRNO.ENOTSUPP;
  }
  syncLinked(bt, entry);
  return 0;
}
