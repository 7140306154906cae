// Arithmetic, moves and byte swaps.
import { ALU, CLASS, SRC } from '../../../isa/opcode.ts';
import { emitAdd, emitMov, emitSub } from './constants.ts';
import {
  ADD_SUB_REG,
  BITFIELD,
  bitfield,
  cbz,
  DATA1,
  DATA2,
  DATA3,
  fourReg,
  LOGIC_IMM,
  LOGIC_REG,
  logicImm,
  threeReg,
  twoReg,
} from './encoding.ts';
import { emitPerCpu, move } from './entry.ts';
import type { Emit, Emitters, Frame, Op } from './frame.ts';
import { logicalImmediate } from './logical-immediate.ts';
import { TMP1, TMP2, ZERO } from './registers.ts';

/** `off` of a move that casts between address spaces, and its `imm` for the cast to the user's addresses. */
const ADDRESS_CAST = 1;
const CAST_TO_USER = 1 << 16;
/** `off` of a move that makes a per-CPU pointer one of this CPU. */
const PER_CPU = -1;

const isWide = (code: number): boolean => (code & 7) === CLASS.ALU64;

/** dst = dst op src of one instruction. */
const REGISTER: readonly (readonly [number, number])[] = [
  [ALU.ADD, ADD_SUB_REG.ADD],
  [ALU.SUB, ADD_SUB_REG.SUB],
  [ALU.AND, LOGIC_REG.AND],
  [ALU.OR, LOGIC_REG.ORR],
  [ALU.XOR, LOGIC_REG.EOR],
  [ALU.LSH, DATA2.LSLV],
  [ALU.RSH, DATA2.LSRV],
  [ALU.ARSH, DATA2.ASRV],
];

/** Logical operations: with a constant that the instruction can carry, and with a register. */
const LOGICAL: readonly (readonly [number, number, number])[] = [
  [ALU.AND, LOGIC_IMM.AND, LOGIC_REG.AND],
  [ALU.OR, LOGIC_IMM.ORR, LOGIC_REG.ORR],
  [ALU.XOR, LOGIC_IMM.EOR, LOGIC_REG.EOR],
];

/** Moves with sign extension by `off`: number of the highest bit taken. */
const SIGN_BIT: Readonly<Record<number, number>> = { 8: 7, 16: 15, 32: 31 };

/** Constant as a logical instruction takes it; undefined: it does not. */
export const logicalPattern = (wide: boolean, imm: number): number | undefined =>
  logicalImmediate(BigInt.asUintN(wide ? 64 : 32, BigInt(imm)), wide);

function emitMove(frame: Frame, { code, dst, src, off, imm }: Op): void {
  const wide = isWide(code);
  if (wide && off === ADDRESS_CAST && imm === CAST_TO_USER) castToUser(frame, dst, src);
  else if (wide && off === PER_CPU) {
    if (dst !== src) frame.emit(move(true, dst, src));
    emitPerCpu(frame, dst);
  } else if (off === 0) frame.emit(move(wide, dst, src));
  else if (off in SIGN_BIT) frame.emit(bitfield(BITFIELD.SBFM, wide, dst, src, 0, SIGN_BIT[off]));
}

/** The lower half of a kernel address with the upper half of the user's; null stays null. */
function castToUser(frame: Frame, dst: number, src: number): void {
  frame.emit(move(false, TMP1, src));
  emitMov(frame, false, dst, Number(BigInt.asIntN(32, (frame.arena?.userStart ?? 0n) >> 32n)));
  frame.emit(
    shiftLeft(true, dst, 32),
    cbz(true, TMP1, 2),
    threeReg(LOGIC_REG.ORR, true, TMP1, dst, TMP1),
    move(true, dst, TMP1),
  );
}

/** reg <<= count */
export const shiftLeft = (wide: boolean, reg: number, count: number, src: number = reg): number => {
  const bits = wide ? 64 : 32;
  return bitfield(BITFIELD.UBFM, wide, reg, src, (bits - count) % bits, bits - 1 - count);
};

function divide(frame: Frame, { code, dst, off }: Op, divisor: number): void {
  frame.emit(threeReg(off ? DATA2.SDIV : DATA2.UDIV, isWide(code), dst, dst, divisor));
}

function modulo(frame: Frame, { code, dst, off }: Op, divisor: number): void {
  const wide = isWide(code);
  frame.emit(
    threeReg(off ? DATA2.SDIV : DATA2.UDIV, wide, TMP1, dst, divisor),
    fourReg(DATA3.MSUB, wide, dst, dst, TMP1, divisor),
  );
}

const multiply = (frame: Frame, { code, dst }: Op, factor: number): void =>
  frame.emit(fourReg(DATA3.MADD, isWide(code), dst, ZERO, dst, factor));

/** Bytes in the other order, or cut off after 16 or 32 bits. */
function emitSwap(frame: Frame, { code, dst, imm }: Op): void {
  const wide = isWide(code);
  const zeroExtend = (top: number): void => frame.emit(bitfield(BITFIELD.UBFM, wide, dst, dst, 0, top));
  if (code === (CLASS.ALU | ALU.END | SRC.K)) {
    if (imm === 16) zeroExtend(15);
    else if (imm === 32) zeroExtend(31);
  } else if (imm === 16) {
    frame.emit(twoReg(DATA1.REV16, wide, dst, dst));
    zeroExtend(15);
  } else if (imm === 32) frame.emit(twoReg(DATA1.REV32, false, dst, dst));
  else if (imm === 64) frame.emit(twoReg(DATA1.REV64, true, dst, dst));
}

const SHIFTS: readonly (readonly [number, (wide: boolean, reg: number, count: number) => number])[] = [
  [ALU.LSH, (wide, reg, count) => shiftLeft(wide, reg, count)],
  [ALU.RSH, (wide, reg, count) => bitfield(BITFIELD.UBFM, wide, reg, reg, count, wide ? 63 : 31)],
  [ALU.ARSH, (wide, reg, count) => bitfield(BITFIELD.SBFM, wide, reg, reg, count, wide ? 63 : 31)],
];

/** With the constant in a scratch register, for operations that have no form with a constant. */
const viaRegister =
  (scratch: number, operate: (frame: Frame, op: Op, operand: number) => void): Emit =>
  (frame, op) => {
    emitMov(frame, isWide(op.code), scratch, op.imm);
    operate(frame, op, scratch);
  };

/** Emitters of both arithmetic classes. */
export function aluEmitters(): Emitters {
  const emitters: Emitters = new Map();
  for (const cls of [CLASS.ALU, CLASS.ALU64]) {
    const wide = cls === CLASS.ALU64;
    const set = (op: number, source: number, emit: Emit): void => {
      emitters.set(cls | op | source, emit);
    };
    for (const [op, word] of REGISTER) {
      set(op, SRC.X, (frame, { dst, src }) => frame.emit(threeReg(word, wide, dst, dst, src)));
    }
    for (const [op, constant, register] of LOGICAL) {
      set(op, SRC.K, (frame, { dst, imm }) => {
        const pattern = logicalPattern(wide, imm);
        if (pattern !== undefined) {
          frame.emit(logicImm(constant, wide, dst, dst, pattern));
        } else {
          emitMov(frame, wide, TMP1, imm);
          frame.emit(threeReg(register, wide, dst, dst, TMP1));
        }
      });
    }
    for (const [op, shift] of SHIFTS) set(op, SRC.K, (frame, { dst, imm }) => frame.emit(shift(wide, dst, imm)));
    set(ALU.ADD, SRC.K, (frame, { dst, imm }) => emitAdd(frame, wide, dst, dst, TMP1, imm));
    set(ALU.SUB, SRC.K, (frame, { dst, imm }) => emitSub(frame, wide, dst, dst, TMP1, imm));
    set(ALU.MOV, SRC.K, (frame, { dst, imm }) => emitMov(frame, wide, dst, imm));
    set(ALU.MOV, SRC.X, emitMove);
    set(ALU.MUL, SRC.X, (frame, op) => multiply(frame, op, op.src));
    set(ALU.MUL, SRC.K, viaRegister(TMP1, multiply));
    set(ALU.DIV, SRC.X, (frame, op) => divide(frame, op, op.src));
    set(ALU.DIV, SRC.K, viaRegister(TMP1, divide));
    set(ALU.MOD, SRC.X, (frame, op) => modulo(frame, op, op.src));
    set(ALU.MOD, SRC.K, viaRegister(TMP2, modulo));
    set(ALU.NEG, SRC.K, (frame, { dst }) => frame.emit(threeReg(ADD_SUB_REG.SUB, wide, dst, ZERO, dst)));
    set(ALU.END, SRC.K, emitSwap);
  }
  emitters.set(CLASS.ALU | ALU.END | SRC.X, emitSwap);
  return emitters;
}
