// Arithmetic on two constants: the short way to what the range rules would find.
import type { Insn } from '../../isa/insn.ts';
import { ALU, CLASS, insnClass, insnOp, insnSrc, SRC } from '../../isa/opcode.ts';
import { swapBytes } from './tnum.ts';

type Binary = (a: bigint, b: bigint, bits: 32 | 64) => bigint;

const OPERATIONS: Readonly<Record<number, Binary>> = {
  [ALU.ADD]: (a, b) => a + b,
  [ALU.SUB]: (a, b) => a - b,
  [ALU.MUL]: (a, b) => a * b,
  [ALU.OR]: (a, b) => a | b,
  [ALU.AND]: (a, b) => a & b,
  [ALU.XOR]: (a, b) => a ^ b,
  [ALU.NEG]: (a) => -a,
  [ALU.LSH]: (a, b) => a << b,
  [ALU.RSH]: (a, b, bits) => BigInt.asUintN(bits, a) >> b,
  [ALU.ARSH]: (a, b, bits) => BigInt.asIntN(bits, a) >> b,
};

/**
 * Result, unsigned 64-bit, of an operation whose ranges are computable, that is: no division, and shifts by less than
 * the width.
 */
export function foldConstants(insn: Insn, dst: bigint, src: bigint): bigint {
  const op = insnOp(insn.code);
  const wide = insnClass(insn.code) === CLASS.ALU64;
  if (op === ALU.END) {
    return wide || insnSrc(insn.code) === SRC.X ? swapBytes(dst, insn.imm / 8) : BigInt.asUintN(insn.imm, dst);
  }
  const bits = wide ? 64 : 32;
  return BigInt.asUintN(bits, OPERATIONS[op](dst, src, bits));
}
