// Loops whose number of rounds is not known: open-coded iterators, callbacks, may_goto. From one round to the next,
// numbers that mattered to nobody are forgotten, so that the states of two rounds become equal. Rule: verifier.c, 6.18.
import type { VerifierEnv } from './env.ts';
import { resetIds } from './id-map.ts';
import { regsExact } from './regs-equal.ts';
import { markRegUnknown } from './scalar-marks.ts';
import { isSpilledReg } from './slots.ts';
import { sameCallsites } from './state-shape.ts';
import { type KeptState, MAX_REGS, REG, type RegState, type VerifierState } from './types.ts';

/** Bucket of the states kept at `insnIdx` for where the current state has been called from. */
export const bucketOf = (env: VerifierEnv, insnIdx: number): number =>
  ((insnIdx ^ env.state.cur.callsite) >>> 0) % env.insns.length;

/** The nearest checkpoint at `insnIdx` that `cur` came through in an earlier round. */
export function findPrevEntry(env: VerifierEnv, cur: VerifierState, insnIdx: number): VerifierState | undefined {
  let kept: KeptState | undefined = env.explored[bucketOf(env, insnIdx)];
  for (; kept !== undefined; kept = kept.next) {
    const st = kept.state;
    if (st.insnIdx === insnIdx && st.branches !== 0 && sameCallsites(st, cur) && st.dfsDepth < cur.dfsDepth) return st;
  }
  return undefined;
}

function mustWiden(old: RegState, cur: RegState): boolean {
  if (old.type !== REG.SCALAR || cur.type !== REG.SCALAR) return false;
  return !old.precise && !cur.precise && !regsExact(old, cur);
}

/** Scalars of `cur` that differ from those of the earlier round and were not precise in it may be anything. */
export function widenImpreciseScalars(env: VerifierEnv, old: VerifierState, cur: VerifierState): void {
  resetIds(env);
  for (let f = old.curframe; f >= 0; f--) {
    const a = old.frame[f];
    const b = cur.frame[f];
    for (let i = 0; i < MAX_REGS; i++) if (mustWiden(a.regs[i], b.regs[i])) markRegUnknown(env, b.ownReg(i));
    const slots = Math.min(a.stack.length, b.stack.length);
    for (let i = 0; i < slots; i++) {
      if (!isSpilledReg(a.stack[i]) || !isSpilledReg(b.stack[i])) continue;
      if (mustWiden(a.stack[i].spilled, b.stack[i].spilled)) markRegUnknown(env, b.ownSpilled(i));
    }
  }
}
