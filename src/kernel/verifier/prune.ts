// At points where paths meet: has an equal state been walked already? If not, the current one may be kept.
// Rule: is_state_visited, verifier.c, 6.18.
import { ERRNO } from '../../errno.ts';
import { cleanLiveStates } from './clean.ts';
import type { VerifierEnv } from './env.ts';
import { constOffset, frameOf, slotIndex } from './frames.ts';
import { pushInsnHistory } from './history.ts';
import { isMayGoto } from './insn-kinds.ts';
import { bucketOf } from './loops.ts';
import { copyForComparing, maybeFreeState } from './path.ts';
import { markAllScalarsImprecise, propagatePrecision } from './precision.ts';
import { verboseLineInfo } from './print-insn.ts';
import { printVerifierState } from './print-state.ts';
import { EXACT_LEVEL } from './regs-equal.ts';
import { addSccBackedge, hasIncompleteMarks, maybeEnterScc, updatePeakStates } from './scc-visits.ts';
import { iterDepthsDiffer, statesEqual, statesMaybeLooping } from './states-equal.ts';
import { ITER_STATE, type KeptState, type VerifierState } from './types.ts';
import { verifierBug } from './verifier-bug.ts';

/** Entries of a history that force a checkpoint. */
const MAX_HISTORY = 40;
/** States that an instruction may keep without CAP_BPF. */
const MAX_STATES_UNPRIVILEGED = 64;

/** What comparing with one kept state says. */
const MISS = 0;
const HIT = 1;
/** A hit inside a loop that is still being walked. */
const HIT_LOOP = 2;
/** No hit, and the path is in a loop through that state. */
const LOOPING = 3;

function iterNextVerdict(env: VerifierEnv, old: VerifierState, cur: VerifierState): number {
  if (!statesEqual(env, old, cur, EXACT_LEVEL.RANGE_WITHIN)) return LOOPING;
  // The first argument of every such function is the iterator on the stack.
  const reg = cur.cur.regs[1];
  const slot = frameOf(env, reg).stack[slotIndex(constOffset(reg))];
  return slot.spilled.iterState === ITER_STATE.ACTIVE ? HIT_LOOP : LOOPING;
}

function reportInfiniteLoop(env: VerifierEnv, insnIdx: number, old: VerifierState, cur: VerifierState): number {
  verboseLineInfo(env, insnIdx, '; ');
  env.log.write(`infinite loop detected at insn ${insnIdx}\n`);
  env.log.append('cur state:');
  printVerifierState(env, cur, cur.curframe, true);
  env.log.append('old state:');
  printVerifierState(env, old, cur.curframe, true);
  return -ERRNO.EINVAL;
}

/** Compares with a state that still has open paths, so that the current path came through it. */
function compareWithOpen(env: VerifierEnv, insnIdx: number, old: VerifierState, cur: VerifierState): number {
  const frame = old.cur;
  // Another run of an asynchronous callback is no loop.
  if (frame.inAsyncCallbackFn && frame.asyncEntryCnt !== cur.cur.asyncEntryCnt) return LOOPING;
  const aux = env.aux[insnIdx];
  if (aux.isIterNext) return iterNextVerdict(env, old, cur);
  if (isMayGoto(env.insns[insnIdx]) && old.mayGotoDepth !== cur.mayGotoDepth) {
    if (statesEqual(env, old, cur, EXACT_LEVEL.RANGE_WITHIN)) return HIT_LOOP;
  }
  if (aux.callsCallback) return statesEqual(env, old, cur, EXACT_LEVEL.RANGE_WITHIN) ? HIT : LOOPING;
  if (
    statesMaybeLooping(old, cur) &&
    statesEqual(env, old, cur, EXACT_LEVEL.EXACT) &&
    !iterDepthsDiffer(old, cur) &&
    old.mayGotoDepth === cur.mayGotoDepth &&
    old.callbackUnrollDepth === cur.callbackUnrollDepth
  ) {
    return reportInfiniteLoop(env, insnIdx, old, cur);
  }
  return LOOPING;
}

/** The current path ends here: what the equal state relied on, it relies on too. 1 or a negative errno. */
function pruneAt(env: VerifierEnv, insnIdx: number, kept: KeptState, cur: VerifierState, loop: boolean): number {
  kept.hitCnt++;
  let err = env.aux[env.insnIdx].jmpPoint ? pushInsnHistory(env, cur, 0) : 0;
  env.request.observer?.pruned(env, kept.state);
  if (err === 0) err = propagatePrecision(env, kept.state, cur);
  if (err !== 0) return err;
  if (loop) {
    const backedge = copyForComparing(env, cur);
    backedge.equalState = kept.state;
    backedge.insnIdx = insnIdx;
    err = addSccBackedge(env, kept.state, backedge);
    if (err !== 0) return err;
  }
  return 1;
}

/** A state that keeps missing leaves its bucket; those that loops must converge on stay longer. */
function maybeEvict(env: VerifierEnv, insnIdx: number, kept: KeptState): boolean {
  const patience = env.aux[insnIdx].forceCheckpoint && kept.state.branches > 0 ? 64 : 3;
  if (kept.missCnt <= kept.hitCnt * patience + patience) return false;
  kept.inFreeList = true;
  env.freeListSize++;
  env.exploredSize--;
  return true;
}

function keepState(env: VerifierEnv, bucket: number, insnIdx: number, cur: VerifierState): void {
  env.totalStates++;
  env.exploredSize++;
  updatePeakStates(env);
  env.prevJmpsProcessed = env.jmpsProcessed;
  env.prevInsnProcessed = env.insnProcessed;
  if (env.bpfCapable) markAllScalarsImprecise(cur);
  const state = copyForComparing(env, cur);
  state.insnIdx = insnIdx;
  if (state.branches !== 1) {
    verifierBug(env, `is_state_visited:branches_to_explore=${state.branches} insn ${insnIdx}`, 'new->branches != 1');
  }
  const kept: KeptState = { state, missCnt: 0, hitCnt: 0, inFreeList: false, next: env.explored[bucket] };
  state.kept = kept;
  maybeEnterScc(env, state);
  cur.parent = state;
  cur.firstInsnIdx = insnIdx;
  cur.dfsDepth = state.dfsDepth + 1;
  cur.history = [];
  env.explored[bucket] = kept;
}

/** 1: an equal state has been walked; 0: go on; negative: an error, such as a loop without end. */
export function isStateVisited(env: VerifierEnv, insnIdx: number): number {
  const cur = env.state;
  const force = env.testStateFreq || env.aux[insnIdx].forceCheckpoint || cur.history.length > MAX_HISTORY;
  const jumps = env.jmpsProcessed - env.prevJmpsProcessed;
  const insns = env.insnProcessed - env.prevInsnProcessed;
  let add = force || (jumps >= 2 && insns >= 8);
  const bucket = bucketOf(env, insnIdx);
  cleanLiveStates(env, env.explored[bucket], insnIdx, cur);

  let states = 0;
  // As in Linux this is what the last finished state left, also for a hit at a call that runs a callback.
  let loop = false;
  let previous: KeptState | undefined;
  let kept = env.explored[bucket];
  while (kept !== undefined) {
    const { next } = kept;
    states++;
    const old = kept.state;
    if (old.insnIdx !== insnIdx) {
      previous = kept;
      kept = next;
      continue;
    }
    let verdict = MISS;
    if (old.branches !== 0) {
      verdict = compareWithOpen(env, insnIdx, old, cur);
    } else {
      loop = hasIncompleteMarks(env, old);
      const exact = loop ? EXACT_LEVEL.RANGE_WITHIN : EXACT_LEVEL.NOT;
      if (statesEqual(env, old, cur, exact)) verdict = HIT;
    }
    if (verdict < 0) return verdict;
    if (verdict === HIT || verdict === HIT_LOOP) return pruneAt(env, insnIdx, kept, cur, loop || verdict === HIT_LOOP);
    // Rounds of a loop differ: keeping each would help nobody.
    if (verdict === LOOPING && !force && jumps < 20 && insns < 100) add = false;
    if (add) kept.missCnt++;
    if (maybeEvict(env, insnIdx, kept)) {
      if (previous === undefined) env.explored[bucket] = next;
      else previous.next = next;
      maybeFreeState(env, kept);
    } else {
      previous = kept;
    }
    kept = next;
  }
  if (states > env.maxStatesPerInsn) env.maxStatesPerInsn = states;
  if (!env.bpfCapable && states > MAX_STATES_UNPRIVILEGED) return 0;
  if (add) keepState(env, bucket, insnIdx, cur);
  return 0;
}
