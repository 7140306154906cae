import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Insn, insn } from '../isa/insn.ts';
import { buildFlowGraph, ENTRY_BLOCK, EXIT_BLOCK } from './cfg.ts';

const EXIT = insn(0x95);
const NOP = insn(0xb7);
const callTo = (off: number): Insn => insn(0x85, 0, 1, off);
const ifZero = (off: number): Insn => insn(0x15, 1, 0, off);
const goto = (off: number): Insn => insn(0x05, 0, 0, off);

const edges = (insns: Insn[]) => buildFlowGraph(insns).map((f) => f.edges.map(({ from, to }) => `${from}-${to}`));

describe('buildFlowGraph', () => {
  it('a conditional jump ends a block and has two ways on, the next instruction first', () => {
    const [main] = buildFlowGraph([NOP, ifZero(1), NOP, EXIT]);
    expect(main.blocks.map(({ head, tail }) => [head, tail])).toEqual([
      [0, 1],
      [2, 2],
      [3, 3],
    ]);
    expect(edges([NOP, ifZero(1), NOP, EXIT])).toEqual([['0-2', '2-3', '2-4', '3-4', '4-1']]);
  });

  it('an unconditional jump has one way on, and what follows it begins a block only as a target', () => {
    expect(edges([goto(1), NOP, EXIT])).toEqual([['0-2', '2-3', '3-1']]);
  });

  it('a block that ends in exit is joined to the next all the same', () => {
    expect(edges([ifZero(1), EXIT, EXIT])).toEqual([['0-2', '2-3', '2-4', '3-4', '4-1']]);
  });

  it('a gotol that ends its function begins an empty block, which leads to itself, since bpftool reads no 32-bit offset', () => {
    const gotol = insn(0x06, 0, 0, 0, -2);
    const [main] = buildFlowGraph([goto(1), EXIT, gotol]);
    expect(main.blocks.at(-1)).toEqual({ id: 4, head: 3, tail: 2 });
    expect(edges([goto(1), EXIT, gotol])).toEqual([['0-2', '2-3', '3-4', '4-4']]);
  });

  it('functions stand in address order and are numbered as calls find them', () => {
    const graph = buildFlowGraph([callTo(4), callTo(1), EXIT, EXIT, EXIT, EXIT]);
    expect(graph.map(({ id, start, end }) => [id, start, end])).toEqual([
      [0, 0, 2],
      [2, 3, 4],
      [1, 5, 5],
    ]);
  });

  it('every instruction lies in exactly one block, and every edge leads to a block', () => {
    const anyInsn = fc.record({
      code: fc.constantFrom(0x05, 0x06, 0x15, 0x1d, 0x85, 0x95, 0xb7, 0x18),
      dst: fc.nat(10),
      src: fc.nat(2),
      off: fc.integer({ min: -12, max: 12 }),
      imm: fc.integer(),
    });
    fc.assert(
      fc.property(fc.array(anyInsn, { minLength: 1, maxLength: 20 }), (insns) => {
        const covered = new Array<number>(insns.length).fill(0);
        for (const { blocks, edges: all } of buildFlowGraph(insns)) {
          const ids = new Set([ENTRY_BLOCK, EXIT_BLOCK, ...blocks.map((b) => b.id)]);
          for (const { head, tail } of blocks) for (let i = head; i <= tail; i++) covered[i]++;
          for (const { from, to } of all) expect(ids.has(from) && ids.has(to)).toBe(true);
        }
        expect(covered.every((n) => n === 1)).toBe(true);
      }),
    );
  });
});
