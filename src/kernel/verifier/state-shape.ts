// Where the frames of a path stand. Rule: verifier.c, 6.18.
import type { VerifierState } from './types.ts';

/** Instruction that a frame is at: the current one of the innermost frame, the call of each other. */
export const frameInsnIdx = (st: VerifierState, frame: number): number =>
  frame === st.curframe ? st.insnIdx : st.frame[frame + 1].callsite;

/** Both came to where they are through the same calls. */
export function sameCallsites(a: VerifierState, b: VerifierState): boolean {
  if (a.curframe !== b.curframe) return false;
  for (let f = a.curframe; f >= 0; f--) if (a.frame[f].callsite !== b.frame[f].callsite) return false;
  return true;
}
