// Moves: copies of registers, sign and zero extension, constants, arena casts. Rule: check_alu_op, verifier.c, 6.18.
import { ERRNO } from '../../errno.ts';
import type { Insn } from '../../isa/insn.ts';
import { CLASS, insnClass, insnSrc, SRC } from '../../isa/opcode.ts';
import { coerceSubregToSizeSx, coerceToSizeSx, zeroExtend32 } from './bounds-cast.ts';
import { regBoundsSync } from './bounds-sync.ts';
import type { VerifierEnv } from './env.ts';
import { isPointer, isPointerValue } from './pointer-kinds.ts';
import { checkRegArg, DEF_NOT_SUBREG } from './reg-access.ts';
import { assignScalarIdBeforeMov, clearScalarId, markRegKnown, markRegUnknown, regWidth } from './scalar-marks.ts';
import { REG, type RegState } from './types.ts';

/** `off` of a 64-bit move that casts between address spaces. */
const ADDR_SPACE_CAST = 1;
/** `imm` of such a cast: from arena (1) to kernel (0), and back. */
const CAST_TO_KERNEL = 1;
const CAST_TO_USER = 1 << 16;

const RESERVED = 'BPF_MOV uses reserved fields\n';

/** Message about fields that the move must not use. */
function malformed(env: VerifierEnv, insn: Insn): string | undefined {
  const { src, off, imm } = insn;
  if (insnSrc(insn.code) === SRC.K) return src !== 0 || off !== 0 ? RESERVED : undefined;
  const wide = insnClass(insn.code) === CLASS.ALU64;
  if (wide && off === ADDR_SPACE_CAST) {
    if (imm !== CAST_TO_KERNEL && imm !== CAST_TO_USER) {
      return 'addr_space_cast insn can only convert between address space 1 and 0\n';
    }
    if (!env.arena) {
      return 'addr_space_cast insn can only be used in a program that has an associated arena\n';
    }
    return undefined;
  }
  // `off` is the width that is sign-extended, 0 for a plain move.
  const widths = wide ? [0, 8, 16, 32] : [0, 8, 16];
  return !widths.includes(off) || imm !== 0 ? RESERVED : undefined;
}

function refuse(env: VerifierEnv, message: string): number {
  env.log.write(message);
  return -ERRNO.EACCES;
}

/** The copy stays tied to the source only if it always has the same value. */
function copyScalar(env: VerifierEnv, dst: RegState, src: RegState, sameValue: boolean, subregDef: number): void {
  if (sameValue) assignScalarIdBeforeMov(env, src);
  dst.copy(src);
  if (!sameValue) clearScalarId(dst);
  dst.subregDef = subregDef;
}

/** Sign extension from `bits` does not change the value. */
const fitsUnsigned = (src: RegState, bits: number): boolean => src.umax < 1n << BigInt(bits - 1);

/** rX = rY, rX = (sN)rY and casts */
function moveWide(env: VerifierEnv, insn: Insn, dst: RegState, src: RegState): number {
  if (insn.imm !== 0) {
    markRegUnknown(env, dst);
    if (insn.imm === CAST_TO_KERNEL) {
      dst.type = REG.ARENA;
      dst.subregDef = env.insnIdx + 1;
    }
  } else if (insn.off === 0) {
    assignScalarIdBeforeMov(env, src);
    dst.copy(src);
    dst.subregDef = DEF_NOT_SUBREG;
  } else if (isPointerValue(env, insn.src)) {
    return refuse(env, `R${insn.src} sign-extension part of pointer\n`);
  } else if (isPointer(src)) {
    markRegUnknown(env, dst);
  } else {
    copyScalar(env, dst, src, fitsUnsigned(src, insn.off), dst.subregDef);
    coerceToSizeSx(dst, insn.off >> 3);
    dst.subregDef = DEF_NOT_SUBREG;
  }
  return 0;
}

/** wX = wY and wX = (sN)wY */
function moveNarrow(env: VerifierEnv, insn: Insn, dst: RegState, src: RegState): number {
  if (isPointerValue(env, insn.src)) return refuse(env, `R${insn.src} partial copy of pointer\n`);
  if (isPointer(src)) {
    markRegUnknown(env, dst);
  } else if (insn.off === 0) {
    copyScalar(env, dst, src, regWidth(src) <= 32, env.insnIdx + 1);
  } else {
    copyScalar(env, dst, src, fitsUnsigned(src, insn.off), env.insnIdx + 1);
    coerceSubregToSizeSx(dst, insn.off >> 3);
  }
  zeroExtend32(dst);
  regBoundsSync(dst);
  return 0;
}

/** A MOV of either class: 0, or a negative errno with a message. */
export function checkMov(env: VerifierEnv, insn: Insn): number {
  const message = malformed(env, insn);
  if (message !== undefined) {
    env.log.write(message);
    return -ERRNO.EINVAL;
  }
  const withReg = insnSrc(insn.code) === SRC.X;
  const err = (withReg ? checkRegArg(env, insn.src, 'src') : 0) || checkRegArg(env, insn.dst, 'dst-no-mark');
  if (err !== 0) return err;
  const { regs } = env;
  const dst = regs[insn.dst];
  const wide = insnClass(insn.code) === CLASS.ALU64;
  if (withReg) return (wide ? moveWide : moveNarrow)(env, insn, dst, regs[insn.src]);
  markRegUnknown(env, dst);
  markRegKnown(dst, BigInt(wide ? insn.imm : insn.imm >>> 0));
  return 0;
}
