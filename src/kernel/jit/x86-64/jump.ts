// Jumps and their size: two bytes where the distance of the pass before allows it.
import { CLASS, insnClass, JMP, SRC } from '../../../isa/opcode.ts';
import { CC, GROUP1, GROUP3, isImm8, OP } from './assembler.ts';
import { emitEpilogue } from './entry.ts';
import type { Emit, Emitters, Frame, Op } from './frame.ts';
import { giveUp } from './frame.ts';

/** Forward jumps stay below the full 127 so that the sizes of two jumps across each other settle. */
const isShort = (distance: number): boolean => distance >= -128 && distance <= 123;

const CONDITION: Readonly<Record<number, number>> = {
  [JMP.JEQ]: CC.E,
  [JMP.JNE]: CC.NE,
  [JMP.JSET]: CC.NE,
  [JMP.JGT]: CC.A,
  [JMP.JLT]: CC.B,
  [JMP.JGE]: CC.AE,
  [JMP.JLE]: CC.BE,
  [JMP.JSGT]: CC.G,
  [JMP.JSLT]: CC.L,
  [JMP.JSGE]: CC.GE,
  [JMP.JSLE]: CC.LE,
};

/** Distance from the end of instruction `op` to the start of the one `relative` slots further. */
function distanceTo({ addrs }: Frame, op: Op, relative: number): number {
  const to = op.index + relative;
  if (to < 0 || to >= addrs.length) throw giveUp('a jump out of the function');
  return addrs[to] - addrs[op.index];
}

/** Emitters of jumps and of exit by opcode. rule: do_jit, 6.18 */
export const jumpEmitters = (): Emitters => {
  const table: Emitters = new Map();
  for (const width of [CLASS.JMP, CLASS.JMP32]) {
    table.set(width | JMP.JA, emitGoto);
    for (const kind of Object.keys(CONDITION)) {
      const code = width | Number(kind);
      const compareRegister = Number(kind) === JMP.JSET ? emitTestRegister : emitCompareRegister;
      const compareImmediate = Number(kind) === JMP.JSET ? emitTestImmediate : emitCompareImmediate;
      table.set(code | SRC.X, conditional(CONDITION[Number(kind)], compareRegister));
      table.set(code | SRC.K, conditional(CONDITION[Number(kind)], compareImmediate));
    }
  }
  table.set(CLASS.JMP | JMP.EXIT, emitExit);
  return table;
};

const isWide = (op: Op): boolean => insnClass(op.code) === CLASS.JMP;

/** A comparison and the jump that depends on it. */
const conditional =
  (condition: number, compare: Emit): Emit =>
  (frame, op) => {
    compare(frame, op);
    const distance = distanceTo(frame, op, op.off);
    if (isShort(distance)) {
      pad(frame, op, 2, [0, 4]);
      frame.asm.bytes(0x70 | condition, distance);
    } else {
      frame.asm.bytes(0x0f, 0x80 | condition);
      frame.asm.imm32(distance);
    }
  };

function emitTestRegister({ asm }: Frame, op: Op): void {
  asm.regReg(isWide(op), OP.TEST, op.dst, op.src);
}

function emitTestImmediate({ asm }: Frame, op: Op): void {
  asm.unary(isWide(op), 0xf7, GROUP3.TEST, op.dst);
  asm.imm32(op.imm);
}

function emitCompareRegister({ asm }: Frame, op: Op): void {
  asm.regReg(isWide(op), OP.CMP, op.dst, op.src);
}

function emitCompareImmediate({ asm }: Frame, op: Op): void {
  if (op.imm === 0) {
    asm.regReg(isWide(op), OP.TEST, op.dst, op.dst);
  } else if (isImm8(op.imm)) {
    asm.unary(isWide(op), 0x83, GROUP1.CMP, op.dst);
    asm.byte(op.imm);
  } else {
    asm.unary(isWide(op), 0x81, GROUP1.CMP, op.dst);
    asm.imm32(op.imm);
  }
}

/** `goto`, and `gotol` whose distance is in `imm`. */
function emitGoto(frame: Frame, op: Op): void {
  const relative = isWide(op) ? op.off : op.imm;
  const distance = relative === -1 ? -2 : distanceTo(frame, op, relative);
  if (distance === 0) pad(frame, op, 0, [0, 2, 5]);
  else emitJump(frame, op, distance);
}

/** The first exit of a function is its epilogue, the others jump there. */
function emitExit(frame: Frame, op: Op): void {
  if (frame.seenExit) {
    emitJump(frame, op, frame.cleanup - frame.addrs[op.index]);
  } else {
    frame.seenExit = true;
    frame.cleanup = frame.start;
    emitEpilogue(frame);
  }
}

function emitJump(frame: Frame, op: Op, distance: number): void {
  const { asm } = frame;
  if (isShort(distance)) {
    pad(frame, op, 2, [0, 3]);
    asm.bytes(0xeb, distance);
  } else {
    asm.byte(0xe9);
    asm.imm32(distance);
  }
}

/** Fills an instruction that became shorter than in the pass before, once code may no longer shrink. */
function pad(frame: Frame, op: Op, jumpBytes: number, allowed: readonly number[]): void {
  if (!frame.padding) return;
  const size = frame.addrs[op.index] - frame.addrs[op.index - 1];
  const missing = size - frame.emitted - jumpBytes;
  if (!allowed.includes(missing)) throw giveUp(`unexpected jump padding of ${missing} bytes`);
  frame.asm.nops(missing);
}
