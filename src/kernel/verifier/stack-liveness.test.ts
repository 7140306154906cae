import { describe, expect, it } from 'vitest';
import { insn } from '../../isa/insn.ts';
import type { VerifierEnv } from './env.ts';
import { computePostorder } from './postorder.ts';
import {
  commitStackWriteMarks,
  initStackLiveness,
  markSlotRead,
  markSlotWrite,
  markStackRead,
  markStackWrite,
  queryLiveStack,
  resetStackWriteMarks,
  stackSlotAlive,
} from './stack-liveness.ts';
import { updateLiveStack } from './stack-liveness-update.ts';
import { testEnv } from './test-env.ts';
import { SubprogInfo } from './types.ts';

const MOV = insn(0xb7);
const EXIT = insn(0x95);

/** A main program of straight code, ready for notes. */
function straight(length: number): VerifierEnv {
  const env = testEnv({ insns: [...Array.from({ length: length - 1 }, () => MOV), EXIT] });
  env.subprogs = [new SubprogInfo(0)];
  computePostorder(env);
  initStackLiveness(env);
  return env;
}

/** Instruction `at` reads and writes slots. */
function visit(env: VerifierEnv, at: number, { read = [], write = [] }: { read?: number[]; write?: number[] }): void {
  env.insnIdx = at;
  resetStackWriteMarks(env, at);
  for (const spi of read) markSlotRead(env, 0, spi);
  for (const spi of write) markSlotWrite(env, 0, spi);
  commitStackWriteMarks(env);
}

function alive(env: VerifierEnv, at: number, spi: number): boolean {
  env.state.insnIdx = at;
  queryLiveStack(env, env.state);
  return stackSlotAlive(env, 0, spi);
}

describe('stack liveness', () => {
  it('keeps a slot alive from its write to its last read', () => {
    const env = straight(5);
    visit(env, 1, { write: [0] });
    visit(env, 3, { read: [0] });
    updateLiveStack(env);
    expect([0, 1, 2, 3].map((at) => alive(env, at, 0))).toEqual([false, false, true, true]);
  });

  it('counts a slot as written only if every visit writes it', () => {
    const env = straight(5);
    visit(env, 1, { write: [0] });
    visit(env, 1, {});
    visit(env, 3, { read: [0] });
    updateLiveStack(env);
    expect(alive(env, 0, 0)).toBe(true);
  });

  it('forgets writes of slots 32 and up when a later visit writes fewer low ones', () => {
    const env = straight(5);
    visit(env, 1, { write: [3, 4, 40] });
    visit(env, 1, { write: [3, 40] });
    visit(env, 3, { read: [3, 4, 40] });
    updateLiveStack(env);
    expect([3, 4, 40].map((spi) => alive(env, 0, spi))).toEqual([false, true, true]);
  });

  it('says at level 2 what changed, and in how many rounds', () => {
    const env = straight(4);
    visit(env, 0, { write: [0] });
    visit(env, 2, { read: [0, 33] });
    updateLiveStack(env);
    expect(env.log.text()).toBe(
      '(0) frame 0 insn 2 +live -8,-272 \n' +
        '(0) frame 0 insn 0 +live -272 \n(0) frame 0 insn 0 +written -8 \n' +
        '(0) live stack update done in 2 iterations\n',
    );
  });

  it('takes masks of slots as well as single ones', () => {
    const env = straight(4);
    env.insnIdx = 2;
    resetStackWriteMarks(env, 2);
    markStackRead(env, 0, 2, (1n << 63n) | 1n);
    markStackWrite(env, 0, 1n << 62n);
    commitStackWriteMarks(env);
    updateLiveStack(env);
    expect([0, 1, 63].map((spi) => alive(env, 0, spi))).toEqual([true, false, true]);
  });
});
