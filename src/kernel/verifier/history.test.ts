import { describe, expect, it } from 'vitest';
import { HISTORY_START, type HistoryCursor, previousInsn, pushInsnHistory, stackAccessFlags } from './history.ts';
import { testEnv } from './test-env.ts';
import { HISTORY_FLAG, VerifierState } from './types.ts';

/** A state that began at `first`, with jumps [to, from]. */
function stateWith(first: number, jumps: [number, number][]): VerifierState {
  const state = new VerifierState();
  state.firstInsnIdx = first;
  state.history = jumps.map(([idx, prevIdx]) => ({ idx, prevIdx, flags: 0, linked: [] }));
  return state;
}

function walk(state: VerifierState, last: number): number[] {
  const cursor: HistoryCursor = { left: state.history.length };
  const seen: number[] = [];
  for (let i = last; i !== HISTORY_START && seen.length < 20; i = previousInsn(state, i, cursor)) seen.push(i);
  return seen;
}

describe('previousInsn', () => {
  it('goes straight back without jumps', () => {
    expect(walk(stateWith(3, []), 6)).toEqual([6, 5, 4, 3]);
  });

  it('follows jumps back to where they came from', () => {
    expect(walk(stateWith(0, [[7, 2]]), 8)).toEqual([8, 7, 2, 1, 0]);
  });

  it('stops at the entry that led into the state', () => {
    expect(walk(stateWith(7, [[7, 2]]), 9)).toEqual([9, 8, 7]);
  });

  it('passes the first instruction of the state again in a loop', () => {
    const loop = stateWith(3, [
      [3, 1],
      [3, 5],
      [3, 5],
    ]);
    expect(walk(loop, 4)).toEqual([4, 3, 5, 4, 3, 5, 4, 3]);
  });
});

describe('pushInsnHistory', () => {
  it('adds to the entry of the same instruction', () => {
    const env = testEnv();
    env.insnIdx = 4;
    env.prevInsnIdx = 3;
    pushInsnHistory(env, env.state, 0);
    pushInsnHistory(env, env.state, stackAccessFlags(1, 5));
    const [entry] = env.state.history;
    expect(env.state.history).toHaveLength(1);
    expect(entry).toMatchObject({ idx: 4, prevIdx: 3 });
    expect(entry.flags & HISTORY_FLAG.STACK_ACCESS).not.toBe(0);
    expect((entry.flags >> HISTORY_FLAG.SPI_SHIFT) & HISTORY_FLAG.SPI_MASK).toBe(5);
  });
});
