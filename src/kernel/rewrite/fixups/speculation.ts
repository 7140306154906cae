// Pointer arithmetic that stays in bounds even where the processor guesses wrong.
import type { Insn } from '../../../isa/insn.ts';
import { ALU, CLASS, SRC } from '../../../isa/opcode.ts';
import { ALU_STATE } from '../../verifier/speculation.ts';
import type { InsnAux } from '../../verifier/types.ts';
import { AX, aluImm, aluReg, movImm, movReg, negate } from '../build.ts';

const ADD = CLASS.ALU64 | ALU.ADD | SRC.X;
const SUB = CLASS.ALU64 | ALU.SUB | SRC.X;

/** The offset in the scratch register where it is within the limit, else 0. */
const mask = (offset: number, limit: number): Insn[] => [
  movImm(AX, limit, 32),
  aluReg(ALU.SUB, AX, offset),
  aluReg(ALU.OR, AX, offset),
  negate(AX),
  aluImm(ALU.ARSH, AX, 63),
  aluReg(ALU.AND, AX, offset),
];

/**
 * The addition or subtraction with its offset masked to the limit that the verifier found; undefined where there is
 * none.
 * rule: do_misc_fixups, 6.18
 */
export function maskPointerArithmetic(insn: Insn, { aluState, aluLimit }: InsnAux): Insn[] | undefined {
  if (insn.code !== ADD && insn.code !== SUB) return undefined;
  if (aluState === 0 || aluState === ALU_STATE.NON_POINTER) return undefined;
  const negative = (aluState & ALU_STATE.NEG_VALUE) !== 0;
  const fromSource = (aluState & ALU_STATE.SANITIZE) === ALU_STATE.SANITIZE_SRC;
  const immediate = (aluState & ALU_STATE.IMMEDIATE) !== 0;
  const { dst, src } = insn;
  const offset = fromSource ? src : dst;
  const flip = aluImm(ALU.MUL, offset, -1);
  const patch: Insn[] = [];
  if (immediate) patch.push(movImm(AX, aluLimit, 32));
  else patch.push(...(negative ? [flip] : []), ...mask(offset, aluLimit));
  if (!fromSource) patch.push(movReg(dst, src));
  let { code } = insn;
  if (negative) code = code === ADD ? SUB : ADD;
  patch.push({ ...insn, code, src: AX });
  if (fromSource && negative && !immediate) patch.push({ ...flip });
  return patch;
}
