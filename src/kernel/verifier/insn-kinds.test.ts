import { describe, expect, it } from 'vitest';
import { insn, LDIMM64 } from '../../isa/insn.ts';
import { isGoto, isMayGoto, jumpOffset, successors } from './insn-kinds.ts';

const next = new Int32Array(2);
const following = (...program: ReturnType<typeof insn>[]): number[] => {
  const n = successors(program, 0, next);
  return [...next.subarray(0, n)];
};

describe('successors', () => {
  it('gives the next instruction for arithmetic and for calls of every kind', () => {
    expect(following(insn(0xb7))).toEqual([1]);
    expect([0, 1, 2].map((src) => following(insn(0x85, 0, src)))).toEqual([[1], [1], [1]]);
  });

  it('skips the second half of a wide immediate', () => {
    expect(following(insn(LDIMM64, 1), insn(0))).toEqual([2]);
  });

  it('gives fall-through before the jump', () => {
    expect(following(insn(0x15, 1, 0, 5))).toEqual([1, 6]);
    expect(following(insn(0x56, 1, 0, -3))).toEqual([1, -2]);
    expect(following(insn(0xe5, 0, 0, 2))).toEqual([1, 3]);
  });

  it('gives only the target of an unconditional jump, near by its offset and far by its immediate', () => {
    expect(following(insn(0x05, 0, 0, 7, 9))).toEqual([8]);
    expect(following(insn(0x06, 0, 0, 7, 9))).toEqual([10]);
  });

  it('gives nothing after exit', () => {
    expect(following(insn(0x95))).toEqual([]);
  });
});

describe('jumps', () => {
  it('knows both forms of goto', () => {
    expect([0x05, 0x06, 0x15].map((code) => isGoto(insn(code)))).toEqual([true, true, false]);
    expect(jumpOffset(insn(0x06, 0, 0, 1, -8))).toBe(-8);
  });

  it('takes jcond for may_goto only with source 0', () => {
    expect(isMayGoto(insn(0xe5, 0, 0))).toBe(true);
    expect(isMayGoto(insn(0xe5, 0, 1))).toBe(false);
  });
});
