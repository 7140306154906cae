// Carries the notes on stack reads and writes backwards through functions. Rule: update_instance, liveness.c, 6.18.
import type { VerifierEnv } from './env.ts';
import { successors } from './insn-kinds.ts';
import { LOG } from './log.ts';
import { slotMaskText } from './slot-mask.ts';
import {
  commitWritesTo,
  type FuncInstance,
  LIVE_BEFORE,
  lookupInstance,
  MASK_WORDS,
  MAY_READ,
  MUST_WRITE,
  MUST_WRITE_ACC,
  markReadIn,
  outerInstance,
  resetLiveStackCallchain,
  resetWritesOf,
  type StackLiveness,
} from './stack-liveness.ts';
import { findContainingSubprog } from './subprogs.ts';

const next = new Int32Array(2);

interface Place {
  readonly instance: FuncInstance;
  readonly frame: number;
  readonly insnIdx: number;
}

function logChange(env: VerifierEnv, place: Place, what: string, masks: Int32Array, at: number, now: number[]): void {
  const [low, high] = now;
  const oldLow = masks[at];
  const oldHigh = masks[at + 1];
  if (oldLow === low && oldHigh === high) return;
  let text = `${place.instance.text} frame ${place.frame} insn ${place.insnIdx} `;
  const added = slotMaskText(low & ~oldLow, high & ~oldHigh);
  const gone = slotMaskText(oldLow & ~low, oldHigh & ~high);
  if (added !== '') text += `+${what} ${added} `;
  if (gone !== '') text += `-${what} ${gone}`;
  env.log.append(`${text}\n`);
}

/** One instruction and frame; true if anything changed. */
function updateInsn(env: VerifierEnv, instance: FuncInstance, frame: number, insnIdx: number, loud: boolean): boolean {
  const count = successors(env.insns, insnIdx, next);
  if (count === 0) return false;
  const masks = instance.frames[frame] as Int32Array;
  const { start } = instance;
  let afterLow = 0;
  let afterHigh = 0;
  let accLow = -1;
  let accHigh = -1;
  for (let s = 0; s < count; s++) {
    const at = (next[s] - start) * MASK_WORDS;
    afterLow |= masks[at + LIVE_BEFORE];
    afterHigh |= masks[at + LIVE_BEFORE + 1];
    accLow &= masks[at + MUST_WRITE_ACC];
    accHigh &= masks[at + MUST_WRITE_ACC + 1];
  }
  const at = (insnIdx - start) * MASK_WORDS;
  const writeLow = masks[at + MUST_WRITE];
  const writeHigh = masks[at + MUST_WRITE + 1];
  const readLow = masks[at + MAY_READ];
  const readHigh = masks[at + MAY_READ + 1];
  accLow |= writeLow;
  accHigh |= writeHigh;
  const liveLow = (afterLow & ~writeLow) | readLow;
  const liveHigh = (afterHigh & ~writeHigh) | readHigh;
  const changed =
    liveLow !== masks[at + LIVE_BEFORE] ||
    liveHigh !== masks[at + LIVE_BEFORE + 1] ||
    accLow !== masks[at + MUST_WRITE_ACC] ||
    accHigh !== masks[at + MUST_WRITE_ACC + 1];
  if (!changed) return false;
  if (loud) {
    const own = (readLow | readHigh | writeLow | writeHigh) !== 0;
    if (own || insnIdx === start || env.aux[insnIdx].prunePoint) {
      const place = { instance, frame, insnIdx };
      logChange(env, place, 'live', masks, at + LIVE_BEFORE, [liveLow, liveHigh]);
      logChange(env, place, 'written', masks, at + MUST_WRITE_ACC, [accLow, accHigh]);
    }
  }
  masks[at + LIVE_BEFORE] = liveLow;
  masks[at + LIVE_BEFORE + 1] = liveHigh;
  masks[at + MUST_WRITE_ACC] = accLow;
  masks[at + MUST_WRITE_ACC + 1] = accHigh;
  return true;
}

/** Sets of writes became smaller: what was derived from them starts over. */
function dropWrites(instance: FuncInstance): void {
  for (const masks of instance.frames) {
    if (masks === undefined) continue;
    for (let i = 0; i < instance.insnCnt; i++) {
      masks[i * MASK_WORDS + MUST_WRITE_ACC] = 0;
      masks[i * MASK_WORDS + MUST_WRITE_ACC + 1] = 0;
    }
  }
}

/** What the function does to the frames of its callers is what the call instruction does. */
function propagateToCaller(env: VerifierEnv, live: StackLiveness, instance: FuncInstance): void {
  const outer = outerInstance(env, instance);
  const depth = instance.curframe;
  const callsite = instance.callsites[depth - 1];
  resetWritesOf(live, outer, callsite);
  for (let frame = 0; frame < depth; frame++) {
    const masks = instance.frames[frame];
    if (masks === undefined) continue;
    live.writesLow[frame] |= masks[MUST_WRITE_ACC];
    live.writesHigh[frame] |= masks[MUST_WRITE_ACC + 1];
    markReadIn(outer, frame, callsite, masks[LIVE_BEFORE], masks[LIVE_BEFORE + 1]);
  }
  commitWritesTo(live, outer);
}

function updateInstance(env: VerifierEnv, live: StackLiveness, instance: FuncInstance): void {
  if (instance.mustWriteDropped) dropWrites(instance);
  const subprog = findContainingSubprog(env, instance.start);
  const from = env.subprogs[subprog].postorderStart;
  const to = subprog + 1 < env.subprogs.length ? env.subprogs[subprog + 1].postorderStart : env.postorder.length;
  const loud = env.log.wants(LOG.INSNS);
  let rounds = 0;
  let changed = true;
  while (changed) {
    rounds++;
    changed = false;
    for (let frame = 0; frame <= instance.curframe; frame++) {
      if (instance.frames[frame] === undefined) continue;
      for (let i = from; i < to; i++) {
        if (updateInsn(env, instance, frame, env.postorder[i], loud)) changed = true;
      }
    }
  }
  if (loud) env.log.write(`${instance.text} live stack update done in ${rounds} iterations\n`);
  if (instance.curframe > 0) propagateToCaller(env, live, instance);
}

/** Brings the answers for all functions that the current state is in up to date: when a path or a function ends. */
export function updateLiveStack(env: VerifierEnv): void {
  const live = env.liveness as StackLiveness;
  resetLiveStackCallchain(env);
  for (let frame = env.state.curframe; frame >= 0; frame--) {
    const instance = lookupInstance(env, env.state, frame);
    if (!instance.updated) continue;
    updateInstance(env, live, instance);
    instance.updated = false;
    instance.mustWriteDropped = false;
  }
}
