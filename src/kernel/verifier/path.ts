// Paths: copying them, putting one aside for later, taking the next one up, counting those still open below a
// checkpoint. Rule: push_stack, pop_stack, update_branch_counts, verifier.c, 6.18.
import type { VerifierEnv } from './env.ts';
import { markVerifierStateScratched } from './print-state.ts';
import { DEF_NOT_SUBREG } from './reg-access.ts';
import { markRegKnownZero, markRegNotInit, NOT_INIT_REG } from './scalar-marks.ts';
import { hasIncompleteMarks, maybeExitScc } from './scc-visits.ts';
import { FP, FuncState, type KeptState, MAX_REGS, REG, type RegState, VerifierState } from './types.ts';
import { verifierBug } from './verifier-bug.ts';

/** Paths that may wait at a time. */
const MAX_PENDING = 8192;
/** Callsite of a frame that nothing of the program calls. */
export const NO_CALLSITE = -1;

/**
 * A copy to put aside; `branches`, history and parent included, but not insnIdx. Its registers and slots are shared:
 * ownReg() and ownSpilled() give those that may be written to. Only the entry of the current instruction can still
 * change in a history.
 */
export function copyState(env: VerifierEnv, from: VerifierState, idle?: RegState): VerifierState {
  const to = new VerifierState();
  const { history } = from;
  to.history = history.slice();
  const last = history.length - 1;
  if (last >= 0 && history[last] === env.curHistEnt) to.history[last] = { ...history[last] };
  to.refs = from.refs.slice();
  to.activeLocks = from.activeLocks;
  to.activePreemptLocks = from.activePreemptLocks;
  to.activeRcuLock = from.activeRcuLock;
  to.activeIrqId = from.activeIrqId;
  to.activeLockId = from.activeLockId;
  to.activeLockPtr = from.activeLockPtr;
  to.speculative = from.speculative;
  to.inSleepable = from.inSleepable;
  to.cleaned = from.cleaned;
  to.curframe = from.curframe;
  to.branches = from.branches;
  to.parent = from.parent;
  to.firstInsnIdx = from.firstInsnIdx;
  to.lastInsnIdx = from.lastInsnIdx;
  to.dfsDepth = from.dfsDepth;
  to.callbackUnrollDepth = from.callbackUnrollDepth;
  to.mayGotoDepth = from.mayGotoDepth;
  to.equalState = from.equalState;
  for (let f = 0; f <= from.curframe; f++) to.frame.push(from.frame[f].freeze(idle));
  return to;
}

/** A copy that no path goes on from. */
export const copyForComparing = (env: VerifierEnv, from: VerifierState): VerifierState =>
  copyState(env, from, NOT_INIT_REG);

/** A frame at the start of a function: nothing readable but the frame pointer. */
export function newFrame(env: VerifierEnv, callsite: number, frameno: number, subprogno: number): FuncState {
  const frame = new FuncState(callsite, frameno, subprogno);
  for (let i = 0; i < MAX_REGS; i++) {
    markRegNotInit(env, frame.regs[i]);
    frame.regs[i].subregDef = DEF_NOT_SUBREG;
  }
  const fp = frame.regs[FP];
  fp.type = REG.STACK;
  markRegKnownZero(env, fp);
  fp.frameno = frameno;
  markVerifierStateScratched(env);
  return frame;
}

/**
 * Puts a copy of the current path aside, to go on at `insnIdx` later. Undefined with a message when too many paths
 * wait; the copy may be changed by the caller.
 */
export function pushStack(
  env: VerifierEnv,
  insnIdx: number,
  prevInsnIdx: number,
  speculative: boolean,
): VerifierState | undefined {
  const state = copyState(env, env.state);
  env.pending.push({ state, insnIdx, prevInsnIdx, logPos: env.log.endPos });
  if (speculative) state.speculative = true;
  if (env.pending.length > MAX_PENDING) {
    env.log.write(`The sequence of ${env.pending.length} jumps is too complex.\n`);
    return undefined;
  }
  if (state.parent !== undefined) state.parent.branches++;
  return state;
}

/** Puts a path aside that starts afresh in a function which runs after the program. */
export function pushAsyncCallback(
  env: VerifierEnv,
  insnIdx: number,
  prevInsnIdx: number,
  subprog: number,
  sleepable: boolean,
): VerifierState | undefined {
  const state = new VerifierState();
  env.pending.push({ state, insnIdx, prevInsnIdx, logPos: env.log.endPos });
  if (env.pending.length > MAX_PENDING) {
    env.log.write(`The sequence of ${env.pending.length} jumps is too complex for async cb.\n`);
    return undefined;
  }
  state.branches = 1;
  state.inSleepable = sleepable;
  state.frame = [newFrame(env, NO_CALLSITE, 0, subprog)];
  return state;
}

/** Frames to walk on with, made of those of the path that has ended. */
function restoreFrames(frames: FuncState[], from: readonly FuncState[]): FuncState[] {
  frames.length = Math.min(frames.length, from.length);
  for (let f = 0; f < from.length; f++) {
    if (f === frames.length) frames.push(new FuncState(0, 0, 0));
    frames[f].restore(from[f]);
  }
  return frames;
}

/**
 * Takes up the path that was put aside last: it becomes env.curState and env.insnIdx its next instruction. Gives the
 * instruction that it came from, undefined when no path is left.
 */
export function popStack(env: VerifierEnv, rewindLog: boolean): number | undefined {
  const next = env.pending.pop();
  if (next === undefined) return undefined;
  const done = env.state;
  const { state } = next;
  state.insnIdx = done.insnIdx;
  state.frame = restoreFrames(done.frame, state.frame);
  env.curState = state;
  if (rewindLog) env.log.rewind(next.logPos);
  env.insnIdx = next.insnIdx;
  return next.prevInsnIdx;
}

/** A state that was thrown out of its bucket goes once no path depends on it. */
export function maybeFreeState(env: VerifierEnv, kept: KeptState): void {
  if (!kept.inFreeList || kept.state.branches !== 0 || hasIncompleteMarks(env, kept.state)) return;
  env.freeListSize--;
}

/** The current path has ended: counts down in the checkpoints it came through and closes those without open paths. */
export function updateBranchCounts(env: VerifierEnv): number {
  let st: VerifierState | undefined = env.state;
  let kept: KeptState | undefined;
  while (st !== undefined) {
    const left = --st.branches;
    if (left < 0) verifierBug(env, `update_branch_counts:branches_to_explore=${left}`, '(int)br < 0');
    if (left !== 0) break;
    const err = maybeExitScc(env, st);
    if (err !== 0) return err;
    const parent: VerifierState | undefined = st.parent;
    if (kept !== undefined) maybeFreeState(env, kept);
    st = parent;
    kept = parent?.kept;
  }
  return 0;
}
