// Jumps and the end of a function.
import { CLASS, JMP, SRC } from '../../../isa/opcode.ts';
import { logicalPattern } from './alu.ts';
import { emitCompare, emitMov } from './constants.ts';
import { ADD_SUB_REG, b, bCond, COND, LOGIC_IMM, LOGIC_REG, logicImm, threeReg } from './encoding.ts';
import type { Emit, Emitters, Frame, Op } from './frame.ts';
import { TMP1, ZERO } from './registers.ts';

/** Condition of the machine after a comparison, or after a test for JSET. */
const CONDITIONS: readonly (readonly [number, number])[] = [
  [JMP.JEQ, COND.EQ],
  [JMP.JNE, COND.NE],
  [JMP.JGT, COND.HI],
  [JMP.JGE, COND.CS],
  [JMP.JLT, COND.CC],
  [JMP.JLE, COND.LS],
  [JMP.JSGT, COND.GT],
  [JMP.JSGE, COND.GE],
  [JMP.JSLT, COND.LT],
  [JMP.JSLE, COND.LE],
  [JMP.JSET, COND.NE],
];

function compareRegister(frame: Frame, wide: boolean, { code, dst, src }: Op): void {
  const word = (code & 0xf0) === JMP.JSET ? LOGIC_REG.ANDS : ADD_SUB_REG.SUBS;
  frame.emit(threeReg(word, wide, ZERO, dst, src));
}

function compareConstant(frame: Frame, wide: boolean, { code, dst, imm }: Op): void {
  if ((code & 0xf0) !== JMP.JSET) {
    emitCompare(frame, wide, dst, TMP1, imm);
    return;
  }
  const pattern = logicalPattern(wide, imm);
  if (pattern !== undefined) {
    frame.emit(logicImm(LOGIC_IMM.ANDS, wide, ZERO, dst, pattern));
    return;
  }
  emitMov(frame, wide, TMP1, imm);
  frame.emit(threeReg(LOGIC_REG.ANDS, wide, ZERO, dst, TMP1));
}

/** The last instruction just runs on into the epilogue. */
function emitExit(frame: Frame, { index }: Op): void {
  if (index !== frame.ops.length - 1) frame.emit(b(frame.epilogue - frame.at));
}

/** Emitters of both jump classes, calls excepted. */
export function jumpEmitters(): Emitters {
  const emitters: Emitters = new Map<number, Emit>([
    [CLASS.JMP | JMP.JA, (frame, { index, off }) => frame.emit(b(frame.branchDistance(index, off)))],
    [CLASS.JMP32 | JMP.JA, (frame, { index, imm }) => frame.emit(b(frame.branchDistance(index, imm)))],
    [CLASS.JMP | JMP.EXIT, emitExit],
  ]);
  for (const cls of [CLASS.JMP, CLASS.JMP32]) {
    const wide = cls === CLASS.JMP;
    for (const [op, cond] of CONDITIONS) {
      for (const [source, compare] of [
        [SRC.X, compareRegister],
        [SRC.K, compareConstant],
      ] as const) {
        emitters.set(cls | op | source, (frame, insn) => {
          compare(frame, wide, insn);
          frame.emit(bCond(cond, frame.branchDistance(insn.index, insn.off)));
        });
      }
    }
  }
  return emitters;
}
