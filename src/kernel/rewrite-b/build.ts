// Instructions by what they do, for the sequences that the rewrites insert.
import { type Insn, insn, LDIMM64 } from '../../isa/insn.ts';
import { ALU, CALL_KIND, CLASS, JMP, MODE, SIZE, SRC } from '../../isa/opcode.ts';

/** Scratch register of the rewrites (BPF_REG_AX); programs cannot name it. */
export const AX = 11;
export const FP = 10;

const s16 = (n: number): number => (n << 16) >> 16;

/** Wide (`r`) or narrow (`w`) operations: class of arithmetic and of jumps. */
type Width = 32 | 64;
const aluClass = (width: Width): number => (width === 64 ? CLASS.ALU64 : CLASS.ALU);
const jumpClass = (width: Width): number => (width === 64 ? CLASS.JMP : CLASS.JMP32);

/** `dst op= imm`. */
export const aluImm = (op: number, dst: number, imm: number, width: Width = 64): Insn =>
  insn(aluClass(width) | op | SRC.K, dst, 0, 0, imm);
/** `dst op= src`. */
export const aluReg = (op: number, dst: number, src: number, width: Width = 64): Insn =>
  insn(aluClass(width) | op | SRC.X, dst, src);
export const movImm = (dst: number, imm: number, width: Width = 64): Insn => aluImm(ALU.MOV, dst, imm, width);
export const movReg = (dst: number, src: number, width: Width = 64): Insn => aluReg(ALU.MOV, dst, src, width);
/** `dst = &(void __percpu *)(src)`: adds the offset of this CPU's area. */
export const movPerCpu = (dst: number, src: number): Insn => insn(CLASS.ALU64 | ALU.MOV | SRC.X, dst, src, -1);
export const negate = (dst: number, width: Width = 64): Insn => aluImm(ALU.NEG, dst, 0, width);

/** `dst = *(size *)(src + off)`. */
export const load = (size: number, dst: number, src: number, off: number): Insn =>
  insn(CLASS.LDX | size | MODE.MEM, dst, src, s16(off));
/** `*(size *)(dst + off) = src`. */
export const store = (size: number, dst: number, src: number, off: number): Insn =>
  insn(CLASS.STX | size | MODE.MEM, dst, src, s16(off));
/** `*(size *)(dst + off) = imm`. */
export const storeImm = (size: number, dst: number, off: number, imm: number): Insn =>
  insn(CLASS.ST | size | MODE.MEM, dst, 0, s16(off), imm);
/** Speculation barrier. */
export const nospec = (): Insn => insn(CLASS.ST | 0xc0);

/** `if dst op imm goto pc+off`. */
export const jumpImm = (op: number, dst: number, imm: number, off: number, width: Width = 64): Insn =>
  insn(jumpClass(width) | op | SRC.K, dst, 0, s16(off), imm);
/** `if dst op src goto pc+off`. */
export const jumpReg = (op: number, dst: number, src: number, off: number, width: Width = 64): Insn =>
  insn(jumpClass(width) | op | SRC.X, dst, src, s16(off));
export const goto = (off: number): Insn => insn(CLASS.JMP | JMP.JA, 0, 0, s16(off));
export const exit = (): Insn => insn(CLASS.JMP | JMP.EXIT);
/** Call of a kernel function by its distance to __bpf_call_base, or of a helper by its number. */
export const call = (imm: number): Insn => insn(CLASS.JMP | JMP.CALL, 0, 0, 0, imm);
/** Call of a function of the program. */
export const callFunction = (imm: number): Insn => insn(CLASS.JMP | JMP.CALL, 0, CALL_KIND.PSEUDO, 0, imm);

/** Two slots: `dst = value ll`. */
export const loadImm64 = (dst: number, value: bigint): [Insn, Insn] => [
  insn(LDIMM64, dst, 0, 0, Number(BigInt.asIntN(32, value))),
  insn(0, 0, 0, 0, Number(BigInt.asIntN(32, value >> 32n))),
];

/** Size bits of a number of bytes. */
export const sizeBits = (bytes: number): number => {
  switch (bytes) {
    case 1:
      return SIZE.B;
    case 2:
      return SIZE.H;
    case 4:
      return SIZE.W;
    default:
      return SIZE.DW;
  }
};
