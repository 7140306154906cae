// Bounded loops, loops with may_goto, and iterators of numbers.
import { ALU, JMP } from '../../../src/isa/opcode.ts';
import { type Action, writeBlock } from '../action.ts';
import type { Generator } from '../generator.ts';
import { scalar } from '../values.ts';

const MAX_REPEATS = 64;

/**
 * Writes a body that may run more than once: what it spoils is taken as spoilt from the start. The body is written
 * again where that changes what it could rely on.
 */
export function stableBody(g: Generator, actions: readonly Action[], length: number): void {
  for (let attempt = 0; ; attempt++) {
    const start = g.state.clone();
    const mark = g.mark();
    writeBlock(g, actions, length);
    const after = g.state.clone();
    const merged = start.clone();
    merged.join(after);
    if (attempt === 3 || merged.covers(start)) {
      g.state.join(start);
      return;
    }
    g.rewind(mark);
    g.state = merged;
  }
}

/** Where Spectre counts, paths that are only speculated about may leave a loop's bounds and go on for very long. */
const endless = (g: Generator): boolean => g.caps === 'bpf' && !g.rng.chance(0.05);

function counted(g: Generator, actions: readonly Action[]): boolean {
  const { rng, asm } = g;
  const times = rng.pick([1, 2, 3, 3, 4, 5, 8, 16]);
  if (g.repeats * times > MAX_REPEATS || g.nesting > 3 || endless(g)) return false;
  const counter = g.savedReg();
  if (g.pinned.has(counter)) return false;
  const wide = rng.chance(0.8);
  const down = rng.chance(0.2);
  asm.movImm(counter, down ? times : 0);
  g.set(counter, scalar(0, times));
  g.pinned.add(counter);
  g.repeats *= times;
  g.nesting++;
  const top = asm.here();
  stableBody(g, actions, rng.between(1, 4));
  asm.aluImm(ALU.ADD, counter, down ? -1 : 1, wide);
  if (down) asm.jumpImm(JMP.JNE, counter, 0, top, wide);
  else asm.jumpImm(rng.pick([JMP.JLT, JMP.JNE, JMP.JSLT]), counter, times, top, wide);
  g.set(counter, scalar(0, times));
  g.nesting--;
  g.repeats /= times;
  g.pinned.delete(counter);
  return true;
}

/** A loop that Linux ends by itself. */
function mayGoto(g: Generator, actions: readonly Action[]): boolean {
  const { rng, asm } = g;
  if (g.nesting > 2 || g.repeats > 8 || endless(g)) return false;
  const done = asm.label();
  const top = asm.here();
  g.repeats *= 4;
  g.nesting++;
  const before = g.state.clone();
  asm.mayGoto(done);
  stableBody(g, actions, rng.between(1, 4));
  if (rng.chance(0.4)) {
    const reg = g.scalarReg();
    asm.jumpImm(rng.pick([JMP.JEQ, JMP.JGT, JMP.JSLT]), reg, g.imm(), done);
  }
  asm.jump(top);
  asm.place(done);
  g.state.join(before);
  g.nesting--;
  g.repeats /= 4;
  return true;
}

export const loopActions = (actions: readonly Action[]): readonly Action[] => [
  { weight: 3, run: (g) => counted(g, actions) },
  { weight: 1, run: (g) => mayGoto(g, actions) },
];
