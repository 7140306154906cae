// The flow of a translated program as it runs: unlike bpftool's graph it knows exits, long jumps, calls between
// functions, loops and code that nothing reaches. Indices are instruction slots.
import { type Insn, LDIMM64 } from '../../isa/insn.ts';
import { CALL_KIND, CLASS, insnClass, insnOp, JMP, PSEUDO } from '../../isa/opcode.ts';

/** How control gets from one block to another. */
export type EdgeKind = 'next' | 'jump' | 'taken' | 'not taken';

export interface Edge {
  /** Heads of the blocks. */
  from: number;
  to: number;
  kind: EdgeKind;
  /** Back to a block that dominates the path here: it closes a loop. */
  loop: boolean;
}

export interface Block {
  head: number;
  /** Last slot, inclusive. */
  tail: number;
  reachable: boolean;
  /** Loops around the block. */
  depth: number;
  /** A loop begins here. */
  loopHead: boolean;
  /** Ends the function. */
  exits: boolean;
  /** Expected runs for one run of the function: branches even, each loop LOOP_ROUNDS times. */
  heat: number;
}

export interface Call {
  /** The instruction and the first one of the function that it names. */
  at: number;
  to: number;
  kind: 'call' | 'callback';
}

export interface Flow {
  start: number;
  blocks: Block[];
  edges: Edge[];
  calls: Call[];
}

/** What a loop counts for when heat is reckoned. */
export const LOOP_ROUNDS = 8;

const isJumpClass = ({ code }: Insn): boolean => insnClass(code) === CLASS.JMP || insnClass(code) === CLASS.JMP32;

const GOTO_X = CLASS.JMP | JMP.JA | 0x08;

/** Where a jump goes: undefined for what is none, and for a jump through a register. */
function jumpTarget(insns: readonly Insn[], at: number): number | undefined {
  const insn = insns[at];
  if (!isJumpClass(insn) || insn.code === GOTO_X) return undefined;
  const op = insnOp(insn.code);
  if (op === JMP.CALL || op === JMP.EXIT || op === JMP.TAIL_CALL) return undefined;
  const long = op === JMP.JA && insnClass(insn.code) === CLASS.JMP32;
  return at + 1 + (long ? insn.imm : insn.off);
}

const isConditional = (insn: Insn): boolean => isJumpClass(insn) && insnOp(insn.code) !== JMP.JA;

const isExit = ({ code }: Insn): boolean => code === (CLASS.JMP | JMP.EXIT);

/** Slots of the instructions, without the second halves of 64-bit immediates. */
function* slots(insns: readonly Insn[], from: number, to: number): Generator<number> {
  for (let i = from; i < to; i += insns[i].code === LDIMM64 ? 2 : 1) yield i;
}

/** Calls and pointers to functions of the program. */
function callsOf(insns: readonly Insn[]): Call[] {
  const out: Call[] = [];
  for (const at of slots(insns, 0, insns.length)) {
    const { code, src, imm, off } = insns[at];
    // After translation the distance to the callee is in `off`; `imm` counts functions.
    if (code === (CLASS.JMP | JMP.CALL) && src === CALL_KIND.PSEUDO) out.push({ at, to: at + 1 + off, kind: 'call' });
    else if (code === LDIMM64 && src === PSEUDO.FUNC) out.push({ at, to: at + 1 + imm, kind: 'callback' });
  }
  return out.filter(({ to }) => to >= 0 && to < insns.length);
}

/** Functions in address order; `starts` are further beginnings, such as those that func_info names. */
export function flowOf(insns: readonly Insn[], starts: readonly number[] = []): Flow[] {
  if (insns.length === 0) return [];
  const calls = callsOf(insns);
  const all = [...new Set([0, ...starts.filter((s) => s < insns.length), ...calls.map((c) => c.to)])];
  all.sort((a, b) => a - b);
  return all.map((start, i) => {
    const end = all[i + 1] ?? insns.length;
    const flow: Flow = { start, ...split(insns, start, end), calls: calls.filter((c) => c.at >= start && c.at < end) };
    reckon(flow);
    return flow;
  });
}

function split(insns: readonly Insn[], start: number, end: number): Pick<Flow, 'blocks' | 'edges'> {
  const heads = new Set([start]);
  const ends = (i: number): boolean =>
    isExit(insns[i]) || jumpTarget(insns, i) !== undefined || insns[i].code === GOTO_X;
  for (const i of slots(insns, start, end)) {
    const to = jumpTarget(insns, i);
    if (to !== undefined && to >= start && to < end) heads.add(to);
    if (ends(i) && i + 1 < end) heads.add(i + 1);
  }
  const sorted = [...heads].sort((a, b) => a - b);
  const blocks: Block[] = [];
  const edges: Edge[] = [];
  sorted.forEach((head, n) => {
    const next = sorted[n + 1] ?? end;
    const tail = [...slots(insns, head, next)].at(-1) ?? head;
    const insn = insns[tail];
    blocks.push({ head, tail, reachable: false, depth: 0, loopHead: false, exits: isExit(insn), heat: 0 });
    const to = jumpTarget(insns, tail);
    const branches = isConditional(insn) && to !== undefined;
    const edge = (target: number, kind: EdgeKind): void => {
      if (heads.has(target)) edges.push({ from: head, to: target, kind, loop: false });
    };
    if (to !== undefined) edge(to, branches ? 'taken' : 'jump');
    if (to === undefined ? !isExit(insn) && insn.code !== GOTO_X : branches) {
      edge(next, branches ? 'not taken' : 'next');
    }
    // Through a table that the instructions do not show: any block may be meant.
    if (insn.code === GOTO_X) for (const target of sorted) edge(target, 'jump');
  });
  return { blocks, edges };
}

/** Finds what is reached, which edges close loops, and how often blocks may run. */
function reckon({ start, blocks, edges }: Flow): void {
  const byHead = new Map(blocks.map((b) => [b.head, b]));
  const out = Map.groupBy(edges, (e) => e.from);
  const order: number[] = [];
  const state = new Map<number, 'open' | 'done'>();
  const stack: { at: number; next: number }[] = [{ at: start, next: 0 }];
  state.set(start, 'open');
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const edge = out.get(top.at)?.[top.next++];
    if (edge === undefined) {
      state.set(top.at, 'done');
      order.push(top.at);
      stack.pop();
    } else if (!state.has(edge.to)) {
      state.set(edge.to, 'open');
      stack.push({ at: edge.to, next: 0 });
    } else if (state.get(edge.to) === 'open') {
      edge.loop = true;
    }
  }
  for (const head of order) (byHead.get(head) as Block).reachable = true;
  markLoops(byHead, edges);
  const share = new Map([[start, 1]]);
  for (const head of order.reverse()) {
    const block = byHead.get(head) as Block;
    const mass = share.get(head) ?? 0;
    block.heat = mass * LOOP_ROUNDS ** block.depth;
    const forward = (out.get(head) ?? []).filter((e) => !e.loop);
    for (const e of forward) share.set(e.to, (share.get(e.to) ?? 0) + mass / forward.length);
  }
}

/** A loop is its head and all that reaches the end of a closing edge without passing the head. */
function markLoops(byHead: ReadonlyMap<number, Block>, edges: readonly Edge[]): void {
  const into = Map.groupBy(edges, (e) => e.to);
  const loops = Map.groupBy(
    edges.filter((e) => e.loop),
    (e) => e.to,
  );
  for (const [head, closing] of loops) {
    const body = new Set([head]);
    const waiting = closing.map((e) => e.from);
    for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
      if (body.has(at) || !byHead.get(at)?.reachable) continue;
      body.add(at);
      for (const e of into.get(at) ?? []) waiting.push(e.from);
    }
    for (const at of body) (byHead.get(at) as Block).depth++;
    (byHead.get(head) as Block).loopHead = true;
  }
}
