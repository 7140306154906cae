// Loops on the way: which checkpoint entered a loop first, and the paths that came back to a state of it. Marks of a
// loop's states are final only when all of its paths have been walked; then they are carried over those back edges.
// Rule: bpf_scc_visit of verifier.c, 6.18.
import type { VerifierEnv } from './env.ts';
import { LOG } from './log.ts';
import { type Changed, markAllScalarsPrecise, propagatePrecision } from './precision.ts';
import { frameInsnIdx } from './state-shape.ts';
import { MAX_CALL_FRAMES, type VerifierState } from './types.ts';
import { verifierBug } from './verifier-bug.ts';

const MAX_BACKEDGE_ROUNDS = 64;

/** One loop as entered through one chain of calls. */
export interface SccVisit {
  /** Call instructions that lead to the loop, zeros behind them. */
  readonly callsites: Int32Array;
  readonly scc: number;
  /** Checkpoint that entered it; undefined: all of its paths have been walked. */
  entry: VerifierState | undefined;
  /** Copies of the states that equalled another (`equalState`), newest last. */
  backedges: VerifierState[];
  /** As the kernel counts them: not the length of the list, which is emptied later. */
  numBackedges: number;
}

/** Filled by findChain. */
const chain = { callsites: new Int32Array(MAX_CALL_FRAMES), scc: 0 };

/** The outermost frame that is in a loop and the calls that lead to it, in `chain`; false: no frame is. */
function findChain(env: VerifierEnv, st: VerifierState): boolean {
  chain.callsites.fill(0);
  for (let i = 0; i <= st.curframe; i++) {
    const insnIdx = frameInsnIdx(st, i);
    const { scc } = env.aux[insnIdx];
    if (scc !== 0) {
      chain.scc = scc;
      return true;
    }
    if (i < st.curframe) chain.callsites[i] = insnIdx;
  }
  return false;
}

function findVisit(env: VerifierEnv): SccVisit | undefined {
  const visits = env.sccVisits[chain.scc];
  if (visits === undefined) return undefined;
  for (const visit of visits) {
    let same = true;
    for (let i = 0; same && i < MAX_CALL_FRAMES; i++) same = visit.callsites[i] === chain.callsites[i];
    if (same) return visit;
  }
  return undefined;
}

/** "(12,30,2)": call instructions and the number of the loop. */
function chainText(): string {
  let text = '(';
  for (const callsite of chain.callsites) {
    if (callsite === 0) break;
    text += `${callsite},`;
  }
  return `${text}${chain.scc})`;
}

/** A checkpoint was made: if it is the first one in its loop, it is the loop's entry. */
export function maybeEnterScc(env: VerifierEnv, st: VerifierState): void {
  if (!findChain(env, st)) return;
  let visit = findVisit(env);
  if (visit === undefined) {
    const callsites = chain.callsites.slice();
    visit = { callsites, scc: chain.scc, entry: undefined, backedges: [], numBackedges: 0 };
    env.sccVisits[chain.scc] ??= [];
    env.sccVisits[chain.scc]?.push(visit);
  }
  if (visit.entry === undefined) {
    visit.entry = st;
    if (env.log.wants(LOG.INSNS)) env.log.write(`SCC enter ${chainText()}\n`);
  }
}

/** All paths from `st` have been walked: if it entered a loop, that loop is done. */
export function maybeExitScc(env: VerifierEnv, st: VerifierState): number {
  if (!findChain(env, st)) return 0;
  const visit = findVisit(env);
  if (visit === undefined) {
    return st.speculative ? 0 : verifierBug(env, `scc exit: no visit info for call chain ${chainText()}`);
  }
  if (visit.entry !== st) return 0;
  if (env.log.wants(LOG.INSNS)) env.log.write(`SCC exit ${chainText()}\n`);
  visit.entry = undefined;
  env.numBackedges -= visit.numBackedges;
  visit.numBackedges = 0;
  updatePeakStates(env);
  return propagateBackedges(env, visit);
}

/** `backedge`, a copy of the current state, was found equal to `st`, which lies in a loop. */
export function addSccBackedge(env: VerifierEnv, st: VerifierState, backedge: VerifierState): number {
  if (!findChain(env, st)) {
    return verifierBug(env, `add backedge: no SCC in verification path, insn_idx ${st.insnIdx}`);
  }
  const visit = findVisit(env);
  if (visit === undefined) return verifierBug(env, `add backedge: no visit info for call chain ${chainText()}`);
  if (env.log.wants(LOG.INSNS)) env.log.write(`SCC backedge ${chainText()}\n`);
  visit.backedges.push(backedge);
  visit.numBackedges++;
  env.numBackedges++;
  updatePeakStates(env);
  return 0;
}

/** Marks of `st` may still grow: it lies in a loop with back edges that have not been followed. */
export function hasIncompleteMarks(env: VerifierEnv, st: VerifierState): boolean {
  if (!findChain(env, st)) return false;
  const visit = findVisit(env);
  return visit !== undefined && visit.backedges.length > 0;
}

/** Carries precision from the states that back edges lead to into those they come from, until nothing changes. */
function propagateBackedges(env: VerifierEnv, visit: SccVisit): number {
  const { backedges } = visit;
  const result: Changed = { changed: false };
  for (let round = 0; ; round++) {
    if (round > MAX_BACKEDGE_ROUNDS) {
      if (env.log.wants(LOG.INSNS)) env.log.write('propagate_backedges: too many iterations\n');
      for (let i = backedges.length - 1; i >= 0; i--) markAllScalarsPrecise(env, backedges[i]);
      break;
    }
    result.changed = false;
    for (let i = backedges.length - 1; i >= 0; i--) {
      const st = backedges[i];
      const err = propagatePrecision(env, st.equalState as VerifierState, st, result);
      if (err !== 0) return err;
    }
    if (!result.changed) break;
  }
  visit.backedges = [];
  return 0;
}

export function updatePeakStates(env: VerifierEnv): void {
  const states = env.exploredSize + env.freeListSize + env.numBackedges;
  if (states > env.peakStates) env.peakStates = states;
}
