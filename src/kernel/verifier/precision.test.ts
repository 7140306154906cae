import { describe, expect, it } from 'vitest';
import { type Insn, insn } from '../../isa/insn.ts';
import type { VerifierEnv } from './env.ts';
import { copyState } from './path.ts';
import { markChainPrecision } from './precision.ts';
import { markRegKnown } from './scalar-marks.ts';
import { testEnv } from './test-env.ts';
import { REG } from './types.ts';

const NUMBERS = [0, 1, 2, 3];

/** A path that passed a checkpoint at 0 with R0 to R3 known and stands at the last instruction. */
function pathOver(insns: Insn[]): VerifierEnv {
  const env = testEnv({ insns });
  for (const r of NUMBERS) {
    const reg = env.regs[r];
    markRegKnown(reg, BigInt(r));
    reg.type = REG.SCALAR;
    reg.precise = false;
  }
  const checkpoint = copyState(env, env.state);
  checkpoint.lastInsnIdx = -1;
  env.state.parent = checkpoint;
  env.state.insnIdx = insns.length - 1;
  return env;
}

const preciseIn = (env: VerifierEnv): number[] => NUMBERS.filter((r) => env.state.parent?.cur.regs[r].precise);

describe('markChainPrecision', () => {
  it('follows copies to where the value came from', () => {
    const env = pathOver([insn(0xbf, 2, 1), insn(0x07, 2, 0, 0, 4), insn(0x95)]);
    markChainPrecision(env, 2);
    expect(preciseIn(env)).toEqual([1]);
  });

  it('follows both operands of arithmetic', () => {
    const env = pathOver([insn(0x0f, 2, 3), insn(0x95)]);
    markChainPrecision(env, 2);
    expect(preciseIn(env)).toEqual([2, 3]);
  });

  it('ends at a constant', () => {
    const env = pathOver([insn(0xb7, 2, 0, 0, 7), insn(0x95)]);
    markChainPrecision(env, 2);
    expect(preciseIn(env)).toEqual([]);
  });

  it('makes all scalars precise when it cannot tell', () => {
    const env = pathOver([insn(0x30, 0, 0, 0, 0), insn(0x95)]);
    markChainPrecision(env, 0);
    expect(preciseIn(env)).toEqual(NUMBERS);
    expect(env.log.text()).toContain('mark_precise: frame0: falling back to forcing all scalars precise\n');
  });

  it('does nothing without CAP_BPF, where all scalars are precise anyway', () => {
    const env = pathOver([insn(0x95)]);
    env.bpfCapable = false;
    markChainPrecision(env, 1);
    expect(preciseIn(env)).toEqual([]);
  });

  it('leaves nothing behind for the next walk', () => {
    const env = pathOver([insn(0xbf, 2, 1), insn(0x95)]);
    markChainPrecision(env, 2);
    env.backtrack.frame = 0;
    expect(env.backtrack.empty || [...env.backtrack.regs].every((mask) => mask === 2 || mask === 0)).toBe(true);
  });
});
