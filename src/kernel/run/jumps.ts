// Jumps, calls and returns.

import { CALL_KIND, CLASS, JMP, SRC } from '../../isa/opcode.ts';
import { HELPER } from '../../isa/uapi.ts';
import { type Op, R0, type Step } from './machine.ts';
import type { StepTable } from './steps.ts';

type Wide = (a: bigint, b: bigint) => boolean;
type Narrow = (a: number, b: number) => boolean;

const UNSIGNED: Readonly<Record<number, [Wide, Narrow]>> = {
  [JMP.JEQ]: [(a, b) => a === b, (a, b) => a === b],
  [JMP.JNE]: [(a, b) => a !== b, (a, b) => a !== b],
  [JMP.JGT]: [(a, b) => a > b, (a, b) => a > b],
  [JMP.JGE]: [(a, b) => a >= b, (a, b) => a >= b],
  [JMP.JLT]: [(a, b) => a < b, (a, b) => a < b],
  [JMP.JLE]: [(a, b) => a <= b, (a, b) => a <= b],
  [JMP.JSET]: [(a, b) => (a & b) !== 0n, (a, b) => (a & b) !== 0],
};
const SIGNED: Readonly<Record<number, [Wide, Narrow]>> = {
  [JMP.JSGT]: [(a, b) => a > b, (a, b) => a > b],
  [JMP.JSGE]: [(a, b) => a >= b, (a, b) => a >= b],
  [JMP.JSLT]: [(a, b) => a < b, (a, b) => a < b],
  [JMP.JSLE]: [(a, b) => a <= b, (a, b) => a <= b],
};

export const JUMP_STEPS: StepTable = new Map();

for (const [key, [wide, narrow]] of Object.entries(UNSIGNED)) {
  const op = Number(key);
  const add = (kind: number, source: number, step: Step): void => {
    JUMP_STEPS.set(kind | op | source, () => step);
  };
  add(CLASS.JMP, SRC.X, (m, { dst, src, target }) => {
    if (wide(m.regs[dst], m.regs[src])) m.pc = target;
  });
  add(CLASS.JMP, SRC.K, (m, { dst, imm, target }) => {
    if (wide(m.regs[dst], imm)) m.pc = target;
  });
  add(CLASS.JMP32, SRC.X, (m, { dst, src, target }) => {
    if (narrow(m.halves[dst * 2], m.halves[src * 2])) m.pc = target;
  });
  add(CLASS.JMP32, SRC.K, (m, { dst, imm32, target }) => {
    if (narrow(m.halves[dst * 2], imm32 >>> 0)) m.pc = target;
  });
}
for (const [key, [wide, narrow]] of Object.entries(SIGNED)) {
  const op = Number(key);
  const add = (kind: number, source: number, step: Step): void => {
    JUMP_STEPS.set(kind | op | source, () => step);
  };
  add(CLASS.JMP, SRC.X, (m, { dst, src, target }) => {
    if (wide(m.signed[dst], m.signed[src])) m.pc = target;
  });
  add(CLASS.JMP, SRC.K, (m, { dst, imm32, target }) => {
    if (wide(m.signed[dst], BigInt(imm32))) m.pc = target;
  });
  add(CLASS.JMP32, SRC.X, (m, { dst, src, target }) => {
    if (narrow(m.signedHalves[dst * 2], m.signedHalves[src * 2])) m.pc = target;
  });
  add(CLASS.JMP32, SRC.K, (m, { dst, imm32, target }) => {
    if (narrow(m.signedHalves[dst * 2], imm32)) m.pc = target;
  });
}

const jump: Step = (m, { target }) => {
  m.pc = target;
};

/** Goes on `mayGotoLimit` times in each frame. */
const mayGoto: Step = (m, { target }) => {
  const { frame } = m;
  if (frame.mayGoto <= 0) m.pc = target;
  else frame.mayGoto--;
};

const callFunction: Step = (m, { target }) => {
  m.enter(m.pc);
  m.pc = target;
};

const callHelper: Step = (m, op: Op) => {
  const { regs } = m;
  if (op.helper === undefined) throw m.fault(`call of unknown helper ${op.imm32}`);
  regs[R0] = op.helper(m, regs[1], regs[2], regs[3], regs[4], regs[5]);
};

/** Goes on where it stands if the slot is empty or too many tail calls have been made. rule: __bpf_prog_run, 6.18 */
const tailCall: Step = (m) => {
  const { regs } = m;
  const target = m.tailCallTarget(regs[2], m.halves[3 * 2]);
  if (target === undefined) return;
  m.code = target;
  m.pc = 0;
};

JUMP_STEPS.set(CLASS.JMP | JMP.JA, () => jump);
JUMP_STEPS.set(CLASS.JMP32 | JMP.JA, () => jump);
JUMP_STEPS.set(CLASS.JMP | JMP.JCOND, () => mayGoto);
JUMP_STEPS.set(CLASS.JMP | JMP.EXIT, () => (m) => m.leave());
JUMP_STEPS.set(CLASS.JMP | JMP.TAIL_CALL, () => tailCall);
JUMP_STEPS.set(CLASS.JMP | JMP.CALL, ({ src, imm }) => {
  if (src === CALL_KIND.PSEUDO) return callFunction;
  return src === CALL_KIND.HELPER && imm === HELPER.tail_call ? tailCall : callHelper;
});
