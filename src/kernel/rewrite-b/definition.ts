// Which register an instruction defines, and how much of it.
import type { Insn } from '../../isa/insn.ts';
import { ALU, ATOMIC, CLASS, insnClass, insnMode, insnOp, insnSize, JMP, MODE, SIZE } from '../../isa/opcode.ts';

/** The register that an instruction writes; -1 for none. Calls count as none. */
export function definedReg({ code, dst, src, imm }: Insn): number {
  switch (insnClass(code)) {
    case CLASS.JMP:
    case CLASS.JMP32:
    case CLASS.ST:
      return -1;
    case CLASS.STX: {
      const mode = insnMode(code);
      if (mode !== MODE.ATOMIC && mode !== MODE.PROBE_ATOMIC) return -1;
      if (imm === ATOMIC.CMPXCHG) return 0;
      if (imm === ATOMIC.LOAD_ACQ) return dst;
      return imm & ATOMIC.FETCH ? src : -1;
    }
    default:
      return dst;
  }
}

/** True where the defined register gets all of its 64 bits. */
export function definesWide({ code, imm }: Insn): boolean {
  const op = insnOp(code);
  switch (insnClass(code)) {
    case CLASS.ALU64:
      return op !== ALU.END || (imm !== 16 && imm !== 32);
    case CLASS.ALU:
      return op === ALU.END && imm === 64;
    case CLASS.JMP32:
      return false;
    case CLASS.JMP:
      return op !== JMP.CALL;
    case CLASS.LDX:
      return insnSize(code) === SIZE.DW || insnMode(code) === MODE.MEMSX;
    case CLASS.STX:
      return insnSize(code) === SIZE.DW;
    case CLASS.LD:
      return insnMode(code) === MODE.IMM;
    default:
      return true;
  }
}

/** True of an instruction that defines the lower half of a register only. */
export const definesNarrow = (insn: Insn): boolean => definedReg(insn) !== -1 && !definesWide(insn);
