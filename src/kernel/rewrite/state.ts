// What the rewrites remember of a program beyond the verifier's own notes.
import type { FunctionShape, JitOutput } from '../jit/jit.ts';
import type { KMap } from '../objects.ts';
import type { VerifierEnv } from '../verifier/env.ts';

/** A tail call with a known map and a known slot. */
export interface TailCallSite {
  map: KMap;
  key: number;
}

export interface RewriteState {
  /** The greatest number of instructions that the program had on the way. */
  peakLength: number;
  tailCalls: TailCallSite[];
  /** Machine code of the functions, once they are compiled. */
  jited: JitOutput[];
  /** How they were compiled. */
  shapes: FunctionShape[];
  /** Tags of the functions, of a program with several. */
  functionTags: Uint8Array[];
}

const states = new WeakMap<VerifierEnv, RewriteState>();

/** The notes of one verification; made at the first call. */
export function rewriteState(env: VerifierEnv): RewriteState {
  let state = states.get(env);
  if (!state) {
    state = { peakLength: env.request.insns.length, tailCalls: [], jited: [], shapes: [], functionTags: [] };
    states.set(env, state);
  }
  return state;
}
