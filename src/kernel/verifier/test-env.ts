// A verification of nothing, for tests of single rules.
import type { Insn } from '../../isa/insn.ts';
import type { KernelImage } from '../image/image.ts';
import { ALL_CAPABILITIES } from '../objects.ts';
import { VerifierEnv } from './env.ts';
import { VerifierLog } from './log.ts';
import { markRegKnown, markRegNotInit, markRegUnknownImprecise } from './scalar-marks.ts';
import { testRequest } from './test-request.ts';
import { FP, FuncState, REG, RegState, VerifierState } from './types.ts';

export interface TestEnvOptions {
  insns?: Insn[];
  level?: number;
  size?: number;
  /** Without CAP_PERFMON. */
  unprivileged?: boolean;
}

/** An environment that stands at instruction 0 of the main program, with R10 and no other register. */
export function testEnv({
  insns = [],
  level = 2,
  size = 1 << 20,
  unprivileged = false,
}: TestEnvOptions = {}): VerifierEnv {
  const request = testRequest({
    image: {} as KernelImage,
    caps: unprivileged ? { ...ALL_CAPABILITIES, perfmon: false, sysAdmin: false } : ALL_CAPABILITIES,
    insns,
    log: new VerifierLog(level, size),
  });
  const env = new VerifierEnv(request);
  const state = new VerifierState();
  const frame = new FuncState(-1, 0, 0);
  for (const reg of frame.regs) markRegNotInit(env, reg);
  frame.regs[FP].type = REG.STACK;
  markRegKnown(frame.regs[FP], 0n);
  state.frame.push(frame);
  state.branches = 1;
  env.curState = state;
  env.passCnt = 1;
  return env;
}

/** A scalar of which nothing is known. */
export function unknownReg(): RegState {
  const reg = new RegState();
  markRegUnknownImprecise(reg);
  return reg;
}

/** A scalar constant. */
export function constReg(value: bigint): RegState {
  const reg = new RegState();
  reg.type = REG.SCALAR;
  markRegKnown(reg, value);
  return reg;
}
