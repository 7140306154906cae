// Forgets of finished states what nobody will read any more, so that more states equal them. Rule: clean_live_states,
// verifier.c, 6.18.
import type { VerifierEnv } from './env.ts';
import { NOT_INIT_REG } from './scalar-marks.ts';
import { hasIncompleteMarks } from './scc-visits.ts';
import { queryLiveStack, stackSlotAlive } from './stack-liveness.ts';
import { frameInsnIdx, sameCallsites } from './state-shape.ts';
import { FP, type FuncState, INVALID_SLOT, type KeptState, type VerifierState } from './types.ts';

function cleanFrame(env: VerifierEnv, frame: FuncState, insnIdx: number): void {
  const live = env.aux[insnIdx].liveRegsBefore;
  for (let i = 0; i < FP; i++) if ((live & (1 << i)) === 0) frame.regs[i] = NOT_INIT_REG;
  const { stack } = frame;
  for (let i = 0; i < stack.length; i++) {
    if (stackSlotAlive(env, frame.frameno, i)) continue;
    stack[i] = INVALID_SLOT;
  }
}

function cleanState(env: VerifierEnv, st: VerifierState): void {
  queryLiveStack(env, st);
  st.cleaned = true;
  for (let f = 0; f <= st.curframe; f++) cleanFrame(env, st.frame[f], frameInsnIdx(st, f));
}

/** Cleans the states of a bucket that were kept at `insnIdx` after the same calls and have no open paths. */
export function cleanLiveStates(
  env: VerifierEnv,
  bucket: KeptState | undefined,
  insnIdx: number,
  cur: VerifierState,
): void {
  for (let kept = bucket; kept !== undefined; kept = kept.next) {
    const { state } = kept;
    if (state.branches !== 0 || state.insnIdx !== insnIdx || state.cleaned) continue;
    if (!sameCallsites(state, cur) || hasIncompleteMarks(env, state)) continue;
    cleanState(env, state);
  }
}
