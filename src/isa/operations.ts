// Families of operations. Random programs are made by their order: another order makes other programs of the same seed.
import { ALU, ATOMIC, JMP } from './opcode.ts';

/** Arithmetic of two operands. */
export const BINARY = [
  ALU.ADD,
  ALU.SUB,
  ALU.MUL,
  ALU.DIV,
  ALU.OR,
  ALU.AND,
  ALU.LSH,
  ALU.RSH,
  ALU.MOD,
  ALU.XOR,
  ALU.MOV,
  ALU.ARSH,
] as const;

/** Conditional jumps. */
export const COMPARE = [
  JMP.JEQ,
  JMP.JGT,
  JMP.JGE,
  JMP.JSET,
  JMP.JNE,
  JMP.JSGT,
  JMP.JSGE,
  JMP.JLT,
  JMP.JLE,
  JMP.JSLT,
  JMP.JSLE,
] as const;

/** Atomic operations that read and write. */
export const READ_MODIFY_WRITE = [
  ATOMIC.ADD,
  ATOMIC.OR,
  ATOMIC.AND,
  ATOMIC.XOR,
  ATOMIC.ADD | ATOMIC.FETCH,
  ATOMIC.OR | ATOMIC.FETCH,
  ATOMIC.AND | ATOMIC.FETCH,
  ATOMIC.XOR | ATOMIC.FETCH,
  ATOMIC.XCHG,
  ATOMIC.CMPXCHG,
] as const;
