// A verification of nothing, for tests of single rules.
import type { Insn } from '../../isa/insn.ts';
import { PROG_TYPE } from '../../isa/uapi.ts';
import type { KernelImage } from '../image/image.ts';
import { ALL_CAPABILITIES } from '../objects.ts';
import { VerifierEnv, type VerifyRequest } from './env.ts';
import { VerifierLog } from './log.ts';
import { markRegKnown, markRegNotInit, markRegUnknownImprecise } from './scalar-marks.ts';
import { FP, FuncState, REG, RegState, VerifierState } from './types.ts';

export interface TestEnvOptions {
  insns?: Insn[];
  level?: number;
  size?: number;
  /** Without CAP_PERFMON. */
  unprivileged?: boolean;
}

const missing = (): never => {
  throw new Error('a test of one rule has no kernel image and no descriptors');
};

/** An environment that stands at instruction 0 of the main program, with R10 and no other register. */
export function testEnv({
  insns = [],
  level = 2,
  size = 1 << 20,
  unprivileged = false,
}: TestEnvOptions = {}): VerifierEnv {
  const request: VerifyRequest = {
    image: {} as KernelImage,
    caps: unprivileged ? { ...ALL_CAPABILITIES, perfmon: false, sysAdmin: false } : ALL_CAPABILITIES,
    type: PROG_TYPE.socket_filter,
    expectedAttachType: 0,
    flags: 0,
    name: 'test',
    gplCompatible: true,
    insns,
    log: new VerifierLog(level, size),
    btf: undefined,
    funcInfo: undefined,
    lineInfo: undefined,
    coreRelos: undefined,
    attachBtfId: 0,
    attachBtf: undefined,
    fdArray: undefined,
    fdArrayBinds: false,
    mapByFd: missing,
    btfByFd: missing,
  };
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
