import { describe, expect, it } from 'vitest';
import { insn } from '../../isa/insn.ts';
import { collectLinkedRegs, syncLinkedRegs } from './linked-regs.ts';
import { constReg, testEnv, unknownReg } from './test-env.ts';
import {
  ADD_CONST32,
  ADD_CONST64,
  FuncState,
  type LinkedReg,
  type RegState,
  SLOT,
  StackSlot,
  type VerifierState,
} from './types.ts';

const tied = (id: number, off = 0): RegState => Object.assign(unknownReg(), { id, off });

function spill(state: VerifierState, reg: RegState): void {
  const slot = new StackSlot();
  slot.types.fill(SLOT.SPILL);
  slot.spilled.copy(reg);
  state.cur.stack.push(slot);
}

/** All registers live at instruction 0. */
function liveEnv() {
  const env = testEnv({ insns: [insn(0x95), insn(0x95)] });
  env.aux[0].liveRegsBefore = 0x3ff;
  return env;
}

describe('collectLinkedRegs', () => {
  it('finds live registers and spilled ones, with or without a distance', () => {
    const env = liveEnv();
    env.aux[0].liveRegsBefore = 0x3ff & ~(1 << 2);
    env.regs[1].copy(tied(7));
    env.regs[2].copy(tied(7));
    env.regs[3].copy(tied(ADD_CONST64 + 7, 4));
    env.regs[4].copy(tied(8));
    spill(env.state, unknownReg());
    spill(env.state, tied(7));
    const linked: LinkedReg[] = [];
    collectLinkedRegs(env, env.state, ADD_CONST64 + 7, linked);
    expect(linked).toEqual([
      { frameno: 0, isReg: true, regno: 1 },
      { frameno: 0, isReg: true, regno: 3 },
      { frameno: 0, isReg: false, regno: 1 },
    ]);
  });

  it('goes from the inner frame out, each at its own instruction', () => {
    const env = liveEnv();
    const { state } = env;
    state.frame.push(new FuncState(1, 1, 1));
    env.aux[1].liveRegsBefore = 1 << 6;
    state.frame[0].regs[6].copy(tied(7));
    state.frame[0].regs[7].copy(tied(7));
    state.curframe = 1;
    state.cur.regs[1].copy(tied(7));
    const linked: LinkedReg[] = [];
    collectLinkedRegs(env, state, 7, linked);
    expect(linked.map(({ frameno, regno }) => [frameno, regno])).toEqual([
      [1, 1],
      [0, 6],
    ]);
  });

  it('takes six; further ones are no longer tied', () => {
    const env = liveEnv();
    for (let i = 0; i < 8; i++) env.regs[i].copy(tied(7));
    const linked: LinkedReg[] = [];
    collectLinkedRegs(env, env.state, 7, linked);
    expect(linked.length).toBe(6);
    expect([5, 6, 7].map((i) => env.regs[i].id)).toEqual([7, 0, 0]);
  });
});

describe('syncLinkedRegs', () => {
  const r = (regno: number): LinkedReg => ({ frameno: 0, isReg: true, regno });

  function sync(known: RegState, other: RegState): RegState {
    const { state, regs } = testEnv();
    regs[1].copy(known);
    regs[2].copy(other);
    syncLinkedRegs(state, regs[1], [r(1), r(2)]);
    return regs[2];
  }
  const five = (id: number, off = 0): RegState => Object.assign(constReg(5n), { id, off });

  it('an equal register becomes a copy but keeps who defined its low half', () => {
    expect(sync(five(3), Object.assign(tied(3), { subregDef: 9 }))).toMatchObject({ umin: 5n, umax: 5n, subregDef: 9 });
  });

  it('a register at a distance becomes that much more, and stays at that distance', () => {
    expect(sync(five(3), tied(ADD_CONST64 + 3, 10))).toMatchObject({ umax: 15n, id: ADD_CONST64 + 3, off: 10 });
    expect(sync(five(ADD_CONST64 + 3, 10), tied(3))).toMatchObject({ smin: -5n, id: 3, off: 0 });
  });

  it('a 32-bit distance wraps at 32 bits', () => {
    expect(sync(five(3), tied(ADD_CONST32 + 3, -6))).toMatchObject({ umin: 0xffffffffn, umax: 0xffffffffn });
  });

  it('distances of different width tell nothing', () => {
    expect(sync(five(ADD_CONST32 + 3, 1), tied(ADD_CONST64 + 3, 2)).umax).toBe(0xffffffffffffffffn);
  });

  it('a register that has got another id meanwhile is left alone', () => {
    expect(sync(five(3), tied(4)).umax).toBe(0xffffffffffffffffn);
  });
});
