// Marking scalars as precise: where an exact value mattered, the walk goes back over instructions and checkpoints and
// marks every register and slot that the value came from, so that pruning compares those exactly.
// Rule: __mark_chain_precision, propagate_precision, verifier.c, 6.18.
import { ERRNO } from '../../errno.ts';
import { ARG_REGS, backtrackInsn } from './backtrack-insn.ts';
import type { Backtrack } from './backtrack-state.ts';
import type { VerifierEnv } from './env.ts';
import { HISTORY_START, type HistoryCursor, historyEntryAt, previousInsn } from './history.ts';
import { LOG } from './log.ts';
import { printVerifierState } from './print-state.ts';
import { regMaskText, slotMaskText } from './slot-mask.ts';
import { FP, type FuncState, REG, type RegState, SLOT, type VerifierState } from './types.ts';
import { verifierBug } from './verifier-bug.ts';

const lowestBit = (bits: number): number => 31 - Math.clz32(bits & -bits);

/** Says whether a walk marked anything. */
export interface Changed {
  changed: boolean;
}

const canBecomePrecise = (reg: RegState): boolean => reg.type === REG.SCALAR && !reg.precise;

/** Every scalar of every checkpoint that `from` came through becomes precise: what to do when nobody can tell. */
export function markAllScalarsPrecise(env: VerifierEnv, from: VerifierState): void {
  const { log } = env;
  const loud = log.wants(LOG.INSNS);
  if (loud) log.write(`mark_precise: frame${from.curframe}: falling back to forcing all scalars precise\n`);
  for (let st = from.parent; st !== undefined; st = st.parent) {
    for (let f = 0; f <= st.curframe; f++) {
      const frame = st.frame[f];
      const { regs, stack } = frame;
      const tell = (name: string): void => {
        if (loud) log.write(`force_precise: frame${f}: forcing ${name} to be precise\n`);
      };
      for (let i = 0; i < FP; i++) {
        if (!canBecomePrecise(regs[i])) continue;
        regs[i] = regs[i].madePrecise();
        tell(`r${i}`);
      }
      for (let i = 0; i < stack.length; i++) {
        if (stack[i].types[7] !== SLOT.SPILL || !canBecomePrecise(stack[i].spilled)) continue;
        stack[i] = stack[i].madePrecise();
        tell(`fp${-(i + 1) * 8}`);
      }
    }
  }
}

/** A new checkpoint starts with no scalar precise. */
export function markAllScalarsImprecise(state: VerifierState): void {
  for (let f = 0; f <= state.curframe; f++) {
    const { regs, stack } = state.frame[f];
    for (let i = 0; i < FP; i++) if (regs[i].type === REG.SCALAR) regs[i].precise = false;
    for (const slot of stack) {
      if (slot.types[7] === SLOT.SPILL && slot.spilled.type === REG.SCALAR) slot.spilled.precise = false;
    }
  }
}

/** The walk came to the start of a global function: only its arguments may still be looked for. */
function atFunctionEntry(env: VerifierEnv, st: VerifierState, bt: Backtrack, result: Changed): number {
  const main = st.frame[0];
  const regs = bt.regs[bt.frame];
  if (st.curframe === 0 && main.subprogno > 0 && main.callsite === -1 && !bt.anySlot && (regs & ~ARG_REGS) === 0) {
    bt.regs[bt.frame] = 0;
    for (let i = 1; i <= 5; i++) {
      if ((regs & (1 << i)) === 0 || main.regs[i].type !== REG.SCALAR) continue;
      main.regs[i] = main.regs[i].madePrecise();
      result.changed = true;
    }
    return 0;
  }
  const text = `backtracking func entry subprog ${main.subprogno}`;
  return verifierBug(env, `${text} reg_mask ${(regs >>> 0).toString(16)} stack_mask ${bt.slotsHex}`);
}

/** Back over the instructions of one state. 0: at its start with something left; 1: found all; else an errno. */
function walkState(env: VerifierEnv, st: VerifierState, lastIdx: number, walk: Walk): number {
  const bt = env.backtrack;
  const cursor: HistoryCursor = { left: st.history.length };
  for (let i = lastIdx; ; ) {
    let err = 0;
    if (walk.skipFirst) walk.skipFirst = false;
    else err = backtrackInsn(env, i, walk.subseqIdx, historyEntryAt(st, cursor.left, i));
    if (err === -ERRNO.ENOTSUPP) {
      markAllScalarsPrecise(env, walk.start);
      bt.reset();
      return 1;
    }
    if (err !== 0) return err;
    if (bt.empty) return 1;
    walk.subseqIdx = i;
    i = previousInsn(st, i, cursor);
    if (i === HISTORY_START) return 0;
    if (i < 0 || i >= env.insns.length) return verifierBug(env, `backtracking idx ${i}`);
  }
}

interface Walk {
  readonly start: VerifierState;
  skipFirst: boolean;
  subseqIdx: number;
}

function markRegs(frame: FuncState, f: number, bt: Backtrack, result: Changed): void {
  const wanted = bt.regs[f];
  for (let i = 0; i <= FP; i++) {
    if ((wanted & (1 << i)) === 0) continue;
    if (canBecomePrecise(frame.regs[i])) {
      frame.regs[i] = frame.regs[i].madePrecise();
      result.changed = true;
    } else {
      bt.regs[f] &= ~(1 << i);
    }
  }
}

function markSlots(env: VerifierEnv, frame: FuncState, f: number, bt: Backtrack, result: Changed): number {
  let low = bt.slotsLow[f];
  let high = bt.slotsHigh[f];
  while ((low | high) !== 0) {
    const i = low !== 0 ? lowestBit(low) : 32 + lowestBit(high);
    if (low !== 0) low &= low - 1;
    else high &= high - 1;
    if (i >= frame.stack.length) {
      const text = `stack slot ${i}, total slots ${frame.stack.length}`;
      return verifierBug(env, text, 'i >= func->allocated_stack / BPF_REG_SIZE');
    }
    const slot = frame.stack[i];
    if (slot.types[7] === SLOT.SPILL && canBecomePrecise(slot.spilled)) {
      frame.stack[i] = slot.madePrecise();
      result.changed = true;
    } else {
      bt.clearSlot(f, i);
    }
  }
  return 0;
}

/** Marks what is looked for in a checkpoint and drops what was precise already. */
function markCheckpoint(env: VerifierEnv, st: VerifierState, result: Changed): number {
  const bt = env.backtrack;
  for (let f = bt.frame; f >= 0; f--) {
    const frame = st.frame[f];
    markRegs(frame, f, bt, result);
    const err = markSlots(env, frame, f, bt, result);
    if (err !== 0) return err;
    if (env.log.wants(LOG.INSNS)) {
      const slots = slotMaskText(bt.slotsLow[f], bt.slotsHigh[f]);
      env.log.appendAscii(`mark_precise: frame${f}: parent state regs=${regMaskText(bt.regs[f])} stack=${slots}: `);
      printVerifierState(env, st, f, true);
    }
  }
  return 0;
}

/** Goes back from the end of `start` for what env.backtrack already looks for. */
function walkBack(env: VerifierEnv, start: VerifierState, result: Changed): number {
  const bt = env.backtrack;
  if (bt.empty) return 0;
  const walk: Walk = { start, skipFirst: true, subseqIdx: -1 };
  let st: VerifierState | undefined = start;
  let first = start.firstInsnIdx;
  let last = start.insnIdx;
  while (true) {
    if (env.log.wants(LOG.INSNS)) {
      const range = `last_idx ${last} first_idx ${first} subseq_idx ${walk.subseqIdx}`;
      env.log.write(`mark_precise: frame${bt.frame}: ${range} \n`);
    }
    if (last < 0) return atFunctionEntry(env, st, bt, result);
    const end = walkState(env, st, last, walk);
    if (end !== 0) return end > 0 ? 0 : end;
    st = st.parent;
    if (st === undefined) break;
    const err = markCheckpoint(env, st, result);
    if (err !== 0) return err;
    if (bt.empty) return 0;
    walk.subseqIdx = first;
    last = st.lastInsnIdx;
    first = st.firstInsnIdx;
  }
  if (!bt.empty) {
    markAllScalarsPrecise(env, start);
    bt.reset();
  }
  return 0;
}

/** The value of scalar `regno` of the current frame was relied on. 0 or -EFAULT. */
export function markChainPrecision(env: VerifierEnv, regno: number): number {
  if (!env.bpfCapable) return 0;
  const { state, backtrack } = env;
  backtrack.frame = state.curframe;
  if (state.cur.regs[regno].type !== REG.SCALAR) return verifierBug(env, 'backtracking misuse');
  backtrack.setReg(regno);
  return walkBack(env, state, { changed: false });
}

/** The same for all that the caller has set in env.backtrack, seen from the end of `start`. */
export function markChainPrecisionBatch(
  env: VerifierEnv,
  start: VerifierState,
  result: Changed = { changed: false },
): number {
  if (!env.bpfCapable) return 0;
  env.backtrack.frame = start.curframe;
  return walkBack(env, start, result);
}

/** What was precise in `old`, which `cur` equals, is precise in the states that led to `cur`. */
export function propagatePrecision(env: VerifierEnv, old: VerifierState, cur: VerifierState, result?: Changed): number {
  const bt = env.backtrack;
  const loud = env.log.wants(LOG.INSNS);
  for (let f = old.curframe; f >= 0; f--) {
    const { regs, stack } = old.frame[f];
    let text = '';
    let found = false;
    const note = (name: string): void => {
      if (loud) text += found ? `,${name}` : `frame ${f}: propagating ${name}`;
      found = true;
    };
    for (let i = 0; i < FP; i++) {
      if (regs[i].type !== REG.SCALAR || !regs[i].precise) continue;
      note(`r${i}`);
      bt.regs[f] |= 1 << i;
    }
    for (let i = 0; i < stack.length; i++) {
      const { types, spilled } = stack[i];
      if (types[7] !== SLOT.SPILL || spilled.type !== REG.SCALAR || !spilled.precise) continue;
      note(`fp${-(i + 1) * 8}`);
      bt.setSlot(f, i);
    }
    if (found) env.log.append(`${text}\n`);
  }
  return markChainPrecisionBatch(env, cur, result);
}
