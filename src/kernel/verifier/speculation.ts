// Guards against wrong-path execution for programs without CAP_PERFMON: limits that pointer arithmetic must be masked
// to, and paths that only a mispredicted branch takes. Rule: sanitize_*, retrieve_ptr_limit, verifier.c, 6.18.
import { ERRNO } from '../../errno.ts';
import type { Insn } from '../../isa/insn.ts';
import { ALU, insnOp, insnSrc, SRC } from '../../isa/opcode.ts';
import type { VerifierEnv } from './env.ts';
import { checkMapAccess } from './map-value.ts';
import { pushStack } from './path.ts';
import { markRegUnknown } from './scalar-marks.ts';
import { tnumIsConst, tnumStr } from './tnum.ts';
import { type InsnAux, MAX_STACK, REG, RegState, type VerifierState } from './types.ts';

/** Bits of InsnAux.aluState; the rewriter reads them. */
export const ALU_STATE = {
  SANITIZE_SRC: 1 << 0,
  SANITIZE_DST: 1 << 1,
  NEG_VALUE: 1 << 2,
  NON_POINTER: 1 << 3,
  IMMEDIATE: 1 << 4,
  /** SANITIZE_SRC or SANITIZE_DST */
  SANITIZE: 3,
} as const;

/** Why arithmetic cannot be made safe: negative, so that they travel like errors. */
const REASON = { BOUNDS: -1, TYPE: -2, PATHS: -3, LIMIT: -4, STACK: -5 } as const;

/** Carried from the check before pointer arithmetic to the one after it. */
export interface SanitizeWindow {
  aluState: number;
  aluLimit: number;
  maskToLeft: boolean;
}

export const newSanitizeWindow = (): SanitizeWindow => ({ aluState: 0, aluLimit: 0, maskToLeft: false });

export const sanitizeNeeded = (op: number): boolean => op === ALU.ADD || op === ALU.SUB;

const curAux = (env: VerifierEnv): InsnAux => env.aux[env.insnIdx];

const canSkip = (env: VerifierEnv, insn: Insn): boolean =>
  env.bypassSpecV1 || insnSrc(insn.code) === SRC.K || curAux(env).nospec;

/** Notes what the instruction has to be masked with; another path may have found something else. */
function noteAluState(aux: { aluState: number; aluLimit: number }, state: number, limit: number): number {
  if (aux.aluState !== 0 && (aux.aluState !== state || aux.aluLimit !== limit)) return REASON.PATHS;
  aux.aluState = state;
  aux.aluLimit = limit;
  return 0;
}

/** Arithmetic of two scalars: 0, or a reason for reportSanitation(). */
export const sanitizeValAlu = (env: VerifierEnv, insn: Insn): number =>
  canSkip(env, insn) ? 0 : noteAluState(curAux(env), ALU_STATE.NON_POINTER, 0);

/** Distance that the pointer may move before it leaves its object, or a reason. */
function ptrLimit(ptr: RegState, maskToLeft: boolean): number {
  let most: number;
  let limit: bigint;
  switch (ptr.type) {
    case REG.STACK:
      most = MAX_STACK + (maskToLeft ? 1 : 0);
      limit = -(ptr.varOff.value + BigInt(ptr.off));
      break;
    case REG.MAP_VALUE:
      most = ptr.map?.valueSize ?? 0;
      limit = (maskToLeft ? ptr.smin : ptr.umax) + BigInt(ptr.off);
      break;
    default:
      return REASON.TYPE;
  }
  const low = Number(BigInt.asUintN(32, limit));
  return low >= most ? REASON.LIMIT : low;
}

/**
 * Pushes a path for wrong-path execution only. With `insn`, of which the outcome was known, its operands may be
 * anything there.
 */
export function pushSpeculativePath(
  env: VerifierEnv,
  insn: Insn | undefined,
  nextIdx: number,
  curIdx: number,
): VerifierState | undefined {
  const branch = pushStack(env, nextIdx, curIdx, true);
  if (branch !== undefined && insn !== undefined) {
    markRegUnknown(env, branch.cur.ownReg(insn.dst));
    if (insnSrc(insn.code) === SRC.X) markRegUnknown(env, branch.cur.ownReg(insn.src));
  }
  return branch;
}

/** Where the register of a copy has to be put back. */
const saved = new RegState();

function pushMaskedPath(env: VerifierEnv, ptr: RegState, dst: RegState): number {
  // A masked offset may come out as zero: then the result is the pointer itself.
  const moved = ptr !== dst;
  if (moved) {
    saved.copy(dst);
    dst.copy(ptr);
  }
  const branch = pushSpeculativePath(env, undefined, env.insnIdx + 1, env.insnIdx);
  if (branch === undefined) return REASON.STACK;
  if (moved) dst.copy(saved);
  return 0;
}

/**
 * Before (`commit` false) and after (`commit` true) a pointer is moved: notes the masking, and follows the path where it
 * hits. 0, or a reason for reportSanitation().
 */
export function sanitizePtrAlu(
  env: VerifierEnv,
  insn: Insn,
  ptr: RegState,
  off: RegState,
  dst: RegState,
  window: SanitizeWindow,
  commit: boolean,
): number {
  if (canSkip(env, insn)) return 0;
  const offKnown = tnumIsConst(off.varOff);
  // On a speculative path the masking has been noted already.
  if (!env.state.speculative) {
    const offNegative = off.smin < 0n;
    if (!commit) {
      if (!offKnown && offNegative !== off.smax < 0n) return REASON.BOUNDS;
      window.maskToLeft = insnOp(insn.code) === ALU.ADD ? offNegative : !offNegative;
    }
    const limit = ptrLimit(ptr, window.maskToLeft);
    if (limit < 0) return limit;
    const err = commit ? noteCommitted(env, window, limit) : noteProposed(env, window, limit, off, ptr === dst);
    if (err < 0) return err;
  }
  return commit || offKnown ? 0 : pushMaskedPath(env, ptr, dst);
}

/** The window shrinks to how far the pointer moved. */
const noteCommitted = (env: VerifierEnv, window: SanitizeWindow, limit: number): number =>
  noteAluState(curAux(env), window.aluState, Math.abs((window.aluLimit - limit) | 0));

function noteProposed(
  env: VerifierEnv,
  window: SanitizeWindow,
  limit: number,
  off: RegState,
  ptrIsDst: boolean,
): number {
  const known = tnumIsConst(off.varOff);
  let state: number = ptrIsDst ? ALU_STATE.SANITIZE_SRC : ALU_STATE.SANITIZE_DST;
  if (off.smin < 0n) state |= ALU_STATE.NEG_VALUE;
  if (known) state |= ALU_STATE.IMMEDIATE;
  // Scalars that differ must not be taken as equal from now on: they may need other masks.
  else env.exploreAluLimits = true;
  return noteAluState(window, state, limit);
}

/** Marks the current instruction as reached, unless only wrong-path execution got here. */
export function sanitizeMarkInsnSeen(env: VerifierEnv): void {
  if (!env.state.speculative) env.aux[env.insnIdx].seen = env.passCnt;
}

/** Prints a reason; -EACCES or -ENOMEM. `off` and `dst` are the operands, if there is a pointer among them. */
export function reportSanitation(
  env: VerifierEnv,
  insn: Insn,
  reason: number,
  off: RegState | undefined,
  dst: RegState | undefined,
): number {
  const tail = 'pointer arithmetic with it prohibited for !root';
  const op = insnOp(insn.code) === ALU.ADD ? 'add' : 'sub';
  const offIsDst = off === dst;
  switch (reason) {
    case REASON.BOUNDS:
      env.log.write(`R${offIsDst ? insn.dst : insn.src} has unknown scalar with mixed signed bounds, ${tail}\n`);
      break;
    case REASON.TYPE:
      env.log.write(`R${offIsDst ? insn.src : insn.dst} has pointer with unsupported alu operation, ${tail}\n`);
      break;
    case REASON.PATHS:
      env.log.write(`R${insn.dst} tried to ${op} from different maps, paths or scalars, ${tail}\n`);
      break;
    case REASON.LIMIT:
      env.log.write(`R${insn.dst} tried to ${op} beyond pointer bounds, ${tail}\n`);
      break;
    default:
      env.log.write(`R${insn.dst} could not be pushed for speculative verification, ${tail}\n`);
      return -ERRNO.ENOMEM;
  }
  return -ERRNO.EACCES;
}

function checkStackArithmetic(env: VerifierEnv, regno: number, reg: RegState): number {
  const off = Number(BigInt.asIntN(32, BigInt(reg.off) + reg.varOff.value));
  if (!tnumIsConst(reg.varOff)) {
    const known = tnumStr(reg.varOff);
    env.log.write(`R${regno} variable stack access prohibited for !root, var_off=${known} off=${off}\n`);
    return -ERRNO.EACCES;
  }
  if (off >= 0 || off < -MAX_STACK) {
    env.log.write(`R${regno} stack pointer arithmetic goes out of range, prohibited for !root; off=${off}\n`);
    return -ERRNO.EACCES;
  }
  return 0;
}

/**
 * The moved pointer must still point into its object, or it could not be masked later. -EACCES, or -EOPNOTSUPP for
 * pointers that are not checked here.
 */
export function sanitizeCheckBounds(env: VerifierEnv, insn: Insn, dst: RegState): number {
  if (env.bypassSpecV1) return 0;
  switch (dst.type) {
    case REG.STACK:
      return checkStackArithmetic(env, insn.dst, dst);
    case REG.MAP_VALUE:
      if (checkMapAccess(env, insn.dst, dst.off, 1, false, 'helper') !== 0) {
        env.log.write(`R${insn.dst} pointer arithmetic of map value goes out of range, prohibited for !root\n`);
        return -ERRNO.EACCES;
      }
      return 0;
    default:
      return -ERRNO.EOPNOTSUPP;
  }
}
