// The verifier: from a program as it was loaded to one that may run, or to the reason why it may not.
// Rule: bpf_check, verifier.c, 6.18.
import { ERRNO } from '../../errno.ts';
import {
  convertCtxAccesses,
  doMiscFixups,
  finishProgram,
  fixupCallArgs,
  hardWireDeadCodeBranches,
  optimizeBpfLoop,
  removeDeadCode,
  removeFastcallSpillsFills,
  removeNops,
  sanitizeDeadCode,
  zextAndRandomize,
} from '../rewrite/index.ts';
import { analyse } from './analyse.ts';
import { VerifierEnv, type VerifyRequest } from './env.ts';
import { MAX_INSNS } from './explore.ts';
import { LOG } from './log.ts';
import { checkMaxStackDepth } from './stack-depth.ts';

export interface VerifyResult {
  /** 0 or a negative errno. */
  errno: number;
  env: VerifierEnv;
}

/** What becomes of a verified program, in the kernel's order; each step gives 0 or a negative errno. */
function rewrite(env: VerifierEnv): number {
  let err = removeFastcallSpillsFills(env) || checkMaxStackDepth(env) || optimizeBpfLoop(env);
  if (err !== 0) return err;
  if (env.bpfCapable) {
    hardWireDeadCodeBranches(env);
    err = removeDeadCode(env) || removeNops(env);
  } else {
    sanitizeDeadCode(env);
  }
  return err || convertCtxAccesses(env) || doMiscFixups(env) || zextAndRandomize(env) || fixupCallArgs(env);
}

function printStatistics(env: VerifierEnv, started: number): void {
  const { log } = env;
  if (log.wants(LOG.STATS)) {
    log.write(`verification time ${Math.floor((performance.now() - started) * 1000)} usec\n`);
    log.append(`stack depth ${env.subprogs.map((s) => s.stackDepth).join('+')}\n`);
  }
  const states = `max_states_per_insn ${env.maxStatesPerInsn} total_states ${env.totalStates} peak_states ${env.peakStates}`;
  log.write(`processed ${env.insnProcessed} insns (limit ${MAX_INSNS}) ${states} mark_read 0\n`);
}

/**
 * Verifies, rewrites and compiles a program. The result's `env` holds the finished program where errno is 0, and what
 * was found out in any case; the text is in request.log. -ENOSPC: the log did not fit its buffer.
 */
export function bpfCheck(request: VerifyRequest): VerifyResult {
  const started = performance.now();
  const env = new VerifierEnv(request);
  let err = analyse(env);
  if (err === 0) err = rewrite(env);
  printStatistics(env, started);
  if (request.log.overflowed) err = -ERRNO.ENOSPC;
  if (err === 0) err = finishProgram(env);
  return { errno: err, env };
}
