// Arithmetic instructions: shape, operands, and which rule computes the result. Rule: check_alu_op and
// adjust_reg_min_max_vals, verifier.c, 6.18.
import { ERRNO } from '../../errno.ts';
import { ALU_SIGN } from '../../isa/disasm.ts';
import type { Insn } from '../../isa/insn.ts';
import { ALU, CLASS, insnClass, insnOp, insnSrc, SRC } from '../../isa/opcode.ts';
import { adjustPointer } from './alu-pointer.ts';
import { adjustScalar, adjustScalars } from './alu-scalar.ts';
import { regBoundsSanityCheck } from './bounds-sync.ts';
import type { VerifierEnv } from './env.ts';
import { checkMov } from './mov.ts';
import { isPointer, isPointerValue } from './pointer-kinds.ts';
import { markChainPrecision } from './precision.ts';
import { checkRegArg } from './reg-access.ts';
import { markRegKnown, markRegUnknown } from './scalar-marks.ts';
import { REG, RegState } from './types.ts';

const isWide = (insn: Insn): boolean => insnClass(insn.code) === CLASS.ALU64;

function refuse(env: VerifierEnv, errno: number, message: string): number {
  env.log.write(message);
  return -errno;
}

/** An operand in an arena: anything goes, the result is an arena pointer of 32 bits. */
function adjustArena(env: VerifierEnv, insn: Insn, dst: RegState, src: RegState | undefined): number {
  if (dst.type !== REG.ARENA && src !== undefined) dst.copy(src);
  dst.subregDef = env.insnIdx + 1;
  if (isWide(insn)) env.aux[env.insnIdx].needsZext = true;
  return 0;
}

/** The immediate as a register. */
const immediate = new RegState();

function adjustWithReg(env: VerifierEnv, insn: Insn, dst: RegState, src: RegState): number {
  if (isPointer(src)) {
    if (isPointer(dst)) {
      if (insnOp(insn.code) !== ALU.SUB || !env.allowPtrLeaks) {
        const op = ALU_SIGN[insnOp(insn.code)];
        return refuse(env, ERRNO.EACCES, `R${insn.dst} pointer ${op} pointer prohibited\n`);
      }
      markRegUnknown(env, dst);
      return 0;
    }
    return markChainPrecision(env, insn.dst) || adjustPointer(env, insn, src, dst);
  }
  if (isPointer(dst)) return markChainPrecision(env, insn.src) || adjustPointer(env, insn, dst, src);
  if (dst.precise) {
    const err = markChainPrecision(env, insn.src);
    if (err !== 0) return err;
  }
  return adjustScalars(env, insn, dst, src);
}

/** Binary operations, operands already checked. */
function adjustReg(env: VerifierEnv, insn: Insn): number {
  const { regs } = env;
  const dst = regs[insn.dst];
  const src = insnSrc(insn.code) === SRC.X ? regs[insn.src] : undefined;
  if (dst.type === REG.ARENA || src?.type === REG.ARENA) return adjustArena(env, insn, dst, src);
  if (src !== undefined) return adjustWithReg(env, insn, dst, src);
  immediate.type = REG.SCALAR;
  markRegKnown(immediate, BigInt(insn.imm));
  return isPointer(dst) ? adjustPointer(env, insn, dst, immediate) : adjustScalars(env, insn, dst, immediate);
}

function unaryIsWellFormed(insn: Insn): boolean {
  if (insn.src !== 0 || insn.off !== 0) return false;
  if (insnOp(insn.code) === ALU.NEG) return insnSrc(insn.code) === SRC.K && insn.imm === 0;
  // An unconditional swap has no direction.
  return [16, 32, 64].includes(insn.imm) && !(isWide(insn) && insnSrc(insn.code) !== SRC.K);
}

/** NEG and END */
function checkUnary(env: VerifierEnv, insn: Insn): number {
  const name = insnOp(insn.code) === ALU.NEG ? 'NEG' : 'END';
  if (!unaryIsWellFormed(insn)) return refuse(env, ERRNO.EINVAL, `BPF_${name} uses reserved fields\n`);
  const err = checkRegArg(env, insn.dst, 'src');
  if (err !== 0) return err;
  if (isPointerValue(env, insn.dst)) {
    return refuse(env, ERRNO.EACCES, `R${insn.dst} pointer arithmetic prohibited\n`);
  }
  const dst = env.regs[insn.dst];
  if (isPointer(dst)) return checkRegArg(env, insn.dst, 'dst');
  return checkRegArg(env, insn.dst, 'dst-no-mark') || adjustScalar(env, insn, dst, dst);
}

/** All other operations but MOV. */
function checkBinary(env: VerifierEnv, insn: Insn): number {
  const { dst, src, off, imm } = insn;
  const op = insnOp(insn.code);
  const withReg = insnSrc(insn.code) === SRC.X;
  const division = op === ALU.DIV || op === ALU.MOD;
  const unused = withReg ? imm : src;
  // `off` 1 makes a division signed.
  if (unused !== 0 || (off !== 0 && !(off === 1 && division))) {
    return refuse(env, ERRNO.EINVAL, 'BPF_ALU uses reserved fields\n');
  }
  const err = (withReg ? checkRegArg(env, src, 'src') : 0) || checkRegArg(env, dst, 'src');
  if (err !== 0) return err;
  if (!withReg) {
    if (division && imm === 0) return refuse(env, ERRNO.EINVAL, 'div by zero\n');
    const shift = op === ALU.LSH || op === ALU.RSH || op === ALU.ARSH;
    if (shift && (imm < 0 || imm >= (isWide(insn) ? 64 : 32))) {
      return refuse(env, ERRNO.EINVAL, `invalid shift ${imm}\n`);
    }
  }
  return checkRegArg(env, dst, 'dst-no-mark') || adjustReg(env, insn);
}

/** An instruction of class ALU or ALU64: 0, or a negative errno with a message. */
export function checkAluOp(env: VerifierEnv, insn: Insn): number {
  const op = insnOp(insn.code);
  let err: number;
  if (op === ALU.NEG || op === ALU.END) err = checkUnary(env, insn);
  else if (op === ALU.MOV) err = checkMov(env, insn);
  else if (op > ALU.END) err = refuse(env, ERRNO.EINVAL, `invalid BPF_ALU opcode ${op.toString(16)}\n`);
  else err = checkBinary(env, insn);
  return err || regBoundsSanityCheck(env, env.regs[insn.dst], 'alu');
}
