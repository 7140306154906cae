// Which stack slots may still be read after an instruction, for each chain of calls that leads to it. Reads and writes
// are noted while paths are walked; before states are compared the notes are carried backwards through each function
// until nothing changes. Rule: liveness.c, 6.18.
import type { VerifierEnv } from './env.ts';
import { MAX_CALL_FRAMES, type VerifierState } from './types.ts';

/**
 * Words for one instruction and frame: slots that it may read, that it writes for certain, that it or what follows
 * writes for certain, that are live before it; low half, then high half.
 */
export const MASK_WORDS = 8;
export const MAY_READ = 0;
export const MUST_WRITE = 2;
export const MUST_WRITE_ACC = 4;
export const LIVE_BEFORE = 6;

/** One function as called through one chain of calls. */
export class FuncInstance {
  /** Call instructions, outermost first, then the function's first instruction. */
  readonly callsites: readonly number[];
  /** First instructions of the functions on the chain. */
  readonly starts: readonly number[];
  readonly insnCnt: number;
  updated = false;
  mustWriteDropped = false;
  /** MASK_WORDS for each instruction; only for frames that were touched. */
  readonly frames: (Int32Array | undefined)[] = [];
  /** Instructions whose writes have been noted at least once. */
  readonly writesKnown: Uint8Array;

  constructor(callsites: readonly number[], starts: readonly number[], insnCnt: number) {
    this.callsites = callsites;
    this.starts = starts;
    this.insnCnt = insnCnt;
    this.writesKnown = new Uint8Array(insnCnt);
  }

  /** Depth of the chain: 0 for functions that nothing calls. */
  get curframe(): number {
    return this.callsites.length - 1;
  }

  get start(): number {
    return this.starts[this.starts.length - 1];
  }

  /** Masks of a frame, made at the first use. */
  frame(frame: number): Int32Array {
    let masks = this.frames[frame];
    if (masks === undefined) {
      masks = new Int32Array(this.insnCnt * MASK_WORDS);
      this.frames[frame] = masks;
    }
    return masks;
  }

  /** "(4,7)". */
  get text(): string {
    return `(${this.callsites.join(',')})`;
  }
}

/** Calls that lead somewhere, and the functions that have been entered from there, by their first instruction. */
class ChainNode {
  readonly calls: Map<number, ChainNode> = new Map();
  readonly functions: Map<number, FuncInstance> = new Map();
}

export class StackLiveness {
  readonly root: ChainNode = new ChainNode();
  /** Instance of the current state; undefined after the chain of calls changed. */
  current: FuncInstance | undefined = undefined;
  /** Writes of the instruction `writeInsnIdx` so far. */
  writeInsnIdx = 0;
  readonly writesLow: Int32Array = new Int32Array(MAX_CALL_FRAMES);
  readonly writesHigh: Int32Array = new Int32Array(MAX_CALL_FRAMES);
  /** Instances of the state that queries are about, and where it stands. */
  readonly query: FuncInstance[] = [];
  queryFrame = 0;
  queryInsnIdx = 0;
}

const liveness = (env: VerifierEnv): StackLiveness => env.liveness as StackLiveness;

export function initStackLiveness(env: VerifierEnv): void {
  env.liveness = new StackLiveness();
}

/** Instance of the function that frame `frameno` of `st` runs. */
export function lookupInstance(env: VerifierEnv, st: VerifierState, frameno: number): FuncInstance {
  let node = liveness(env).root;
  for (let i = 0; i < frameno; i++) {
    const { callsite } = st.frame[i + 1];
    let next = node.calls.get(callsite);
    if (next === undefined) {
      next = new ChainNode();
      node.calls.set(callsite, next);
    }
    node = next;
  }
  const { subprogno } = st.frame[frameno];
  const { start } = env.subprogs[subprogno];
  let instance = node.functions.get(start);
  if (instance === undefined) {
    const frames = st.frame.slice(0, frameno + 1);
    const callsites = frames.map((_, i) => (i < frameno ? st.frame[i + 1].callsite : start));
    const starts = frames.map((frame) => env.subprogs[frame.subprogno].start);
    instance = new FuncInstance(callsites, starts, env.subprogEnd(subprogno) - start);
    node.functions.set(start, instance);
  }
  return instance;
}

/** The instance that calls `instance`; there is one, for its function has been walked before. */
export function outerInstance(env: VerifierEnv, instance: FuncInstance): FuncInstance {
  const depth = instance.curframe - 1;
  let node = liveness(env).root;
  for (let i = 0; i < depth; i++) node = node.calls.get(instance.callsites[i]) as ChainNode;
  const start = instance.starts[depth];
  let outer = node.functions.get(start);
  if (outer === undefined) {
    const subprog = env.subprogs.findIndex((s) => s.start === start);
    const callsites = [...instance.callsites.slice(0, depth), start];
    outer = new FuncInstance(callsites, instance.starts.slice(0, depth + 1), env.subprogEnd(subprog) - start);
    node.functions.set(start, outer);
  }
  return outer;
}

/** The chain of calls of the current state has changed. */
export function resetLiveStackCallchain(env: VerifierEnv): void {
  liveness(env).current = undefined;
}

function currentInstance(env: VerifierEnv): FuncInstance {
  const live = liveness(env);
  live.current ??= lookupInstance(env, env.state, env.state.curframe);
  return live.current;
}

/** Slots of `frame` may be read by the instruction. */
export function markReadIn(instance: FuncInstance, frame: number, insnIdx: number, low: number, high: number): void {
  const masks = instance.frame(frame);
  const at = (insnIdx - instance.start) * MASK_WORDS;
  const newLow = masks[at + MAY_READ] | low;
  const newHigh = masks[at + MAY_READ + 1] | high;
  const grew = newLow !== masks[at + MAY_READ] || newHigh !== masks[at + MAY_READ + 1];
  if (grew && ((newLow & ~masks[at + LIVE_BEFORE]) | (newHigh & ~masks[at + LIVE_BEFORE + 1])) !== 0) {
    instance.updated = true;
  }
  masks[at + MAY_READ] = newLow;
  masks[at + MAY_READ + 1] = newHigh;
}

/** Slots of a mask of frame `frame` may be read by instruction `insnIdx` of the current function. */
export function markStackRead(env: VerifierEnv, frame: number, insnIdx: number, mask: bigint): number {
  const low = Number(mask & 0xffffffffn) | 0;
  markReadIn(currentInstance(env), frame, insnIdx, low, Number(mask >> 32n) | 0);
  return 0;
}

/** Slot `spi` of frame `frame` may be read by the current instruction: markStackRead without a big mask. */
export function markSlotRead(env: VerifierEnv, frame: number, spi: number): void {
  const bit = 1 << (spi & 31);
  markReadIn(currentInstance(env), frame, env.insnIdx, spi < 32 ? bit : 0, spi < 32 ? 0 : bit);
}

/** The instruction being walked writes slots of a mask of frame `frame` for certain. */
export function markStackWrite(env: VerifierEnv, frame: number, mask: bigint): void {
  const live = liveness(env);
  live.writesLow[frame] |= Number(mask & 0xffffffffn);
  live.writesHigh[frame] |= Number(mask >> 32n);
}

export function markSlotWrite(env: VerifierEnv, frame: number, spi: number): void {
  const live = liveness(env);
  (spi < 32 ? live.writesLow : live.writesHigh)[frame] |= 1 << (spi & 31);
}

export function resetWritesOf(live: StackLiveness, instance: FuncInstance, insnIdx: number): void {
  live.writeInsnIdx = insnIdx;
  for (let i = instance.callsites.length - 1; i >= 0; i--) {
    live.writesLow[i] = 0;
    live.writesHigh[i] = 0;
  }
}

/** Before an instruction: nothing written yet. */
export function resetStackWriteMarks(env: VerifierEnv, insnIdx: number): void {
  resetWritesOf(liveness(env), currentInstance(env), insnIdx);
}

/** What the instruction wrote is joined with what it wrote on other paths: only slots written each time remain. */
export function commitWritesTo(live: StackLiveness, instance: FuncInstance): void {
  const idx = live.writeInsnIdx - instance.start;
  const known = instance.writesKnown[idx] !== 0;
  for (let frame = 0; frame < instance.callsites.length; frame++) {
    let low = live.writesLow[frame];
    let high = live.writesHigh[frame];
    if ((low | high) === 0 && !known) continue;
    const masks = instance.frame(frame);
    const at = idx * MASK_WORDS + MUST_WRITE;
    // Linux keeps the old mask in 32 bits here, so on later visits slots 32 to 63 count as not written.
    const old = masks[at];
    if (known) {
      low &= old;
      high = 0;
    }
    if (low !== old || high !== 0) {
      masks[at] = low;
      masks[at + 1] = high;
      instance.updated = true;
    }
    if ((old & ~low) !== 0) instance.mustWriteDropped = true;
  }
  instance.writesKnown[idx] = 1;
  live.writeInsnIdx = 0;
}

/** After an instruction. */
export function commitStackWriteMarks(env: VerifierEnv): void {
  const live = liveness(env);
  if (live.current !== undefined) commitWritesTo(live, live.current);
}

/** Makes stackSlotAlive() answer for `st`. */
export function queryLiveStack(env: VerifierEnv, st: VerifierState): void {
  const live = liveness(env);
  for (let frame = 0; frame <= st.curframe; frame++) live.query[frame] = lookupInstance(env, st, frame);
  live.queryFrame = st.curframe;
  live.queryInsnIdx = st.insnIdx;
}

function liveBefore(instance: FuncInstance, insnIdx: number, frame: number, spi: number): boolean {
  const masks = instance.frames[frame];
  if (masks === undefined) return false;
  const at = (insnIdx - instance.start) * MASK_WORDS + LIVE_BEFORE + (spi < 32 ? 0 : 1);
  return (masks[at] & (1 << (spi & 31))) !== 0;
}

/** Whether slot `spi` of frame `frame` may be read from where the queried state stands. */
export function stackSlotAlive(env: VerifierEnv, frame: number, spi: number): boolean {
  const { query, queryFrame, queryInsnIdx } = liveness(env);
  const inner = query[queryFrame];
  if (liveBefore(inner, queryInsnIdx, frame, spi)) return true;
  for (let i = frame; i < queryFrame; i++) {
    const callsite = inner.callsites[i];
    // A call that runs a callback is come back to, any other is behind.
    if (liveBefore(query[i], env.aux[callsite].callsCallback ? callsite : callsite + 1, frame, spi)) return true;
  }
  return false;
}
