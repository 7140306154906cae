// Arithmetic: one function per class of operation.
import { LDIMM64 } from '../../../isa/insn.ts';
import { ALU, CLASS, insnClass, insnOp, insnSrc, SRC } from '../../../isa/opcode.ts';
import { GROUP1, GROUP2, GROUP3, isImm8, OP, OP2 } from './assembler.ts';
import type { Emit, Emitters, Frame, Op } from './frame.ts';
import { giveUp } from './frame.ts';
import { RAX, RCX, RDX, SCRATCH } from './registers.ts';

/** `off` of a 64-bit register move that is something else. */
const OFF_ADDR_SPACE_CAST = 1;
const OFF_PERCPU_ADDRESS = -1;
/** `imm` of a cast to the address space of user space. */
const CAST_TO_USER = 1 << 16;

/** Opcode between registers, and extension with an immediate. */
const SIMPLE: Readonly<Record<number, { opcode: number; group1: number }>> = {
  [ALU.ADD]: { opcode: OP.ADD, group1: GROUP1.ADD },
  [ALU.SUB]: { opcode: OP.SUB, group1: GROUP1.SUB },
  [ALU.AND]: { opcode: OP.AND, group1: GROUP1.AND },
  [ALU.OR]: { opcode: OP.OR, group1: GROUP1.OR },
  [ALU.XOR]: { opcode: OP.XOR, group1: GROUP1.XOR },
};
/** Opcode between registers of the operations that atomics share. */
export const simpleOpcode = (op: number): number | undefined => SIMPLE[op]?.opcode;

/** Extension of group 2, and the prefix field of the BMI2 form. */
const SHIFT: Readonly<Record<number, { group2: number; vexPrefix: number }>> = {
  [ALU.LSH]: { group2: GROUP2.SHL, vexPrefix: 1 },
  [ALU.RSH]: { group2: GROUP2.SHR, vexPrefix: 3 },
  [ALU.ARSH]: { group2: GROUP2.SAR, vexPrefix: 2 },
};

const isWide = (op: Op): boolean => insnClass(op.code) === CLASS.ALU64;

/** Emitters of classes ALU and ALU64 by opcode. rule: the ALU cases of do_jit, 6.18 */
export const aluEmitters = (): Emitters => {
  const table: Emitters = new Map();
  for (const width of [CLASS.ALU, CLASS.ALU64]) {
    const set = (operation: number, immediate: Emit | undefined, register: Emit | undefined): void => {
      if (immediate) table.set(width | operation | SRC.K, immediate);
      if (register) table.set(width | operation | SRC.X, register);
    };
    for (const operation of Object.keys(SIMPLE)) set(Number(operation), emitSimpleImmediate, emitSimpleRegister);
    for (const operation of Object.keys(SHIFT)) set(Number(operation), emitShiftImmediate, emitShiftRegister);
    set(ALU.MOV, emitMoveImmediate, emitMoveRegister);
    set(ALU.MUL, emitMultiplyImmediate, emitMultiplyRegister);
    set(ALU.DIV, emitDivide, emitDivide);
    set(ALU.MOD, emitDivide, emitDivide);
    set(ALU.NEG, emitNegate, undefined);
  }
  table.set(CLASS.ALU | ALU.END | SRC.K, emitToLittleEndian);
  table.set(CLASS.ALU | ALU.END | SRC.X, emitByteSwap);
  table.set(CLASS.ALU64 | ALU.END | SRC.K, emitByteSwap);
  table.set(LDIMM64, emitLoadConstant);
  return table;
};

function emitSimpleRegister({ asm }: Frame, op: Op): void {
  asm.regReg(isWide(op), SIMPLE[insnOp(op.code)].opcode, op.dst, op.src);
}

function emitSimpleImmediate({ asm }: Frame, op: Op): void {
  const { group1 } = SIMPLE[insnOp(op.code)];
  const wide = isWide(op);
  if (isImm8(op.imm)) {
    asm.unary(wide, 0x83, group1, op.dst);
    asm.byte(op.imm);
  } else if (op.dst === RAX) {
    asm.rex(wide, 0, RAX);
    asm.byte(0x05 | (group1 << 3)); // the form without ModRM
    asm.imm32(op.imm);
  } else {
    asm.unary(wide, 0x81, group1, op.dst);
    asm.imm32(op.imm);
  }
}

function emitNegate({ asm }: Frame, op: Op): void {
  asm.unary(isWide(op), 0xf7, GROUP3.NEG, op.dst);
}

function emitMoveImmediate({ asm }: Frame, op: Op): void {
  asm.movImm32(isWide(op), op.dst, op.imm);
}

function emitMoveRegister(frame: Frame, op: Op): void {
  const { asm } = frame;
  const { dst, src } = op;
  const wide = isWide(op);
  if (wide && op.off === OFF_ADDR_SPACE_CAST && op.imm === CAST_TO_USER) {
    emitCastToUser(frame, op);
  } else if (wide && op.off === OFF_PERCPU_ADDRESS) {
    asm.mov64(dst, src);
    asm.addGs(dst > 7 ? 0x49 : 0x48, dst, frame.gsOffset('this_cpu_off'));
  } else if (op.off === 0) {
    asm.mov(wide, dst, src);
  } else {
    emitMoveSigned(frame, op, wide);
  }
}

/** Sign-extending move of the `off` lowest bits; other widths have no code. */
function emitMoveSigned({ asm }: Frame, { dst, src, off }: Op, wide: boolean): void {
  if (off === 8) {
    asm.rexAlways(wide, dst, src); // without it sil and dil could not be named
    asm.bytes(0x0f, OP2.MOVSX8);
    asm.modRegister(dst, src);
  } else if (off === 16) {
    asm.regReg2(wide, OP2.MOVSX16, src, dst);
  } else if (off === 32 && wide) {
    asm.regReg(true, OP.MOVSXD, src, dst);
  }
}

/** Puts the upper half of user space's arena address above the lower half, and leaves zero for a null pointer. */
function emitCastToUser({ asm, arena }: Frame, { dst, src }: Op): void {
  const high = Number(BigInt.asIntN(32, (arena?.userStart ?? 0n) >> 32n));
  if (dst !== src) asm.mov32(dst, src);
  asm.unary(true, 0xc1, GROUP2.SHL, dst);
  asm.byte(32);
  if (dst === RAX) asm.bytes(0x48, 0x0d);
  else asm.unary(true, 0x81, GROUP1.OR, dst);
  asm.imm32(high);
  asm.unary(true, 0xc1, GROUP2.ROL, dst);
  asm.byte(32);
  asm.regReg(true, OP.XOR, SCRATCH, SCRATCH);
  asm.regReg(false, OP.TEST, dst, dst);
  asm.regReg2(true, OP2.CMOVE, SCRATCH, dst);
}

function emitMultiplyRegister({ asm }: Frame, op: Op): void {
  asm.regReg2(isWide(op), OP2.IMUL, op.src, op.dst);
}

function emitMultiplyImmediate({ asm }: Frame, op: Op): void {
  const short = isImm8(op.imm);
  asm.regReg(isWide(op), short ? 0x6b : 0x69, op.dst, op.dst);
  if (short) asm.byte(op.imm);
  else asm.imm32(op.imm);
}

/** rax and rdx are what the machine divides; they are kept on the stack unless they are the result. */
function emitDivide({ asm }: Frame, op: Op): void {
  const { dst } = op;
  const wide = isWide(op);
  let divisor = op.src;
  if (dst !== RAX) asm.push(RAX);
  if (dst !== RDX) asm.push(RDX);
  if (insnSrc(op.code) === SRC.K) {
    asm.unary(true, 0xc7, 0, SCRATCH);
    asm.imm32(op.imm);
    divisor = SCRATCH;
  } else if (divisor === RAX || divisor === RDX) {
    asm.mov64(SCRATCH, divisor);
    divisor = SCRATCH;
  }
  if (dst !== RAX) asm.mov(wide, RAX, dst);
  if (op.off === 0) {
    asm.regReg(false, OP.XOR, RDX, RDX);
    asm.unary(wide, 0xf7, GROUP3.DIV, divisor);
  } else {
    asm.rex(wide, 0, 0);
    asm.byte(0x99); // cdq, cqo
    asm.unary(wide, 0xf7, GROUP3.IDIV, divisor);
  }
  const result = insnOp(op.code) === ALU.MOD ? RDX : RAX;
  if (dst !== result) asm.mov(wide, dst, result);
  if (dst !== RDX) asm.pop(RDX);
  if (dst !== RAX) asm.pop(RAX);
}

function emitShiftImmediate({ asm }: Frame, op: Op): void {
  const { group2 } = SHIFT[insnOp(op.code)];
  asm.unary(isWide(op), op.imm === 1 ? 0xd1 : 0xc1, group2, op.dst);
  if (op.imm !== 1) asm.byte(op.imm);
}

function emitShiftRegister(frame: Frame, op: Op): void {
  const { asm } = frame;
  const { group2, vexPrefix } = SHIFT[insnOp(op.code)];
  const { dst, src } = op;
  const wide = isWide(op);
  if (src === RCX) {
    asm.unary(wide, 0xd3, group2, dst);
  } else if (frame.cpu.bmi2) {
    // shlx, shrx, sarx dst,dst,src in the three-byte VEX form, opcode map 0f38
    const high = dst > 7 ? 0 : 1;
    asm.bytes(0xc4, (high << 7) | (1 << 6) | (high << 5) | 2, (wide ? 0x80 : 0) | ((~src & 0xf) << 3) | vexPrefix);
    asm.byte(0xf7);
    asm.modRegister(dst, dst);
  } else {
    emitShiftThroughRcx(frame, op, group2);
  }
}

/** The count must be in cl: rcx waits on the stack, or in the scratch register if it is what is shifted. */
function emitShiftThroughRcx({ asm }: Frame, op: Op, group2: number): void {
  const ofRcx = op.dst === RCX;
  if (ofRcx) asm.mov64(SCRATCH, RCX);
  else asm.push(RCX);
  asm.mov64(RCX, op.src);
  asm.unary(isWide(op), 0xd3, group2, ofRcx ? SCRATCH : op.dst);
  if (ofRcx) asm.mov64(RCX, SCRATCH);
  else asm.pop(RCX);
}

function emitByteSwap({ asm }: Frame, { dst, imm }: Op): void {
  if (imm === 16) {
    asm.byte(0x66);
    asm.unary(false, 0xc1, GROUP2.ROR, dst);
    asm.byte(8);
    asm.regReg2(false, OP2.MOVZX16, dst, dst);
  } else if (imm === 32 || imm === 64) {
    asm.rex(imm === 64, 0, dst);
    asm.bytes(0x0f, 0xc8 | (dst & 7)); // bswap
  }
}

/** The machine is little-endian: all that is left is to clear the bits above. */
function emitToLittleEndian({ asm }: Frame, { dst, imm }: Op): void {
  if (imm === 16) asm.regReg2(false, OP2.MOVZX16, dst, dst);
  else if (imm === 32) asm.mov32(dst, dst);
}

/** 64-bit constant; the second slot holds the upper half. */
function emitLoadConstant(frame: Frame, op: Op): void {
  const high = frame.insns[op.index];
  if (!high) throw giveUp('half a 64-bit constant');
  frame.asm.movImm64(op.dst, high.imm, op.imm);
}
