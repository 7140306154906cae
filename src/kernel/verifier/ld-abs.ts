// Loads from the packet as classic BPF has them. Rule: check_ld_abs, verifier.c, 6.18.
import { ERRNO } from '../../errno.ts';
import type { Insn } from '../../isa/insn.ts';
import { insnMode, insnSize, MODE, SIZE } from '../../isa/opcode.ts';
import { programType } from '../program-types/index.ts';
import { prepareFuncExit } from './calls.ts';
import type { VerifierEnv } from './env.ts';
import { checkPtrOffset } from './mem-region.ts';
import { pushStack } from './path.ts';
import { markRegScratched } from './print-state.ts';
import { checkResourceLeak } from './references.ts';
import { checkRegArg } from './reg-access.ts';
import { markRegKnownZero, markRegNotInit, markRegUnknown } from './scalar-marks.ts';
import { REG } from './types.ts';

/** Where the context must be. */
const CTX_REG = 6;

/** LD_ABS and LD_IND: R0 gets the bytes; beyond the packet's end the function returns 0. */
export function checkLdAbs(env: VerifierEnv, insn: Insn): number {
  const { log } = env;
  const mode = insnMode(insn.code);
  const refuse = (text: string): number => {
    log.write(text);
    return -ERRNO.EINVAL;
  };
  if (!programType(env.progType).loadsFromSkb) {
    return refuse('BPF_LD_[ABS|IND] instructions not allowed for this program type\n');
  }
  const srcUsed = mode === MODE.ABS && insn.src !== 0;
  if (insn.dst !== 0 || insn.off !== 0 || insnSize(insn.code) === SIZE.DW || srcUsed) {
    return refuse('BPF_LD_[ABS|IND] uses reserved fields\n');
  }
  let err = checkRegArg(env, CTX_REG, 'src');
  if (err !== 0) return err;
  err = checkResourceLeak(env, false, true, 'BPF_LD_[ABS|IND]');
  if (err !== 0) return err;
  if (env.regs[CTX_REG].type !== REG.CTX) {
    return refuse('at the time of BPF_LD_ABS|IND R6 != pointer to skb\n');
  }
  if (mode === MODE.IND) {
    err = checkRegArg(env, insn.src, 'src');
    if (err !== 0) return err;
  }
  err = checkPtrOffset(env, env.regs[CTX_REG], CTX_REG);
  if (err < 0) return err;

  for (let i = 0; i <= 5; i++) {
    markRegNotInit(env, env.regs[i]);
    checkRegArg(env, i, 'dst-no-mark');
  }
  markRegUnknown(env, env.regs[0]);
  env.regs[0].subregDef = env.insnIdx + 1;
  if (env.state.curframe === 0) return 0;

  // In a called function: go on after the load, and return 0 to the caller.
  markRegScratched(env, 0);
  if (pushStack(env, env.insnIdx + 1, env.insnIdx, false) === undefined) return -ERRNO.EFAULT;
  markRegKnownZero(env, env.regs[0]);
  err = prepareFuncExit(env);
  if (err !== 0) return err;
  env.insnIdx--;
  return 0;
}
