// Divisions whose divisor may be 0, and signed ones whose divisor may be -1.
import type { Insn } from '../../../isa/insn.ts';
import { ALU, CLASS, insnClass, insnOp, insnSrc, JMP, SRC } from '../../../isa/opcode.ts';
import { AX, aluImm, aluReg, goto, jumpImm, movImm, movReg, negate } from '../build.ts';

const widthOf = (insn: Insn): 32 | 64 => (insnClass(insn.code) === CLASS.ALU64 ? 64 : 32);

/** After a 32-bit remainder that was not computed, the upper half still has to go. */
const tail = (insn: Insn): Insn[] => (widthOf(insn) === 64 ? [] : [goto(1), movReg(insn.dst, insn.dst, 32)]);

function signedDivide(insn: Insn): Insn[] {
  const { dst, src } = insn;
  const width = widthOf(insn);
  return [
    movReg(AX, src),
    aluImm(ALU.ADD, AX, 1, width),
    jumpImm(JMP.JGT, AX, 1, 4, width),
    jumpImm(JMP.JEQ, AX, 0, 1, width),
    movImm(dst, 0, width),
    negate(dst, width),
    goto(1),
    insn,
  ];
}

function signedRemainder(insn: Insn): Insn[] {
  const { dst, src } = insn;
  const width = widthOf(insn);
  return [
    movReg(AX, src),
    aluImm(ALU.ADD, AX, 1, width),
    jumpImm(JMP.JGT, AX, 1, 3, width),
    jumpImm(JMP.JEQ, AX, 1, width === 64 ? 3 : 4, width),
    movImm(dst, 0, 32),
    goto(1),
    insn,
    ...tail(insn),
  ];
}

const divide = (insn: Insn): Insn[] => [
  jumpImm(JMP.JNE, insn.src, 0, 2, widthOf(insn)),
  aluReg(ALU.XOR, insn.dst, insn.dst, 32),
  goto(1),
  insn,
];

const remainder = (insn: Insn): Insn[] => [
  jumpImm(JMP.JEQ, insn.src, 0, widthOf(insn) === 64 ? 1 : 2, widthOf(insn)),
  insn,
  ...tail(insn),
];

/**
 * A division that cannot trap: by 0 gives 0 and leaves remainders as they are, by -1 negates. Undefined where the
 * instruction is no division or needs no guard.
 * rule: do_misc_fixups, 6.18
 */
export function guardDivision(insn: Insn): Insn[] | undefined {
  const cls = insnClass(insn.code);
  const op = insnOp(insn.code);
  if ((cls !== CLASS.ALU && cls !== CLASS.ALU64) || (op !== ALU.DIV && op !== ALU.MOD)) return undefined;
  const signed = insn.off === 1;
  if (insnSrc(insn.code) === SRC.X) {
    if (op === ALU.DIV) return signed ? signedDivide(insn) : divide(insn);
    return signed ? signedRemainder(insn) : remainder(insn);
  }
  if (!signed || insn.imm !== -1) return undefined;
  return [op === ALU.DIV ? negate(insn.dst, widthOf(insn)) : movImm(insn.dst, 0, 32)];
}
