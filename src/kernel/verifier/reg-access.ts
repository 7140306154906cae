// Reading and writing registers: are they there, and is the whole or the low half meant? Rule: check_reg_arg and
// is_reg64, verifier.c, 6.18.
import { ERRNO } from '../../errno.ts';
import type { Insn } from '../../isa/insn.ts';
import {
  ALU,
  ATOMIC,
  CALL_KIND,
  CLASS,
  insnClass,
  insnMode,
  insnOp,
  insnSize,
  JMP,
  MODE,
  SIZE,
} from '../../isa/opcode.ts';
import type { VerifierEnv } from './env.ts';
import { markRegUnknown } from './scalar-marks.ts';
import { FP, MAX_REGS, REG, type RegState } from './types.ts';

/** 'dst' makes the register an unknown scalar, 'dst-no-mark' only checks. */
export type RegAccess = 'src' | 'dst' | 'dst-no-mark';

/** No instruction defined the low half alone. */
export const DEF_NOT_SUBREG = 0;

function isReg64InJump(insn: Insn, access: RegAccess): boolean {
  // A call's results are taken as low halves unless its kind says otherwise later.
  if (insnOp(insn.code) === JMP.CALL) return insn.src !== CALL_KIND.PSEUDO && access === 'src';
  return true;
}

/**
 * Whether the instruction uses all 64 bits of the register in that role. `reg` is needed for sources of STX only: a
 * pointer is always used whole.
 */
export function isReg64(insn: Insn, reg: RegState | undefined, access: RegAccess): boolean {
  const { code, imm } = insn;
  const op = insnOp(code);
  switch (insnClass(code)) {
    case CLASS.JMP:
      return isReg64InJump(insn, access);
    case CLASS.ALU64:
      return !(op === ALU.END && (imm === 16 || imm === 32));
    case CLASS.ALU:
      return op === ALU.END && imm === 64;
    case CLASS.JMP32:
      return false;
    case CLASS.LDX:
      return access === 'src' || insnSize(code) === SIZE.DW || insnMode(code) === MODE.MEMSX;
    case CLASS.STX:
      return (access === 'src' && reg?.type !== REG.SCALAR) || insnSize(code) === SIZE.DW;
    case CLASS.LD:
      return insnMode(code) === MODE.IMM || access === 'src';
    default:
      return true;
  }
}

/** Number of the register that the instruction defines, -1 for none; calls are not asked. */
export function insnDefRegno(insn: Insn): number {
  switch (insnClass(insn.code)) {
    case CLASS.JMP:
    case CLASS.JMP32:
    case CLASS.ST:
      return -1;
    case CLASS.STX: {
      const mode = insnMode(insn.code);
      if (mode !== MODE.ATOMIC && mode !== MODE.PROBE_ATOMIC) return -1;
      if (insn.imm === ATOMIC.CMPXCHG) return 0;
      if (insn.imm === ATOMIC.LOAD_ACQ) return insn.dst;
      return insn.imm & ATOMIC.FETCH ? insn.src : -1;
    }
    default:
      return insn.dst;
  }
}

/** Whether the instruction defines the low half of a register only. */
export const insnHasDef32 = (insn: Insn): boolean => insnDefRegno(insn) !== -1 && !isReg64(insn, undefined, 'dst');

/** The whole register is used: the instruction that defined its low half has to clear the rest. */
export function markInsnZext(env: VerifierEnv, reg: RegState): void {
  if (reg.subregDef === DEF_NOT_SUBREG) return;
  env.aux[reg.subregDef - 1].zextDst = true;
  reg.subregDef = DEF_NOT_SUBREG;
}

/** checkRegArg for registers of any frame. */
export function checkRegArgOf(env: VerifierEnv, regs: RegState[], regno: number, access: RegAccess): number {
  if (regno >= MAX_REGS) {
    env.log.write(`R${regno} is invalid\n`);
    return -ERRNO.EINVAL;
  }
  env.scratchedRegs |= 1 << regno;
  const reg = regs[regno];
  const whole = isReg64(env.insns[env.insnIdx], reg, access);
  if (access === 'src') {
    if (reg.type === REG.NOT_INIT) {
      env.log.write(`R${regno} !read_ok\n`);
      return -ERRNO.EACCES;
    }
    if (regno !== FP && whole) markInsnZext(env, reg);
    return 0;
  }
  if (regno === FP) {
    env.log.write('frame pointer is read only\n');
    return -ERRNO.EACCES;
  }
  reg.subregDef = whole ? DEF_NOT_SUBREG : env.insnIdx + 1;
  if (access === 'dst') markRegUnknown(env, reg);
  return 0;
}

/** Checks a register of the current frame as operand of the current instruction: 0, -EINVAL or -EACCES. */
export const checkRegArg = (env: VerifierEnv, regno: number, access: RegAccess): number =>
  checkRegArgOf(env, env.regs, regno, access);
