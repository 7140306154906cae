// Operations whose operands are both scalars. Rule: adjust_scalar_min_max_vals, verifier.c, 6.18.
import { ERRNO } from '../../errno.ts';
import type { Insn } from '../../isa/insn.ts';
import { ALU, CLASS, insnClass, insnOp, insnSrc, SRC } from '../../isa/opcode.ts';
import { foldConstants } from './alu-constants.ts';
import { addScalar, andScalar, mulScalar, orScalar, subScalar, xorScalar } from './alu-ranges.ts';
import { arsh32, arsh64, byteSwap, lsh32, lsh64, rsh32, rsh64 } from './alu-shifts.ts';
import { zeroExtend32 } from './bounds-cast.ts';
import { isConstant, regBoundsSync } from './bounds-sync.ts';
import type { VerifierEnv } from './env.ts';
import { pushStack } from './path.ts';
import {
  clearScalarId,
  isRegConst,
  markReg32Known,
  markRegKnown,
  markRegUnknown,
  regConst,
  setKnownValue,
} from './scalar-marks.ts';
import { reportSanitation, sanitizeNeeded, sanitizeValAlu } from './speculation.ts';
import { tnumSubregIsConst } from './tnum.ts';
import { ADD_CONST_MASK, ADD_CONST32, ADD_CONST64, RegState, S32_MAX, S32_MIN, U32_MAX } from './types.ts';

const isWide = (insn: Insn): boolean => insnClass(insn.code) === CLASS.ALU64;

function shiftIsKnown(insn: Insn, src: RegState): boolean {
  const wide = isWide(insn);
  const known = wide
    ? src.varOff.mask === 0n && src.smin === src.smax && src.umin === src.umax
    : tnumSubregIsConst(src.varOff) && src.s32min === src.s32max && src.u32min === src.u32max;
  return known && src.umax < (wide ? 64n : 32n);
}

/** Divisions, and shifts by an unknown or too great amount, leave nothing known. */
function canCompute(insn: Insn, src: RegState): boolean {
  switch (insnOp(insn.code)) {
    case ALU.DIV:
    case ALU.MOD:
      return false;
    case ALU.LSH:
    case ALU.RSH:
    case ALU.ARSH:
      return shiftIsKnown(insn, src);
    default:
      return true;
  }
}

/**
 * A mask of all ones or all zeros (the result of an arithmetic shift by the width) that meets a constant: the two values
 * are followed apart. This path takes -1, the pushed one starts at this instruction again with 0.
 */
function forkMask(env: VerifierEnv, insn: Insn, dst: RegState): number {
  const whole = dst.smin === -1n && dst.smax === 0n;
  if (!whole && !(dst.s32min === -1 && dst.s32max === 0)) return 0;
  const branch = pushStack(env, env.insnIdx, env.insnIdx, false);
  if (branch === undefined) return -ERRNO.ENOMEM;
  const other = branch.cur.ownReg(insn.dst);
  if (whole) {
    markRegKnown(other, 0n);
    markRegKnown(dst, -1n);
  } else {
    markReg32Known(other, 0);
    markReg32Known(dst, -1);
  }
  return 0;
}

function applyOperation(env: VerifierEnv, insn: Insn, dst: RegState, src: RegState): number {
  const op = insnOp(insn.code);
  switch (op) {
    case ALU.ADD:
      addScalar(dst, src);
      break;
    case ALU.SUB:
      subScalar(dst, src);
      break;
    case ALU.NEG: {
      const before = env.fakeRegs[0];
      before.copy(dst);
      markRegKnown(dst, 0n);
      subScalar(dst, before);
      break;
    }
    case ALU.MUL:
      mulScalar(dst, src);
      break;
    case ALU.AND:
    case ALU.OR: {
      if (src.varOff.mask === 0n) {
        const err = forkMask(env, insn, dst);
        if (err !== 0) return err;
      }
      (op === ALU.AND ? andScalar : orScalar)(dst, src);
      break;
    }
    case ALU.XOR:
      xorScalar(dst, src);
      break;
    case ALU.LSH:
      (isWide(insn) ? lsh64 : lsh32)(dst, Number(src.umax));
      break;
    case ALU.RSH:
      (isWide(insn) ? rsh64 : rsh32)(dst, Number(src.umax));
      break;
    case ALU.ARSH:
      (isWide(insn) ? arsh64 : arsh32)(dst, Number(src.umax));
      break;
    case ALU.END:
      byteSwap(dst, insn);
      break;
  }
  return 0;
}

const FORGETS: ReadonlySet<number> = new Set([ALU.NEG, ALU.AND, ALU.OR, ALU.XOR]);

// Operand copies for instructions that name one register twice.
const srcCopy = new RegState();

/** `dst` takes the result; `src` may be the same object. Returns 0 or a negative errno, then with a message. */
export function adjustScalar(env: VerifierEnv, insn: Insn, dst: RegState, src: RegState): number {
  if (!canCompute(insn, src)) {
    markRegUnknown(env, dst);
    return 0;
  }
  const op = insnOp(insn.code);
  if (sanitizeNeeded(op)) {
    const reason = sanitizeValAlu(env, insn);
    if (reason < 0) return reportSanitation(env, insn, reason, undefined, undefined);
  }
  if (isConstant(dst) && isConstant(src)) {
    const result = foldConstants(insn, dst.varOff.value, src.varOff.value);
    // What the rules below forget about a constant besides its value has to be forgotten here too.
    if (FORGETS.has(op)) markRegKnown(dst, result);
    else setKnownValue(dst, result);
    if (op === ALU.END && (insn.imm < 64 || isWide(insn) || insnSrc(insn.code) === SRC.X)) clearScalarId(dst);
    return 0;
  }
  if (src === dst) srcCopy.copy(src);
  const err = applyOperation(env, insn, dst, src === dst ? srcCopy : src);
  if (err !== 0) return err;
  if (!isWide(insn) && op !== ALU.END) zeroExtend32(dst);
  regBoundsSync(dst);
  return 0;
}

/**
 * The constant by which `dst` now differs from the scalars that share its id, or undefined if the difference cannot be
 * kept. `umaxBefore` is what `dst` was bounded by before the operation.
 */
function linkedDelta(insn: Insn, src: RegState, umaxBefore: bigint): number | undefined {
  const wide = isWide(insn);
  const value = BigInt.asIntN(64, regConst(src, !wide));
  if (wide ? value < BigInt(S32_MIN) || value > BigInt(S32_MAX) : umaxBefore > BigInt(U32_MAX)) return undefined;
  const delta = Number(BigInt.asIntN(32, value));
  if (insnOp(insn.code) === ALU.ADD) return delta;
  return delta === S32_MIN ? undefined : -delta | 0;
}

/** Binary operation of two scalars in registers or of one with a constant, and what becomes of `dst`'s ties. */
export function adjustScalars(env: VerifierEnv, insn: Insn, dst: RegState, src: RegState): number {
  const umaxBefore = dst.umax;
  const err = adjustScalar(env, insn, dst, src);
  if (err !== 0) return err;

  const op = insnOp(insn.code);
  const sameReg = insnSrc(insn.code) === SRC.X && insn.src === insn.dst;
  const linkable =
    env.bpfCapable && (op === ALU.ADD || op === ALU.SUB) && dst.id !== 0 && isRegConst(src, !isWide(insn)) && !sameReg;
  const delta = linkable ? linkedDelta(insn, src, umaxBefore) : undefined;
  if (delta === undefined || (dst.id & ADD_CONST_MASK) !== 0) {
    clearScalarId(dst);
  } else {
    dst.id = (dst.id | (isWide(insn) ? ADD_CONST64 : ADD_CONST32)) >>> 0;
    dst.off = delta;
  }
  return 0;
}
