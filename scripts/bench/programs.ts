// Programs made to measure the verifier: long without branches, branchy, and one that runs into the limit.
import { encodeInsns, type Insn, insn } from '../../src/isa/insn.ts';
import { ALU, CLASS, JMP, MODE, SIZE, SRC } from '../../src/isa/opcode.ts';
import { HELPER } from '../../src/isa/uapi.ts';

const ALU64 = CLASS.ALU64;
const CTX = 6;
const FP = 10;
/** Offsets of __sk_buff members. */
const SKB_LEN = 0;
const SKB_MARK = 8;

const movK = (dst: number, imm: number): Insn => insn(ALU64 | ALU.MOV | SRC.K, dst, 0, 0, imm);
const movX = (dst: number, src: number): Insn => insn(ALU64 | ALU.MOV | SRC.X, dst, src);
const opK = (op: number, dst: number, imm: number): Insn => insn(ALU64 | op | SRC.K, dst, 0, 0, imm);
const opX = (op: number, dst: number, src: number): Insn => insn(ALU64 | op | SRC.X, dst, src);
const op32 = (op: number, dst: number, imm: number): Insn => insn(CLASS.ALU | op | SRC.K, dst, 0, 0, imm);
const load = (size: number, dst: number, src: number, off: number): Insn =>
  insn(CLASS.LDX | MODE.MEM | size, dst, src, off);
const store = (size: number, dst: number, off: number, src: number): Insn =>
  insn(CLASS.STX | MODE.MEM | size, dst, src, off);
const jumpK = (op: number, dst: number, imm: number, off: number): Insn =>
  insn(CLASS.JMP | op | SRC.K, dst, 0, off, imm);
const goto = (off: number): Insn => insn(CLASS.JMP | JMP.JA, 0, 0, off);
const call = (helper: number): Insn => insn(CLASS.JMP | JMP.CALL, 0, 0, 0, helper);
const EXIT = insn(CLASS.JMP | JMP.EXIT);

/** What a compiler makes of arithmetic on a packet's numbers: 16 instructions. */
const ROUND: readonly Insn[] = [
  load(SIZE.W, 1, CTX, SKB_LEN),
  load(SIZE.W, 2, CTX, SKB_MARK),
  movX(3, 1),
  opK(ALU.AND, 3, 0xff),
  opX(ALU.ADD, 3, 2),
  opK(ALU.LSH, 3, 32),
  opK(ALU.RSH, 3, 32),
  store(SIZE.DW, FP, -8, 3),
  movK(4, 17),
  opX(ALU.MUL, 4, 2),
  opX(ALU.XOR, 4, 1),
  op32(ALU.ADD, 4, 3),
  store(SIZE.W, FP, -16, 4),
  load(SIZE.DW, 5, FP, -8),
  opX(ALU.OR, 5, 4),
  opX(ALU.SUB, 5, 3),
];

/** `count` instructions without a branch. */
export function straightLine(count: number): Uint8Array {
  const insns: Insn[] = [movX(CTX, 1)];
  while (insns.length + ROUND.length + 2 <= count) insns.push(...ROUND);
  while (insns.length + 2 < count) insns.push(opK(ALU.ADD, 5, 1));
  insns.push(movK(0, 0), EXIT);
  return encodeInsns(insns);
}

/**
 * `bits` decisions on unknown numbers, each leaving its own bit in a number that is relied on in the end: next to no
 * two paths are equal. The stack holds a few values meanwhile.
 */
export function branchy(bits: number): Uint8Array {
  const insns: Insn[] = [movX(CTX, 1), movK(7, 0), movK(8, 0)];
  for (let slot = 1; slot <= 24; slot++) insns.push(store(SIZE.DW, FP, -8 * slot, CTX));
  for (let slot = 25; slot <= 40; slot++) insns.push(store(SIZE.DW, FP, -8 * slot, 8));
  for (let bit = 0; bit < bits; bit++) {
    insns.push(
      call(HELPER.get_prandom_u32),
      movX(8, 0),
      opK(ALU.AND, 8, 0xff),
      store(SIZE.DW, FP, -8 * (25 + (bit % 16)), 8),
      jumpK(JMP.JGT, 8, 7 * bit + 3, 3),
      opK(ALU.OR, 7, 1 << bit),
      load(SIZE.W, 2, CTX, SKB_LEN),
      goto(1),
      load(SIZE.W, 2, CTX, SKB_MARK),
      opX(ALU.ADD, 2, 8),
    );
  }
  // The address depends on the collected bits, so all of them are exact.
  insns.push(opK(ALU.AND, 7, 7), movX(1, FP), opX(ALU.ADD, 1, 7));
  for (let slot = 1; slot <= 24; slot++) insns.push(load(SIZE.DW, 2, FP, -8 * slot));
  insns.push(load(SIZE.B, 0, 1, -200), movK(0, 0), EXIT);
  return encodeInsns(insns);
}

/** A loop of which no round equals another, so that only the limit ends it. */
export function endless(): Uint8Array {
  const insns: Insn[] = [movX(CTX, 1), movK(7, 0)];
  const start = insns.length;
  insns.push(
    call(HELPER.get_prandom_u32),
    opK(ALU.ADD, 7, 1),
    store(SIZE.DW, FP, -8, 7),
    load(SIZE.DW, 3, FP, -8),
    jumpK(JMP.JEQ, 3, 0x7fffffff, 2),
    opX(ALU.ADD, 3, 0),
  );
  insns.push(goto(start - insns.length - 1), movK(0, 0), EXIT);
  return encodeInsns(insns);
}
