// Loads from the packet by position.
import type { Insn } from '../../../isa/insn.ts';
import { ALU, CLASS, insnClass, insnMode, insnSize, JMP, MODE, SIZE } from '../../../isa/opcode.ts';
import type { KernelImage } from '../../image/image.ts';
import { callDistance } from '../address.ts';
import { aluImm, aluReg, call, exit, jumpImm, movImm, movReg } from '../build.ts';

const BITS: ReadonlyMap<number, number> = new Map([
  [SIZE.B, 8],
  [SIZE.H, 16],
  [SIZE.W, 32],
]);
/** Where programs with such loads keep their context. */
const CONTEXT = 6;

/**
 * A load of classic BPF as a call; what cannot be loaded ends the program with 0. Undefined for all other instructions.
 * rule: bpf_gen_ld_abs, 6.18
 */
export function expandPacketLoad(image: KernelImage, insn: Insn): Insn[] | undefined {
  const mode = insnMode(insn.code);
  if (insnClass(insn.code) !== CLASS.LD || (mode !== MODE.ABS && mode !== MODE.IND)) return undefined;
  const position =
    mode === MODE.ABS
      ? [movImm(2, insn.imm)]
      : [movReg(2, insn.src), ...(insn.imm === 0 ? [] : [aluImm(ALU.ADD, 2, insn.imm)])];
  return [
    ...position,
    movReg(1, CONTEXT),
    call(callDistance(image, `bpf_skb_load_helper_${BITS.get(insnSize(insn.code))}_no_cache`)),
    jumpImm(JMP.JSGE, 0, 0, 2),
    aluReg(ALU.XOR, 0, 0, 32),
    exit(),
  ];
}
