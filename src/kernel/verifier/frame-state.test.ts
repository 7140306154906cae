import { describe, expect, it } from 'vitest';
import { markRegKnown } from './scalar-marks.ts';
import { constReg, testEnv, unknownReg } from './test-env.ts';
import { FuncState, INVALID_SLOT, InsnAux, NO_REG, REG, type RegState, SLOT, StackSlot } from './types.ts';

function spill(reg: RegState): StackSlot {
  const slot = new StackSlot(reg);
  slot.types.fill(SLOT.SPILL);
  return slot;
}

/** A frame with R1 = 7, R2 unknown, 9 spilled at fp-8, anything at fp-16 and nothing at fp-24. */
function frame(): FuncState {
  const f = testEnv().state.cur;
  f.regs[1] = constReg(7n);
  f.regs[2] = unknownReg();
  const misc = new StackSlot();
  misc.types.fill(SLOT.MISC);
  f.stack = [spill(constReg(9n)), misc, new StackSlot()];
  return f;
}

describe('a frame that is put aside', () => {
  it('shares with the next one what has not changed meanwhile', () => {
    const walked = frame();
    const first = walked.freeze();
    markRegKnown(walked.regs[1], 8n);
    walked.stack[0].types[0] = SLOT.MISC;
    const second = walked.freeze();
    expect(second.regs[2]).toBe(first.regs[2]);
    expect(second.stack[1]).toBe(first.stack[1]);
    expect(second.regs[1]).not.toBe(first.regs[1]);
    expect(second.stack[0]).not.toBe(first.stack[0]);
    expect([first.regs[1].umin, second.regs[1].umin]).toEqual([7n, 8n]);
    expect([first.stack[0].types[0], second.stack[0].types[0]]).toEqual([SLOT.SPILL, SLOT.MISC]);
  });

  it('gives registers and slots to write to, and others keep theirs', () => {
    const walked = frame();
    const first = walked.freeze();
    const second = walked.freeze();
    second.ownReg(1).type = REG.NOT_INIT;
    second.ownSpilled(0).precise = true;
    expect([first.regs[1].type, first.stack[0].spilled.precise]).toEqual([REG.SCALAR, false]);
    expect([walked.regs[1].type, walked.stack[0].spilled.precise]).toEqual([REG.SCALAR, false]);
    expect(second.ownReg(1)).toBe(second.regs[1]);
  });

  it('is walked on with what it knew, whatever the path before it left', () => {
    const walked = frame();
    const before = walked.freeze();
    const aside = walked.freeze();
    markRegKnown(aside.ownReg(2), 5n);
    markRegKnown(walked.regs[1], 1n);
    walked.stack[0].types.fill(SLOT.ZERO);
    walked.stack.push(spill(constReg(1n)));
    walked.restore(aside);
    expect(walked.regs[1].umin).toBe(7n);
    expect(walked.regs[2].umin).toBe(5n);
    expect(walked.stack.map((slot) => slot.types[0])).toEqual([SLOT.SPILL, SLOT.MISC, SLOT.INVALID]);
    expect([...walked.regs, ...walked.stack].some((x) => x.frozen)).toBe(false);
    walked.regs[1].umin = 3n;
    walked.stack[0].types[3] = SLOT.MISC;
    expect([before.regs[1].umin, before.stack[0].types[3]]).toEqual([7n, SLOT.SPILL]);
  });

  it('is put into frames that have less than it', () => {
    const empty = new FuncState(0, 0, 0);
    empty.restore(frame().freeze());
    expect(empty.stack[0].spilled.umin).toBe(9n);
    empty.stack[0].spilled.umin = 1n;
    expect(empty.stack[0].frozen).toBe(false);
  });

  it('for comparing only, has one slot for all that hold the same bytes and no object', () => {
    const [a, b] = [frame(), frame()].map((f) => f.freeze(NO_REG));
    expect(a.stack[1]).toBe(b.stack[1]);
    expect(a.stack[2]).toBe(INVALID_SLOT);
    expect([a.stack[0].open, a.stack[1].open, a.stack[2].open]).toEqual([false, true, true]);
    expect(a.regs[0]).toBe(NO_REG);
  });
});

describe('a register that becomes precise', () => {
  it('stays the same object on the path being walked', () => {
    const reg = constReg(1n);
    expect(reg.madePrecise()).toBe(reg);
    expect(reg.precise).toBe(true);
  });

  it('is another one, but one and the same, in states that share it', () => {
    const shared = constReg(1n).freeze();
    expect(shared.madePrecise()).toBe(shared.madePrecise());
    expect([shared.precise, shared.madePrecise().precise]).toEqual([false, true]);
    const slot = spill(constReg(1n)).freeze();
    expect(slot.madePrecise().spilled).toBe(slot.spilled.madePrecise());
    expect(slot.spilled.precise).toBe(false);
  });
});

describe('notes of an instruction', () => {
  it('are independent of each other', () => {
    const aux = new InsnAux();
    aux.prunePoint = true;
    aux.zextDst = true;
    aux.prunePoint = false;
    expect([aux.prunePoint, aux.zextDst, aux.jmpPoint]).toEqual([false, true, false]);
  });

  it('are of one instruction only', () => {
    const [a, b] = [new InsnAux(), new InsnAux()];
    a.mapIndex = 3;
    a.aluLimit = 0;
    expect([a.mapIndex, b.mapIndex, b.aluLimit, b.mapKeyState]).toEqual([3, 0, 0, 0n]);
    a.mapIndex = 0;
    expect(a.mapIndex).toBe(0);
  });
});
