// Verifies the main program, then each global function that it calls, on its own. Rule: do_check_common,
// do_check_subprogs, verifier.c, 6.18.
import { ERRNO } from '../../errno.ts';
import { PROG_TYPE } from '../../isa/uapi.ts';
import { markDynptrReg } from './dynptr.ts';
import type { VerifierEnv } from './env.ts';
import { doCheck } from './explore.ts';
import { prepareFuncArgs } from './globals.ts';
import { ARG } from './helper-proto.ts';
import { LOG } from './log.ts';
import { NO_CALLSITE, newFrame } from './path.ts';
import { acquireReference } from './references.ts';
import { markRegKnownZero, markRegUnknown } from './scalar-marks.ts';
import { subprogIsGlobal, subprogName } from './subprogs.ts';
import { baseType, DYNPTR, FLAG, REG, type RegState, type SubprogArg, VerifierState } from './types.ts';
import { verifierBug } from './verifier-bug.ts';

const CARRIED_MEM = FLAG.MAYBE_NULL | FLAG.UNTRUSTED | FLAG.RDONLY;
const CARRIED_BTF = FLAG.MAYBE_NULL | FLAG.UNTRUSTED | FLAG.TRUSTED;

/** A register as any caller may fill it. 0 or -EFAULT. */
function setArg(env: VerifierEnv, reg: RegState, arg: SubprogArg, index: number): number {
  const { argType } = arg;
  switch (baseType(argType)) {
    case ARG.CTX:
      reg.type = REG.CTX;
      markRegKnownZero(env, reg);
      return 0;
    case ARG.ANYTHING:
    case ARG.ARENA:
      markRegUnknown(env, reg);
      return 0;
    case ARG.DYNPTR:
      markDynptrReg(reg, DYNPTR.LOCAL, true, ++env.idGen);
      return 0;
    case ARG.MEM:
      reg.type = REG.MEM | (argType & CARRIED_MEM);
      markRegKnownZero(env, reg);
      reg.memSize = arg.memSize;
      if ((argType & FLAG.MAYBE_NULL) !== 0) reg.id = ++env.idGen;
      return 0;
    case ARG.BTF_ID:
      reg.type = REG.BTF_ID | (argType & CARRIED_BTF);
      markRegKnownZero(env, reg);
      reg.btf = env.image.btf();
      reg.btfId = arg.btfId;
      reg.id = ++env.idGen;
      return 0;
    default:
      return verifierBug(env, `unhandled arg#${index} type ${argType}`);
  }
}

/** Registers of a function that others call. */
function enterGlobal(env: VerifierEnv, state: VerifierState, subprog: number): number {
  env.log.write(`Validating ${subprogName(env, subprog)}() func#${subprog}...\n`);
  let err = prepareFuncArgs(env, subprog);
  if (err !== 0) return err;
  const info = env.subprogs[subprog];
  const frame = state.frame[0];
  if (info.isExceptionCb) {
    frame.inExceptionCallbackFn = true;
    if (info.args.length !== 1 || info.args[0].argType !== ARG.ANYTHING) {
      env.log.write('exception cb only supports single integer argument\n');
      return -ERRNO.EINVAL;
    }
  }
  for (let i = 0; err === 0 && i < info.args.length; i++) err = setArg(env, frame.regs[i + 1], info.args[i], i);
  return err;
}

/** Registers of the main program. Its prototype is looked at only to see whether it can be relied on. */
function enterMain(env: VerifierEnv, state: VerifierState): void {
  if (env.hasFuncInfoAux) {
    const main = env.subprogs[0];
    const err = prepareFuncArgs(env, 0);
    if (err !== 0 || main.args.length !== 1 || main.args[0].argType !== ARG.CTX) main.unreliable = true;
  }
  const r1 = state.frame[0].regs[1];
  r1.type = REG.CTX;
  markRegKnownZero(env, r1);
}

/** Some members of kernel structures own a reference to their arguments. */
function acquireArguments(env: VerifierEnv): void {
  for (const arg of env.attach.ctxArgs) arg.refObjId = arg.refcounted ? acquireReference(env, 0) : 0;
}

/** Nothing of one function's walk is of use for the next. */
function freeStates(env: VerifierEnv): void {
  env.curState = undefined;
  env.pending = [];
  env.explored.fill(undefined);
  env.sccVisits.fill(undefined);
}

/** Walks function `subprog` from its start. 0 or a negative errno. */
function verifyFunction(env: VerifierEnv, subprog: number): number {
  env.prevLineInfo = undefined;
  env.passCnt++;
  const state = new VerifierState();
  state.branches = 1;
  state.inSleepable = env.sleepable;
  state.frame = [newFrame(env, NO_CALLSITE, 0, subprog)];
  state.firstInsnIdx = env.subprogs[subprog].start;
  state.lastInsnIdx = -1;
  env.curState = state;
  let err = 0;
  if (subprog !== 0 || env.request.type === PROG_TYPE.ext) err = enterGlobal(env, state, subprog);
  else enterMain(env, state);
  if (err === 0) {
    if (subprog === 0 && env.request.type === PROG_TYPE.struct_ops) acquireArguments(env);
    err = doCheck(env);
  }
  if (err === 0 && !env.log.wants(LOG.INSNS)) env.log.rewind(0);
  freeStates(env);
  return err;
}

export function verifyMain(env: VerifierEnv): number {
  env.insnIdx = 0;
  const err = verifyFunction(env, 0);
  if (err === 0) env.stackDepth = env.subprogs[0].stackDepth;
  return err;
}

/** Every global function that is called from somewhere, until no more turn up. */
export function verifyGlobals(env: VerifierEnv): number {
  if (!env.hasFuncInfo) return 0;
  const { subprogs, log } = env;
  if (env.exceptionCallbackSubprog !== 0) subprogs[env.exceptionCallbackSubprog].called = true;
  let found = true;
  while (found) {
    found = false;
    for (let i = 1; i < subprogs.length; i++) {
      const subprog = subprogs[i];
      if (!subprogIsGlobal(env, i) || !subprog.called || subprog.verified) continue;
      env.insnIdx = subprog.start;
      const err = verifyFunction(env, i);
      if (err !== 0) return err;
      if (log.wants(LOG.ANY_PATH)) {
        log.write(`Func#${i} ('${subprogName(env, i)}') is safe for any args that match its prototype\n`);
      }
      subprog.verified = true;
      found = true;
    }
  }
  return 0;
}
