// Branches: comparisons of numbers, checks of pointers against null, early ends.
import { JMP } from '../../../src/isa/opcode.ts';
import { type Action, writeBlock } from '../action.ts';
import type { Generator } from '../generator.ts';
import { isNullable, type State, scalar, type Value } from '../values.ts';

export const COMPARISONS = [
  JMP.JEQ,
  JMP.JNE,
  JMP.JGT,
  JMP.JGE,
  JMP.JLT,
  JMP.JLE,
  JMP.JSGT,
  JMP.JSGE,
  JMP.JSLT,
  JMP.JSLE,
  JMP.JSET,
] as const;

const MAX_NESTING = 5;

/** The condition that holds where `op` does not. */
const OPPOSITE: Readonly<Record<number, number>> = {
  [JMP.JEQ]: JMP.JNE,
  [JMP.JNE]: JMP.JEQ,
  [JMP.JGT]: JMP.JLE,
  [JMP.JLE]: JMP.JGT,
  [JMP.JGE]: JMP.JLT,
  [JMP.JLT]: JMP.JGE,
};

/** Notes in `state` that `reg op imm` holds. */
function learn(state: State, reg: number, op: number | undefined, imm: number, wide: boolean): void {
  const value = state.regs[reg];
  if (value.kind !== 'scalar' || imm < 0) return;
  if (!wide && value.max > 0x7fffffff) return;
  let { min, max } = value;
  if (op === JMP.JEQ) min = max = imm;
  else if (op === JMP.JGT) min = Math.max(min, imm + 1);
  else if (op === JMP.JGE) min = Math.max(min, imm);
  else if (op === JMP.JLT) max = Math.min(max, imm - 1);
  else if (op === JMP.JLE) max = Math.min(max, imm);
  if (min <= max) state.regs[reg] = scalar(min, max);
}

/** Drops the nullness of all pointers of one id; what is null becomes a number. */
export function settle(state: State, id: number, isNull: boolean): void {
  const settled = (value: Value): Value => {
    if (!isNullable(value) || !('id' in value) || value.id !== id) return value;
    return isNull ? scalar(0, 0) : ({ ...value, nullable: false } as Value);
  };
  state.regs = state.regs.map(settled);
  for (const part of state.stack) if (part.spill) part.spill = settled(part.spill);
}

/** Writes `body` where the jump just written does not go, `otherwise` where it goes, and joins. */
export function fork(
  g: Generator,
  taken: (state: State) => void,
  fallthrough: (state: State) => void,
  jump: (to: number) => void,
  bodies: { body: () => void; otherwise?: (() => void) | undefined },
): void {
  const { asm } = g;
  const away = asm.label();
  jump(away);
  const before = g.state;
  const other = before.clone();
  fallthrough(g.state);
  g.nesting++;
  bodies.body();
  taken(other);
  if (bodies.otherwise) {
    const end = asm.label();
    asm.jump(end);
    asm.place(away);
    const first = g.state;
    g.state = other;
    bodies.otherwise();
    asm.place(end);
    first.join(g.state);
    g.state = first;
  } else {
    asm.place(away);
    g.state.join(other);
  }
  g.nesting--;
}

function comparison(g: Generator, actions: readonly Action[]): boolean {
  if (g.nesting >= MAX_NESTING) return false;
  const { rng, asm } = g;
  const reg = g.scalarReg();
  const op = rng.pick(COMPARISONS);
  const wide = rng.chance(0.7);
  const length = (): number => rng.between(1, 4);
  const bodies = {
    body: () => writeBlock(g, actions, length()),
    otherwise: rng.chance(0.35) ? () => writeBlock(g, actions, length()) : undefined,
  };
  if (rng.chance(0.75)) {
    const imm = g.imm();
    const pass = (effective: number | undefined) => (state: State) => learn(state, reg, effective, imm, wide);
    fork(g, pass(op), pass(OPPOSITE[op]), (to) => asm.jumpImm(op, reg, imm, to, wide), bodies);
  } else {
    const other = g.scalarReg();
    const nothing = (): void => undefined;
    fork(g, nothing, nothing, (to) => asm.jumpReg(op, reg, other, to, wide), bodies);
  }
  return true;
}

/** Leaves the function under a condition. */
function leaveEarly(g: Generator): boolean {
  const { rng, asm } = g;
  const reg = g.scalarReg();
  const op = rng.pick(COMPARISONS);
  const on = asm.label();
  const imm = g.imm();
  const wide = rng.chance(0.7);
  asm.jumpImm(op, reg, imm, on, wide);
  g.leave();
  asm.place(on);
  learn(g.state, reg, op, imm, wide);
  return true;
}

/** One of two numbers, by a condition: paths that differ in what later must be precise. */
function choose(g: Generator): boolean {
  const { rng, asm } = g;
  const reg = g.scalarReg();
  const dst = g.freeReg([reg]);
  if (dst === reg) return false;
  const [a, b] = [rng.between(0, 24), rng.between(0, 24)];
  asm.movImm(dst, a);
  const on = asm.label();
  asm.jumpImm(rng.pick(COMPARISONS), reg, g.imm(), on, rng.chance(0.7));
  asm.movImm(dst, b);
  asm.place(on);
  g.set(dst, scalar(Math.min(a, b), Math.max(a, b)));
  return true;
}

/** Compares a pointer that may be null; on the path where it is none the block goes on. */
export function checkNull(g: Generator, reg: number): void {
  const { rng, asm } = g;
  const value = g.value(reg);
  const id = 'id' in value ? value.id : 0;
  const equal = rng.chance(0.6);
  const on = asm.label();
  if (equal) {
    // if null: leave
    const op = JMP.JNE;
    asm.jumpImm(op, reg, 0, on);
    g.leave();
    asm.place(on);
    settle(g.state, id, false);
    return;
  }
  // if null: put something else there, or skip
  const isNull = asm.label();
  asm.jumpImm(JMP.JEQ, reg, 0, isNull);
  asm.jump(on);
  asm.place(isNull);
  g.leave();
  asm.place(on);
  settle(g.state, id, false);
}

function nullCheck(g: Generator, actions: readonly Action[]): boolean {
  const { rng, asm } = g;
  const reg = g.findReg((v) => isNullable(v));
  if (reg === undefined) return false;
  const value = g.value(reg);
  if (!('id' in value)) return false;
  const referenced = 'ref' in value && value.ref !== 0;
  if (rng.chance(0.5)) {
    checkNull(g, reg);
    return true;
  }
  if (g.nesting >= MAX_NESTING || referenced) return false;
  const id = value.id;
  const into = rng.chance(0.8);
  fork(
    g,
    (state) => settle(state, id, into),
    (state) => settle(state, id, !into),
    (to) => asm.jumpImm(into ? JMP.JEQ : JMP.JNE, reg, 0, to),
    {
      body: () => writeBlock(g, actions, rng.between(1, 5)),
      otherwise: rng.chance(0.3) ? () => writeBlock(g, actions, rng.between(1, 3)) : undefined,
    },
  );
  return true;
}

/** Jumps that go nowhere or over dead code. */
function trivial(g: Generator, actions: readonly Action[]): boolean {
  const { rng, asm } = g;
  const next = asm.label();
  if (rng.chance(0.5)) {
    if (rng.chance(0.5)) asm.jump(next);
    else asm.farJump(next);
  } else {
    const reg = g.findReg((v) => v.kind === 'scalar' && v.min === v.max);
    const value = reg === undefined ? undefined : g.value(reg);
    if (reg === undefined || value?.kind !== 'scalar') return false;
    // Always taken: what is skipped is never seen.
    asm.jumpImm(JMP.JEQ, reg, value.min | 0, next);
    const state = g.state.clone();
    writeBlock(g, actions, 2);
    g.state = state;
  }
  asm.place(next);
  return true;
}

/** What the branches hold is written with `actions`. */
export const branchActions = (actions: readonly Action[]): readonly Action[] => [
  { weight: 6, run: (g) => comparison(g, actions) },
  { weight: 3, run: leaveEarly },
  { weight: 3, run: choose },
  { weight: 8, run: (g) => nullCheck(g, actions) },
  { weight: 1, run: (g) => trivial(g, actions) },
];
