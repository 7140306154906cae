import { describe, expect, it } from 'vitest';
import { type Insn, insn } from '../../isa/insn.ts';
import { computePostorder } from './postorder.ts';
import { computeScc } from './scc.ts';
import { testEnv } from './test-env.ts';
import { SubprogInfo } from './types.ts';

const MOV = insn(0xb7);
const EXIT = insn(0x95);
const jump = (off: number): Insn => insn(0x15, 1, 0, off);
const goto = (off: number): Insn => insn(0x05, 0, 0, off);

function loopsOf(insns: Insn[]): number[] {
  const env = testEnv({ insns });
  computeScc(env);
  return env.aux.map((aux) => aux.scc);
}

describe('computeScc', () => {
  it('gives straight code no number', () => {
    expect(loopsOf([MOV, jump(1), MOV, EXIT])).toEqual([0, 0, 0, 0]);
  });

  it('numbers the instructions of a loop', () => {
    expect(loopsOf([MOV, MOV, MOV, jump(-3), EXIT])).toEqual([0, 1, 1, 1, 0]);
  });

  it('takes a jump to itself for a loop', () => {
    expect(loopsOf([MOV, jump(-1), EXIT])).toEqual([0, 1, 0]);
  });

  it('takes loops in one another for one', () => {
    expect(loopsOf([MOV, MOV, jump(-2), jump(-4), EXIT])).toEqual([1, 1, 1, 1, 0]);
  });

  it('numbers loops as they are completed: the later one first', () => {
    expect(loopsOf([MOV, jump(-2), MOV, jump(-2), EXIT])).toEqual([2, 2, 1, 1, 0]);
  });

  it('finds its way through a long chain without recursion', () => {
    const insns = [...Array.from({ length: 200000 }, () => MOV), goto(-200001)];
    expect(new Set(loopsOf(insns))).toEqual(new Set([1]));
  });
});

describe('computePostorder', () => {
  it('puts what follows before what leads there, function by function', () => {
    const env = testEnv({ insns: [MOV, jump(1), MOV, EXIT, MOV, EXIT] });
    env.subprogs = [new SubprogInfo(0), new SubprogInfo(4)];
    computePostorder(env);
    expect([...env.postorder]).toEqual([3, 2, 1, 0, 5, 4]);
    expect(env.subprogs.map((s) => s.postorderStart)).toEqual([0, 4]);
  });
});
