// Everything that is found out about a program before it is changed. Rule: bpf_check, verifier.c, 6.18.
import { checkAttachBtfId } from './attach-target.ts';
import { checkBtfInfo, checkBtfInfoEarly } from './btf-info.ts';
import { checkCfg } from './cfg.ts';
import { PROG_FLAG, type VerifierEnv } from './env.ts';
import { markFastcallPatterns } from './fastcall.ts';
import { computeLiveRegisters } from './live-regs.ts';
import { computePostorder } from './postorder.ts';
import { markVerifierStateClean } from './print-state.ts';
import { resolvePseudoLdimm64 } from './resolve-ldimm64.ts';
import { computeScc } from './scc.ts';
import { initStackLiveness } from './stack-liveness.ts';
import { addSubprogsAndKfuncs, checkSubprogs } from './subprogs.ts';
import { bindFdArray } from './used-objects.ts';
import { verifyGlobals, verifyMain } from './verify-function.ts';

function applyFlags(env: VerifierEnv): void {
  const { flags } = env.request;
  env.strictAlignment = (flags & PROG_FLAG.STRICT_ALIGNMENT) !== 0;
  if ((flags & PROG_FLAG.ANY_ALIGNMENT) !== 0) env.strictAlignment = false;
  if (env.bpfCapable) env.testStateFreq = (flags & PROG_FLAG.TEST_STATE_FREQ) !== 0;
  env.testRegInvariants = (flags & PROG_FLAG.TEST_REG_INVARIANTS) !== 0;
}

/** What the instructions say without being walked; each step gives 0 or a negative errno. */
function checkShape(env: VerifierEnv): number {
  return (
    checkBtfInfoEarly(env) ||
    addSubprogsAndKfuncs(env) ||
    checkSubprogs(env) ||
    checkBtfInfo(env) ||
    resolvePseudoLdimm64(env) ||
    checkCfg(env)
  );
}

/** All checks up to the walk along all paths. 0 or a negative errno. */
export function analyse(env: VerifierEnv): number {
  let err = bindFdArray(env);
  if (err !== 0) return err;
  markVerifierStateClean(env);
  applyFlags(env);
  env.explored = new Array(env.insns.length).fill(undefined);
  err = checkShape(env);
  if (err !== 0) return err;
  computePostorder(env);
  initStackLiveness(env);
  err = checkAttachBtfId(env);
  if (err !== 0) return err;
  computeScc(env);
  computeLiveRegisters(env);
  markFastcallPatterns(env);
  return verifyMain(env) || verifyGlobals(env);
}
