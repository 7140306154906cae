// The way a path took since its last checkpoint: one entry for each jump target and each instruction with something to
// remember. Rule: push_jmp_history, get_prev_insn_idx, verifier.c, 6.18.
import type { VerifierEnv } from './env.ts';
import { HISTORY_FLAG, type HistoryEntry, type LinkedReg, type VerifierState } from './types.ts';
import { verifierBug } from './verifier-bug.ts';

/** Registers that share an id, for an entry without any. */
export const NO_LINKED: readonly LinkedReg[] = Object.freeze([]);
/** Registers and slots that one comparison can tie together at most. */
export const MAX_LINKED = 6;

/** Flags of an access to slot `spi` of frame `frameno`. */
export const stackAccessFlags = (frameno: number, spi: number): number =>
  HISTORY_FLAG.STACK_ACCESS | (spi << HISTORY_FLAG.SPI_SHIFT) | frameno;
export const flagsSpi = (flags: number): number => (flags >> HISTORY_FLAG.SPI_SHIFT) & HISTORY_FLAG.SPI_MASK;
export const flagsFrameno = (flags: number): number => flags & HISTORY_FLAG.FRAMENO_MASK;

/** Records the current instruction in the history of `state`, or adds to what it has already recorded. */
export function pushInsnHistory(
  env: VerifierEnv,
  state: VerifierState,
  flags: number,
  linked: readonly LinkedReg[] = NO_LINKED,
): number {
  const entry = env.curHistEnt;
  if (entry !== undefined) {
    const both = entry.flags & flags;
    if (both !== 0 && both !== flags) {
      const text = `insn history: insn_idx ${env.insnIdx} cur flags ${entry.flags.toString(16)} new flags ${flags.toString(16)}`;
      const condition =
        '(env->cur_hist_ent->flags & insn_flags) && (env->cur_hist_ent->flags & insn_flags) != insn_flags';
      verifierBug(env, text, condition);
    }
    entry.flags |= flags;
    entry.linked = linked;
    return 0;
  }
  const added: HistoryEntry = { idx: env.insnIdx, prevIdx: env.prevInsnIdx, flags, linked };
  state.history.push(added);
  env.curHistEnt = added;
  return 0;
}

/** The entry of `insnIdx` if it is the last of the first `end` ones. */
export function historyEntryAt(state: VerifierState, end: number, insnIdx: number): HistoryEntry | undefined {
  if (end === 0) return undefined;
  const entry = state.history[end - 1];
  return entry.idx === insnIdx ? entry : undefined;
}

/** Where a walk back over a history stands. */
export interface HistoryCursor {
  /** Entries that are still ahead. */
  left: number;
}

/** No instruction of this state comes before. */
export const HISTORY_START = -2;

/**
 * The instruction that ran before `idx`. A state may begin and end at one instruction with a loop between, so reaching
 * its first instruction ends the walk only when at most the entry that led into the state is left.
 */
export function previousInsn(state: VerifierState, idx: number, cursor: HistoryCursor): number {
  const { history } = state;
  const { left } = cursor;
  if (idx === state.firstInsnIdx && (left === 0 || (left === 1 && history[0].idx === idx))) return HISTORY_START;
  if (left > 0 && history[left - 1].idx === idx) {
    cursor.left = left - 1;
    return history[left - 1].prevIdx;
  }
  return idx - 1;
}
