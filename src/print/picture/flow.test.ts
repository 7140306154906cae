import { describe, expect, it } from 'vitest';
import { type Insn, insn } from '../../isa/insn.ts';
import { type Flow, flowOf, LOOP_ROUNDS } from './flow.ts';

const EXIT = insn(0x95);
const NOP = insn(0xb7);
const ifZero = (off: number): Insn => insn(0x15, 1, 0, off);
const goto = (off: number): Insn => insn(0x05, 0, 0, off);
const gotol = (imm: number): Insn => insn(0x06, 0, 0, 0, imm);
const callTo = (off: number): Insn => insn(0x85, 0, 1, off);
const pointerTo = (imm: number): Insn[] => [insn(0x18, 2, 4, 0, imm), insn(0)];

const only = (insns: Insn[]): Flow => flowOf(insns)[0];
const ways = (insns: Insn[]): string[] =>
  only(insns).edges.map((e) => `${e.from} ${e.kind} ${e.to}${e.loop ? ' loop' : ''}`);
const block = (insns: Insn[], head: number) => only(insns).blocks.find((b) => b.head === head);

describe('flowOf', () => {
  it('leads a conditional jump to its target when taken and to the next instruction when not', () => {
    expect(ways([ifZero(1), NOP, EXIT])).toEqual(['0 taken 2', '0 not taken 1', '1 next 2']);
  });

  it('ends at exit, which leads nowhere', () => {
    expect(ways([ifZero(1), EXIT, EXIT])).toEqual(['0 taken 2', '0 not taken 1']);
    expect(block([NOP, EXIT], 0)?.exits).toBe(true);
  });

  it('takes the 32-bit distance of a long jump', () => {
    expect(ways([gotol(1), NOP, EXIT])).toEqual(['0 jump 2', '1 next 2']);
  });

  it('knows what nothing reaches', () => {
    const dead = [goto(1), NOP, EXIT];
    expect(block(dead, 1)).toMatchObject({ reachable: false, heat: 0 });
    expect(block(dead, 2)?.reachable).toBe(true);
  });

  it('finds a loop, its head, and all that lies in it', () => {
    const loop = [NOP, ifZero(2), NOP, goto(-3), EXIT];
    expect(ways(loop)).toContain('2 jump 1 loop');
    expect(only(loop).blocks.map((b) => [b.head, b.depth, b.loopHead])).toEqual([
      [0, 0, false],
      [1, 1, true],
      [2, 1, false],
      [4, 0, false],
    ]);
  });

  it('takes a block in two loops for hotter than one in one', () => {
    const nested = [NOP, NOP, ifZero(-1), ifZero(-3), EXIT];
    expect(only(nested).blocks.map((b) => [b.head, b.depth])).toEqual([
      [0, 0],
      [1, 1],
      [2, 2],
      [3, 1],
      [4, 0],
    ]);
    expect(block(nested, 2)?.heat).toBe(LOOP_ROUNDS ** 2);
    expect(block(nested, 4)?.heat).toBe(1);
  });

  it('shares heat evenly between the two ways of a branch', () => {
    const diamond = [ifZero(2), NOP, goto(1), NOP, EXIT];
    expect(only(diamond).blocks.map((b) => [b.head, b.heat])).toEqual([
      [0, 1],
      [1, 0.5],
      [3, 0.5],
      [4, 1],
    ]);
  });

  it('begins a function where a call leads, where a pointer to one leads, and where it is told', () => {
    const insns = [callTo(4), ...pointerTo(3), EXIT, EXIT, EXIT, EXIT];
    const flows = flowOf(insns, [6]);
    expect(flows.map((f) => f.start)).toEqual([0, 5, 6]);
    expect(flows[0].calls).toEqual([
      { at: 0, to: 5, kind: 'call' },
      { at: 1, to: 5, kind: 'callback' },
    ]);
  });

  it('thinks that a jump through a register may lead to every block of its function', () => {
    const indirect = [ifZero(1), insn(0x0d, 1), EXIT];
    expect(ways(indirect).filter((w) => w.startsWith('1 '))).toEqual(['1 jump 0 loop', '1 jump 1 loop', '1 jump 2']);
  });

  it('has nothing to say of no instructions', () => {
    expect(flowOf([])).toEqual([]);
  });
});
