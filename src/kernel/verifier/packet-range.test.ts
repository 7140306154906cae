import { describe, expect, it } from 'vitest';
import { insn } from '../../isa/insn.ts';
import { CLASS, JMP, SRC } from '../../isa/opcode.ts';
import { findGoodPktPointers, pktBranchTaken, tryMatchPktPointers } from './packet-range.ts';
import { constReg, testEnv, unknownReg } from './test-env.ts';
import { REG, type RegState, SLOT, StackSlot, type VerifierState } from './types.ts';

const pointer = (type: number, fields: Partial<RegState> = {}): RegState =>
  Object.assign(constReg(0n), { type }, fields);

/** r1: start of the packet, r2: 8 bytes further, r3: end. */
function packetState(): VerifierState {
  const { state } = testEnv();
  state.cur.regs[1].copy(pointer(REG.PACKET));
  state.cur.regs[2].copy(pointer(REG.PACKET, { off: 8 }));
  state.cur.regs[3].copy(pointer(REG.PACKET_END));
  return state;
}

const ranges = (state: VerifierState): number[] => [1, 2].map((i) => state.cur.regs[i].range);

describe('comparison of a packet pointer with the end', () => {
  // Ranges of r1 and r2 behind the jump, and where it goes.
  const cases: [string, number, number[], number[]][] = [
    ['JGT', JMP.JGT, [8, 8], [0, -2]],
    ['JGE', JMP.JGE, [9, 9], [0, -1]],
    ['JLT', JMP.JLT, [0, -1], [9, 9]],
    ['JLE', JMP.JLE, [0, -2], [8, 8]],
  ];
  it.each(cases)('pkt %s end', (_name, op, on, jump) => {
    const [a, b] = [packetState(), packetState()];
    const at = insn(CLASS.JMP | op | SRC.X, 2, 3);
    expect(tryMatchPktPointers(at, a.cur.regs[2], a.cur.regs[3], a, b)).toBe(true);
    expect([ranges(a), ranges(b)]).toEqual([on, jump]);
  });

  const swapped: [string, number, number[], number[]][] = [
    ['JGT', JMP.JGT, [0, -1], [9, 9]],
    ['JGE', JMP.JGE, [0, -2], [8, 8]],
    ['JLT', JMP.JLT, [8, 8], [0, -2]],
    ['JLE', JMP.JLE, [9, 9], [0, -1]],
  ];
  it.each(swapped)('end %s pkt', (_name, op, on, jump) => {
    const [a, b] = [packetState(), packetState()];
    const at = insn(CLASS.JMP | op | SRC.X, 3, 2);
    expect(tryMatchPktPointers(at, a.cur.regs[3], a.cur.regs[2], a, b)).toBe(true);
    expect([ranges(a), ranges(b)]).toEqual([on, jump]);
  });

  it.each([
    ['equality', insn(CLASS.JMP | JMP.JEQ | SRC.X, 2, 3)],
    ['signed', insn(CLASS.JMP | JMP.JSGT | SRC.X, 2, 3)],
    ['32 bits', insn(CLASS.JMP32 | JMP.JGT | SRC.X, 2, 3)],
    ['a number', insn(CLASS.JMP | JMP.JGT, 2, 0)],
  ])('%s teaches nothing', (_name, at) => {
    const state = packetState();
    expect(tryMatchPktPointers(at, state.cur.regs[2], state.cur.regs[3], state, state)).toBe(false);
    expect(ranges(state)).toEqual([0, 0]);
  });

  it('metadata ends where the packet begins, but is not marked as past it', () => {
    const [a, b] = [packetState(), packetState()];
    for (const { cur } of [a, b]) cur.regs[2].copy(pointer(REG.PACKET_META, { off: 4 }));
    const at = insn(CLASS.JMP | JMP.JGT | SRC.X, 2, 1);
    expect(tryMatchPktPointers(at, a.cur.regs[2], a.cur.regs[1], a, b)).toBe(true);
    expect([a.cur.regs[2].range, b.cur.regs[2].range]).toEqual([4, 0]);
  });

  it('metadata is compared with the packet as the context gave it only', () => {
    const state = packetState();
    state.cur.regs[1].copy(pointer(REG.PACKET_META, { off: 4 }));
    const at = insn(CLASS.JMP | JMP.JGT | SRC.X, 1, 2);
    expect(tryMatchPktPointers(at, state.cur.regs[1], state.cur.regs[2], state, state)).toBe(false);
  });
});

describe('findGoodPktPointers', () => {
  it('tells pointers of the same type and id, spilled ones too, and keeps greater ranges', () => {
    const state = packetState();
    const { regs, stack } = state.cur;
    regs[4].copy(pointer(REG.PACKET, { id: 1 }));
    regs[5].copy(pointer(REG.PACKET, { range: 40 }));
    const slot = new StackSlot();
    slot.types.fill(SLOT.SPILL);
    slot.spilled.copy(pointer(REG.PACKET));
    stack.push(slot);
    findGoodPktPointers(state, regs[2], REG.PACKET, false);
    expect([1, 2, 4, 5].map((i) => regs[i].range)).toEqual([8, 8, 0, 40]);
    expect(slot.spilled.range).toBe(8);
  });

  it('gives no range before the start, at it, or too far', () => {
    const state = packetState();
    const { regs } = state.cur;
    for (const [off, open] of [
      [-1, false],
      [0, true],
      [0x10000, false],
    ] as const) {
      regs[2].off = off;
      findGoodPktPointers(state, regs[2], REG.PACKET, open);
    }
    const far = Object.assign(unknownReg(), { type: REG.PACKET, off: 8 });
    findGoodPktPointers(state, far, REG.PACKET, false);
    expect(ranges(state)).toEqual([0, 0]);
  });
});

describe('pktBranchTaken', () => {
  const end = pointer(REG.PACKET_END);
  const at = pointer(REG.PACKET, { range: -1 });
  const beyond = pointer(REG.PACKET, { range: -2 });
  const cases: [string, RegState, RegState, number, number][] = [
    ['beyond > end', beyond, end, JMP.JGT, 1],
    ['beyond <= end', beyond, end, JMP.JLE, 0],
    ['beyond >= end', beyond, end, JMP.JGE, 1],
    ['beyond < end', beyond, end, JMP.JLT, 0],
    ['at or beyond >= end', at, end, JMP.JGE, 1],
    ['at or beyond < end', at, end, JMP.JLT, 0],
    ['at or beyond > end', at, end, JMP.JGT, -1],
    ['end < beyond', end, beyond, JMP.JLT, 1],
    ['end > at or beyond', end, at, JMP.JGT, 0],
    ['within', pointer(REG.PACKET, { range: 8 }), end, JMP.JGT, -1],
    ['beyond == end', beyond, end, JMP.JEQ, -1],
    ['two packet pointers', beyond, at, JMP.JGT, -1],
  ];
  it.each(cases)('%s', (_name, dst, src, op, taken) => {
    expect(pktBranchTaken(dst, src, op)).toBe(taken);
  });
});
