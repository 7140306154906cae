// What the rewrites remember of a program beyond the verifier's own notes.
import type { KMap } from '../objects.ts';
import type { VerifierEnv } from '../verifier/env.ts';

/** A tail call with a known map and a known slot. */
export interface TailCallSite {
  map: KMap;
  key: number;
  insnIdx: number;
}

export interface RewriteState {
  /** The greatest number of instructions that the program had on the way. */
  peakLength: number;
  tailCalls: TailCallSite[];
  /** The program was extended by this many functions of our own. */
  hiddenFunctions: number;
}

const states = new WeakMap<VerifierEnv, RewriteState>();

/** The notes of one verification; made at the first call. */
export function rewriteState(env: VerifierEnv): RewriteState {
  let state = states.get(env);
  if (!state) {
    state = { peakLength: env.insns.length, tailCalls: [], hiddenFunctions: 0 };
    states.set(env, state);
  }
  return state;
}
