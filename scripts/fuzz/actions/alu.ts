// Arithmetic on numbers and pointers.
import { ALU } from '../../../src/isa/opcode.ts';
import { BINARY } from '../../../src/isa/operations.ts';
import type { Action } from '../action.ts';
import { FP, type Generator } from '../generator.ts';
import { isKnown, known, type ScalarValue, scalar, UNKNOWN, type Value } from '../values.ts';

const OPS = BINARY.filter((op) => op !== ALU.MOV);
const SHIFTS: readonly number[] = [ALU.LSH, ALU.RSH, ALU.ARSH];
const DIVISIONS: readonly number[] = [ALU.DIV, ALU.MOD];
const LIMIT = 2 ** 31;

/** A rough idea of the result; unknown where it might wrap. */
function result(op: number, a: Value, b: ScalarValue, wide: boolean): ScalarValue {
  if (a.kind !== 'scalar') return UNKNOWN;
  const { min, max } = a;
  let out: ScalarValue = UNKNOWN;
  if (op === ALU.ADD) out = scalar(min + b.min, max + b.max);
  else if (op === ALU.MUL) out = scalar(min * b.min, max * b.max);
  else if (op === ALU.SUB && min >= b.max) out = scalar(min - b.max, max - b.min);
  else if (op === ALU.AND) out = scalar(0, Math.min(max, b.max));
  else if (op === ALU.RSH && isKnown(b) && b.min < 32)
    out = scalar(Math.floor(min / 2 ** b.min), Math.floor(max / 2 ** b.min));
  else if (op === ALU.LSH && isKnown(b) && b.min < 32) out = scalar(min * 2 ** b.min, max * 2 ** b.min);
  else if ((op === ALU.OR || op === ALU.XOR) && max < LIMIT && b.max < LIMIT) {
    out = scalar(0, 2 ** Math.ceil(Math.log2(Math.max(max, b.max) + 1)) - 1);
  }
  if (out.max < LIMIT) return out;
  return wide ? UNKNOWN : scalar(0, 0xffffffff);
}

function onImmediate(g: Generator): boolean {
  const { rng, asm } = g;
  const reg = g.changeableScalar();
  const op = rng.pick(OPS);
  const wide = rng.chance(0.6);
  let imm = g.imm();
  if (SHIFTS.includes(op) && !g.mistake()) imm = rng.below(wide ? 64 : 32);
  if (DIVISIONS.includes(op) && imm === 0 && !g.mistake()) imm = 3;
  const signed = DIVISIONS.includes(op) && rng.chance(0.3);
  asm.aluImm(op, reg, imm, wide, signed ? 1 : 0);
  g.set(reg, signed || imm < 0 ? UNKNOWN : result(op, g.value(reg), known(imm), wide));
  return true;
}

function onRegister(g: Generator): boolean {
  const { rng, asm } = g;
  const dst = g.changeableScalar();
  const src = g.scalarReg();
  const op = rng.pick(OPS);
  const wide = rng.chance(0.6);
  const signed = DIVISIONS.includes(op) && rng.chance(0.3);
  asm.aluReg(op, dst, src, wide, signed ? 1 : 0);
  const b = g.value(src);
  g.set(dst, signed || b.kind !== 'scalar' ? UNKNOWN : result(op, g.value(dst), b, wide));
  return true;
}

function move(g: Generator): boolean {
  const { rng, asm } = g;
  const choice = rng.below(10);
  if (choice < 4) {
    const src = g.findReg((v) => v.kind !== 'none');
    if (src === undefined) return false;
    const dst = g.freeReg([src]);
    asm.mov(dst, src);
    g.set(dst, src === FP ? { kind: 'stack', off: 0, vary: 0 } : g.value(src));
  } else if (choice < 6) {
    const src = g.scalarReg();
    const dst = g.freeReg();
    const value = g.value(src);
    asm.aluReg(ALU.MOV, dst, src, false);
    g.set(dst, value.kind === 'scalar' && value.max <= 0xffffffff ? value : scalar(0, 0xffffffff));
  } else if (choice < 8) {
    const src = g.scalarReg();
    const dst = g.freeReg();
    const wide = rng.chance(0.5);
    asm.aluReg(ALU.MOV, dst, src, wide, g.mistake() ? rng.below(65) : rng.pick(wide ? [8, 16, 32] : [8, 16]));
    g.set(dst, UNKNOWN);
  } else if (choice < 9) {
    g.setNumber(g.freeReg(), g.imm());
  } else {
    const reg = g.freeReg();
    const value = g.imm64();
    asm.imm64(reg, value);
    g.set(reg, value >= 0n && value < BigInt(LIMIT) ? known(Number(value)) : UNKNOWN);
  }
  return true;
}

/** Negation and byte swaps. */
function unary(g: Generator): boolean {
  const { rng, asm } = g;
  const reg = g.changeableScalar();
  if (rng.chance(0.4)) asm.aluImm(ALU.NEG, reg, g.mistake() ? 1 : 0, rng.chance(0.5));
  else {
    // to_le, to_be, or the unconditional swap of the 64-bit class
    const width = g.mistake() ? g.imm() : rng.pick([16, 32, 64]);
    const form = rng.below(3);
    asm.raw((form === 2 ? 0x07 : 0x04) | ALU.END | (form === 1 ? 0x08 : 0), reg, 0, 0, width);
  }
  g.set(reg, UNKNOWN);
  return true;
}

/** Makes a number bounded, which other actions look for. */
function bound(g: Generator): boolean {
  const reg = g.changeableScalar((v) => v.max > 0xffff);
  if (g.value(reg).kind !== 'scalar' || g.pinned.has(reg)) return false;
  g.bound(reg, g.rng.pick([1, 3, 7, 8, 12, 15, 31, 63, 100, 255, 4095]));
  return true;
}

/** Keeps the multiples of a power of two, so that variable offsets stay aligned. */
function align(g: Generator): boolean {
  const reg = g.findReg((v, r) => v.kind === 'scalar' && v.max < 0x10000 && v.min !== v.max && !g.pinned.has(r));
  if (reg === undefined) return false;
  const value = g.value(reg);
  const shift = g.rng.between(1, 3);
  if (g.rng.chance(0.5)) {
    g.asm.aluImm(ALU.AND, reg, -(1 << shift));
    g.set(reg, value.kind === 'scalar' ? scalar(0, value.max) : UNKNOWN);
  } else {
    g.asm.aluImm(ALU.LSH, reg, shift);
    g.set(reg, value.kind === 'scalar' ? scalar(value.min << shift, value.max * 2 ** shift) : UNKNOWN);
  }
  return true;
}

/** A copy that stays linked with its source: what is learnt of one is known of the other. */
function link(g: Generator): boolean {
  const src = g.findReg((v) => v.kind === 'scalar' && v.min !== v.max);
  if (src === undefined) return false;
  const dst = g.freeReg([src]);
  const value = g.value(src);
  const wide = g.rng.chance(0.7);
  g.asm.aluReg(ALU.MOV, dst, src, wide);
  const delta = g.rng.chance(0.7) ? g.rng.between(-8, 16) : g.imm();
  if (g.rng.chance(0.6)) {
    g.asm.aluImm(ALU.ADD, dst, delta, wide || g.rng.chance(0.3));
    g.set(dst, value.kind === 'scalar' && delta >= 0 ? result(ALU.ADD, value, known(delta), wide) : UNKNOWN);
  } else g.set(dst, wide ? value : UNKNOWN);
  return true;
}

export const ALU_ACTIONS: readonly Action[] = [
  { weight: 6, run: onImmediate },
  { weight: 5, run: onRegister },
  { weight: 6, run: move },
  { weight: 2, run: unary },
  { weight: 3, run: bound },
  { weight: 1, run: align },
  { weight: 2, run: link },
];
