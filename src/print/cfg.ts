// The flow graph that bpftool draws of a translated program: functions, basic blocks, edges. Indices are instructions.
import type { Insn } from '../isa/insn.ts';
import { CALL_KIND, CLASS, insnClass, insnOp, JMP } from '../isa/opcode.ts';

/** Numbers of the two blocks without instructions that each function has. */
export const ENTRY_BLOCK = 0;
export const EXIT_BLOCK = 1;
const FIRST_BLOCK = 2;

export interface BasicBlock {
  id: number;
  /** First and last slot, both inclusive; a gotol that ends its function begins a block behind it, without any. */
  head: number;
  tail: number;
}

export interface FlowEdge {
  from: number;
  to: number;
}

export interface FlowFunction {
  /** Order of discovery: main, then callees as calls to them appear. */
  id: number;
  start: number;
  end: number;
  /** In address order, without entry and exit. */
  blocks: BasicBlock[];
  /** In drawing order: those of the entry, then those of each block. */
  edges: FlowEdge[];
}

const PSEUDO_CALL = CLASS.JMP | JMP.CALL;

const isJump = ({ code }: Insn): boolean => {
  const cls = insnClass(code);
  if (cls !== CLASS.JMP && cls !== CLASS.JMP32) return false;
  const op = insnOp(code);
  return op !== JMP.CALL && op !== JMP.EXIT;
};

/** Where a jump goes; a 32-bit offset (gotol) is not looked at, as in bpftool. */
const target = (insns: readonly Insn[], i: number): number => i + insns[i].off + 1;

/**
 * Functions in address order. Targets outside of the program, which no verified program has, are left out.
 * rule: cfg.c, bpftool 7.8
 */
export function buildFlowGraph(insns: readonly Insn[]): FlowFunction[] {
  if (insns.length === 0) return [];
  const ids = new Map<number, number>([[0, 0]]);
  insns.forEach((insn, i) => {
    if (insn.code !== PSEUDO_CALL || insn.src !== CALL_KIND.PSEUDO) return;
    const start = target(insns, i);
    if (start >= 0 && start < insns.length && !ids.has(start)) ids.set(start, ids.size);
  });
  const starts = [...ids.keys()].sort((a, b) => a - b);
  return starts.map((start, i) => {
    const end = (starts[i + 1] ?? insns.length) - 1;
    const blocks = splitBlocks(insns, start, end);
    return { id: ids.get(start) as number, start, end, blocks, edges: edgesOf(insns, blocks) };
  });
}

function splitBlocks(insns: readonly Insn[], start: number, end: number): BasicBlock[] {
  const heads = new Set([start]);
  const add = (at: number) => {
    if (at >= start && at <= end + 1) heads.add(at);
  };
  for (let i = start; i <= end; i++) {
    if (!isJump(insns[i])) continue;
    add(target(insns, i));
    if (insnOp(insns[i].code) !== JMP.JA) add(i + 1);
  }
  const sorted = [...heads].sort((a, b) => a - b);
  return sorted.map((head, i) => ({ id: FIRST_BLOCK + i, head, tail: (sorted[i + 1] ?? end + 1) - 1 }));
}

function edgesOf(insns: readonly Insn[], blocks: readonly BasicBlock[]): FlowEdge[] {
  const idOfHead = new Map(blocks.map((b) => [b.head, b.id]));
  const edges: FlowEdge[] = [{ from: ENTRY_BLOCK, to: FIRST_BLOCK }];
  blocks.forEach((block, i) => {
    const last = insns[block.tail];
    const jumps = isJump(last);
    // A block that ends in exit is joined to the next one all the same.
    if (!jumps || insnOp(last.code) !== JMP.JA) edges.push({ from: block.id, to: blocks[i + 1]?.id ?? EXIT_BLOCK });
    const to = jumps ? idOfHead.get(target(insns, block.tail)) : undefined;
    if (to !== undefined) edges.push({ from: block.id, to });
  });
  return edges;
}
