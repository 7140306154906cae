// Conditional jumps: which sides are followed and what each knows. Rule: check_cond_jmp_op and is_branch_taken,
// verifier.c, 6.18.
import { ERRNO } from '../../errno.ts';
import type { Insn } from '../../isa/insn.ts';
import { CLASS, insnClass, insnOp, insnSrc, JMP, SRC } from '../../isa/opcode.ts';
import { flipComparison, refineBranches, scalarBranchTaken } from './branch-ranges.ts';
import type { VerifierEnv } from './env.ts';
import { pushInsnHistory } from './history.ts';
import { collectLinkedRegs, syncLinkedRegs } from './linked-regs.ts';
import { LOG } from './log.ts';
import { findPrevEntry, widenImpreciseScalars } from './loops.ts';
import { markPtrNotNull, markPtrOrNullRegs } from './null-check.ts';
import { pktBranchTaken, tryMatchPktPointers } from './packet-range.ts';
import { pushStack } from './path.ts';
import { isPktPointerAny, isPointer, isPointerValue, regNotNull } from './pointer-kinds.ts';
import { markChainPrecision } from './precision.ts';
import { printInsnState } from './print-state.ts';
import { checkRegArg } from './reg-access.ts';
import { isRegConst, markRegKnown, regConst } from './scalar-marks.ts';
import { pushSpeculativePath } from './speculation.ts';
import {
  baseType,
  HISTORY_FLAG,
  type LinkedReg,
  mayBeNull,
  NO_REG,
  REG,
  type RegState,
  type VerifierState,
} from './types.ts';

const MAY_GOTO_CODE = CLASS.JMP | JMP.JCOND;

/** Outcome of comparing a pointer with 0, where it is certain. */
function pointerBranchTaken(a: RegState, b: RegState, opcode: number, narrow: boolean): number {
  const [pointer, scalar, op] = isRegConst(b, narrow) ? [a, b, opcode] : [b, a, flipComparison(opcode)];
  if (!isRegConst(scalar, narrow) || !regNotNull(pointer) || regConst(scalar, narrow) !== 0n) return -1;
  if (op === JMP.JEQ) return 0;
  return op === JMP.JNE ? 1 : -1;
}

/** 1 if `a op b` is certain, 0 if it is certainly not, -1 if unknown. With `narrow` the low halves are compared. */
export function branchTaken(a: RegState, b: RegState, op: number, narrow: boolean): number {
  if (!narrow && isPktPointerAny(a) && isPktPointerAny(b)) return pktBranchTaken(a, b, op);
  if (isPointer(a) || isPointer(b)) return pointerBranchTaken(a, b, op, narrow);
  return scalarBranchTaken(a, b, op, narrow);
}

function refuse(env: VerifierEnv, errno: number, message: string): number {
  env.log.write(message);
  return -errno;
}

/** may_goto: leaving the loop is this path's business, staying in it a pushed one's. */
function checkMayGoto(env: VerifierEnv, insn: Insn): number {
  const { insnIdx, state } = env;
  if (insn.code !== MAY_GOTO_CODE || insn.src !== 0 || insn.dst !== 0 || insn.imm !== 0) {
    return refuse(env, ERRNO.EINVAL, `invalid may_goto imm ${insn.imm}\n`);
  }
  // Each may_goto is a checkpoint, so there is a state before this one.
  const previous = state.parent && findPrevEntry(env, state.parent, insnIdx);
  const queued = pushStack(env, insnIdx + 1, insnIdx, false);
  if (queued === undefined) return -ERRNO.ENOMEM;
  queued.mayGotoDepth++;
  if (previous !== undefined) widenImpreciseScalars(env, previous, queued);
  env.insnIdx = insnIdx + insn.off;
  return 0;
}

const pointerComparison = (env: VerifierEnv, regno: number): number =>
  refuse(env, ERRNO.EACCES, `R${regno} pointer comparison prohibited\n`);

const RESERVED = 'BPF_JMP/JMP32 uses reserved fields\n';

/** Checks the second operand and gives it as a register, or an error. */
function secondOperand(env: VerifierEnv, insn: Insn, dst: RegState): RegState | number {
  if (insnSrc(insn.code) === SRC.K) {
    if (insn.src !== 0) return refuse(env, ERRNO.EINVAL, RESERVED);
    const fake = env.fakeRegs[0];
    fake.copy(NO_REG);
    fake.type = REG.SCALAR;
    markRegKnown(fake, BigInt(insn.imm));
    return fake;
  }
  if (insn.imm !== 0) return refuse(env, ERRNO.EINVAL, RESERVED);
  const err = checkRegArg(env, insn.src, 'src');
  if (err !== 0) return err;
  const src = env.regs[insn.src];
  const packets = isPktPointerAny(dst) && isPktPointerAny(src);
  return !packets && isPointerValue(env, insn.src) ? pointerComparison(env, insn.src) : src;
}

/** Stack pointers among the operands, for the history. */
function stackFlags(insn: Insn, dst: RegState, src: RegState): number {
  let flags = 0;
  if (insnSrc(insn.code) === SRC.X && src.type === REG.STACK) flags |= HISTORY_FLAG.SRC_REG_STACK;
  if (dst.type === REG.STACK) flags |= HISTORY_FLAG.DST_REG_STACK;
  return flags;
}

function printBranchState(env: VerifierEnv): void {
  if (env.log.wants(LOG.ANY_PATH)) printInsnState(env, env.state, env.state.curframe);
}

/** Only one side can be reached; the other is followed as wrong-path execution where that matters. */
function followOneSide(env: VerifierEnv, insn: Insn, dst: RegState, src: RegState, jumps: boolean): number {
  let err = isPointer(dst) ? 0 : markChainPrecision(env, insn.dst);
  if (err === 0 && insnSrc(insn.code) === SRC.X && !isPointer(src)) err = markChainPrecision(env, insn.src);
  if (err !== 0) return err;
  const { insnIdx } = env;
  const dead = jumps ? insnIdx + 1 : insnIdx + insn.off + 1;
  if (!env.bypassSpecV1 && pushSpeculativePath(env, insn, dead, insnIdx) === undefined) return -ERRNO.EFAULT;
  printBranchState(env);
  if (jumps) env.insnIdx += insn.off;
  return 0;
}

/** Records the scalars that share an id with an operand, for backtracking and for syncLinkedRegs(). */
function linkOperands(env: VerifierEnv, insn: Insn, dst: RegState, src: RegState): LinkedReg[] {
  const linked: LinkedReg[] = [];
  const { state } = env;
  if (insnSrc(insn.code) === SRC.X && src.type === REG.SCALAR && src.id !== 0) {
    collectLinkedRegs(env, state, src.id, linked);
  }
  if (dst.type === REG.SCALAR && dst.id !== 0) collectLinkedRegs(env, state, dst.id, linked);
  if (linked.length > 1) pushInsnHistory(env, state, 0, linked);
  return linked;
}

/** What both sides learned of an operand goes to the scalars tied to it. */
function syncOperand(env: VerifierEnv, other: VerifierState, regno: number, linked: readonly LinkedReg[]): void {
  const reg = env.regs[regno];
  if (reg.type !== REG.SCALAR || reg.id === 0 || reg.id !== other.cur.regs[regno].id) return;
  syncLinkedRegs(env.state, reg, linked);
  syncLinkedRegs(other, other.cur.regs[regno], linked);
}

/** Two pointers, one of which may be NULL: where they are equal it is not. BTF pointers may be NULL without saying so. */
function liftNullOfEqual(env: VerifierEnv, insn: Insn, other: VerifierState, dst: RegState, src: RegState): void {
  if (!isPointer(src) || !isPointer(dst) || mayBeNull(src.type) === mayBeNull(dst.type)) return;
  if (baseType(src.type) === REG.BTF_ID || baseType(dst.type) === REG.BTF_ID) return;
  const op = insnOp(insn.code);
  if (op !== JMP.JEQ && op !== JMP.JNE) return;
  const frame = op === JMP.JEQ ? other.cur : env.state.cur;
  markPtrNotNull(frame.ownReg(mayBeNull(src.type) ? insn.src : insn.dst));
}

/** What a comparison of pointers says of them; -EACCES if this program must not make it. */
function learnAboutPointers(env: VerifierEnv, insn: Insn, other: VerifierState, dst: RegState): number {
  const narrow = insnClass(insn.code) === CLASS.JMP32;
  const withReg = insnSrc(insn.code) === SRC.X;
  const op = insnOp(insn.code);
  const src = env.regs[insn.src];
  if (!narrow && withReg) liftNullOfEqual(env, insn, other, dst, src);
  const equality = op === JMP.JEQ || op === JMP.JNE;
  if (!narrow && !withReg && insn.imm === 0 && equality && mayBeNull(dst.type)) {
    markPtrOrNullRegs(env.state, insn.dst, op === JMP.JNE);
    markPtrOrNullRegs(other, insn.dst, op === JMP.JEQ);
    return 0;
  }
  if (tryMatchPktPointers(insn, dst, src, env.state, other)) return 0;
  return isPointerValue(env, insn.dst) ? pointerComparison(env, insn.dst) : 0;
}

/** Both sides can be reached: the jump is pushed, this path goes on behind it. */
function followBothSides(env: VerifierEnv, insn: Insn, dst: RegState, src: RegState): number {
  const withReg = insnSrc(insn.code) === SRC.X;
  const narrow = insnClass(insn.code) === CLASS.JMP32;
  const linked = linkOperands(env, insn, dst, src);
  const other = pushStack(env, env.insnIdx + insn.off + 1, env.insnIdx, false);
  if (other === undefined) return -ERRNO.EFAULT;
  const otherDst = other.cur.ownReg(insn.dst);
  let otherSrc = src;
  let thisSrc = src;
  if (withReg) {
    otherSrc = other.cur.ownReg(insn.src);
  } else {
    thisSrc = env.fakeRegs[1];
    thisSrc.copy(src);
  }
  const err = refineBranches(env, otherDst, otherSrc, dst, thisSrc, insnOp(insn.code), narrow);
  if (err !== 0) return err;
  if (withReg) syncOperand(env, other, insn.src, linked);
  syncOperand(env, other, insn.dst, linked);
  const refused = learnAboutPointers(env, insn, other, dst);
  if (refused !== 0) return refused;
  printBranchState(env);
  return 0;
}

/**
 * A conditional jump or may_goto at env.insnIdx: 0, or a negative errno with a message. Leaves in env.insnIdx the
 * instruction before the one where this path goes on; the caller steps over it.
 */
export function checkCondJmpOp(env: VerifierEnv, insn: Insn): number {
  const op = insnOp(insn.code);
  if (op === JMP.JA || op > JMP.JCOND) {
    return refuse(env, ERRNO.EINVAL, `invalid BPF_JMP/JMP32 opcode ${op.toString(16)}\n`);
  }
  if (op === JMP.JCOND) return checkMayGoto(env, insn);

  const err = checkRegArg(env, insn.dst, 'src');
  if (err !== 0) return err;
  const dst = env.regs[insn.dst];
  const src = secondOperand(env, insn, dst);
  if (typeof src === 'number') return src;
  const flags = stackFlags(insn, dst, src);
  if (flags !== 0) {
    const refused = pushInsnHistory(env, env.state, flags);
    if (refused !== 0) return refused;
  }
  const taken = branchTaken(dst, src, op, insnClass(insn.code) === CLASS.JMP32);
  return taken >= 0 ? followOneSide(env, insn, dst, src, taken === 1) : followBothSides(env, insn, dst, src);
}
