// Calls of functions of the program: into a static function, past a global one, and into callbacks that a helper runs;
// and the way back. Rule: check_func_call, push_callback_call, prepare_func_exit, verifier.c, 6.18.
import { ERRNO } from '../../errno.ts';
import type { Insn } from '../../isa/insn.ts';
import { type SetCalleeState, setCalleeState } from './callbacks.ts';
import { inSleepable } from './context-state.ts';
import { forEachReg } from './each-reg.ts';
import type { VerifierEnv } from './env.ts';
import { checkSubprogCall } from './globals.ts';
import { asyncCallbackSleeps, callsAsyncCallback, callsSyncCallback } from './insn-kinds.ts';
import { LOG } from './log.ts';
import { findPrevEntry, widenImpreciseScalars } from './loops.ts';
import { newFrame, pushAsyncCallback, pushStack } from './path.ts';
import { isDynptrSlicePkt, isPktPointerAny } from './pointer-kinds.ts';
import { markChainPrecision } from './precision.ts';
import { printVerifierState, verboseInvalidScalar } from './print-state.ts';
import { checkRegArgOf, DEF_NOT_SUBREG } from './reg-access.ts';
import { markRegInvalid, markRegNotInit, markRegUnknown } from './scalar-marks.ts';
import { resetLiveStackCallchain } from './stack-liveness.ts';
import { updateLiveStack } from './stack-liveness-update.ts';
import { findSubprog, subprogIsGlobal, subprogName } from './subprogs.ts';
import { MAX_CALL_FRAMES, REG, type RegState, type RetvalRange, type VerifierState } from './types.ts';
import { verifierBug } from './verifier-bug.ts';

/** Every value of the register lies in the range. */
export const retvalWithin = (range: RetvalRange, reg: RegState, low32: boolean): boolean =>
  low32
    ? range.min <= reg.s32min && reg.s32max <= range.max
    : BigInt(range.min) <= reg.smin && reg.smax <= BigInt(range.max);

/** Packet data may have moved: pointers into it are void. */
export function clearAllPktPointers(env: VerifierEnv): void {
  forEachReg(env.state, (reg) => {
    if (isPktPointerAny(reg) || isDynptrSlicePkt(reg)) markRegInvalid(env, reg);
  });
}

/** R0 to R5 are gone after a call. */
export function clearCallerSavedRegs(env: VerifierEnv, regs: RegState[]): void {
  for (let i = 0; i <= 5; i++) {
    markRegNotInit(env, regs[i]);
    checkRegArgOf(env, regs, i, 'dst-no-mark');
  }
}

/** Puts the frame of `subprog` on top of `state`, called at `callsite`. 0 or a negative errno. */
export function setupFuncEntry(
  env: VerifierEnv,
  subprog: number,
  callsite: number,
  setState: SetCalleeState,
  state: VerifierState,
): number {
  const depth = state.curframe + 1;
  if (depth >= MAX_CALL_FRAMES) {
    env.log.write(`the call stack of ${depth + 1} frames is too deep\n`);
    return -ERRNO.E2BIG;
  }
  const callee = newFrame(env, callsite, depth, subprog);
  const err = setState(env, state.frame[state.curframe], callee, callsite);
  if (err !== 0) return err;
  state.frame[depth] = callee;
  state.curframe = depth;
  return 0;
}

/**
 * A helper or kernel function was handed function `subprog` to call. Puts the path into it aside; the current one goes
 * on as if it were never called.
 */
export function pushCallbackCall(
  env: VerifierEnv,
  insn: Insn,
  insnIdx: number,
  subprog: number,
  setState: SetCalleeState,
): number {
  const caller = env.state.cur;
  let err = checkSubprogCall(env, subprog, caller.regs);
  if (err === -ERRNO.EFAULT) return err;
  const info = env.subprogs[subprog];
  info.isCb = true;
  const async = callsAsyncCallback(env, insn);
  if (!async && !callsSyncCallback(env, insn)) {
    return verifierBug(env, `call of insn ${insnIdx} not marked as callback-calling`);
  }
  if (async) {
    info.isAsyncCb = true;
    const later = pushAsyncCallback(env, info.start, insnIdx, subprog, asyncCallbackSleeps(env, insn));
    if (later === undefined) return -ERRNO.EFAULT;
    const callee = later.frame[0];
    callee.asyncEntryCnt = caller.asyncEntryCnt + 1;
    return setState(env, caller, callee, insnIdx);
  }
  const callback = pushStack(env, info.start, insnIdx, false);
  if (callback === undefined) return -ERRNO.ENOMEM;
  err = setupFuncEntry(env, subprog, insnIdx, setState, callback);
  if (err !== 0) return err;
  callback.callbackUnrollDepth++;
  callback.frame[callback.curframe - 1].callbackDepth++;
  caller.callbackDepth = 0;
  return 0;
}

/** A global function is not entered: it is verified on its own, so only the call is checked. */
function callGlobal(env: VerifierEnv, subprog: number, mismatch: number): number {
  const { state, log } = env;
  const info = env.subprogs[subprog];
  const name = subprogName(env, subprog);
  if (state.activeLocks !== 0) {
    log.write('global function calls are not allowed while holding a lock,\nuse static function instead\n');
    return -ERRNO.EINVAL;
  }
  const atomic = state.activeRcuLock || state.activePreemptLocks !== 0 || state.activeIrqId !== 0;
  if (info.mightSleep && (atomic || !inSleepable(env))) {
    log.write(
      'global functions that may sleep are not allowed in non-sleepable context,\n' +
        'i.e., in a RCU/IRQ/preempt-disabled section, or in\na non-sleepable BPF program context\n',
    );
    return -ERRNO.EINVAL;
  }
  if (mismatch !== 0) {
    log.write(`Caller passes invalid args into func#${subprog} ('${name}')\n`);
    return mismatch;
  }
  log.write(`Func#${subprog} ('${name}') is global and assumed valid.\n`);
  if (info.changesPktData) clearAllPktPointers(env);
  info.called = true;
  const { regs } = state.cur;
  clearCallerSavedRegs(env, regs);
  markRegUnknown(env, regs[0]);
  regs[0].subregDef = DEF_NOT_SUBREG;
  return 0;
}

/** The pseudo call at env.insnIdx: env.insnIdx becomes the instruction before the one to go on with. */
export function checkFuncCall(env: VerifierEnv, insn: Insn): number {
  const { state, log } = env;
  const target = env.insnIdx + insn.imm + 1;
  const subprog = findSubprog(env, target);
  if (subprog < 0) {
    return verifierBug(env, `target of func call at insn ${target} is not a program`, 'subprog < 0');
  }
  const caller = state.cur;
  let err = checkSubprogCall(env, subprog, caller.regs);
  if (err === -ERRNO.EFAULT) return err;
  if (subprogIsGlobal(env, subprog)) return callGlobal(env, subprog, err);

  err = setupFuncEntry(env, subprog, env.insnIdx, setCalleeState, state);
  if (err !== 0) return err;
  clearCallerSavedRegs(env, caller.regs);
  env.insnIdx = env.subprogs[subprog].start - 1;
  resetLiveStackCallchain(env);
  if (log.wants(LOG.ANY_PATH)) {
    log.append('caller:\n');
    printVerifierState(env, state, caller.frameno, true);
    log.append('callee:\n');
    printVerifierState(env, state, state.curframe, true);
  }
  return 0;
}

/** What a callback returns is used, so it must be known and in range. */
function checkCallbackReturn(env: VerifierEnv, r0: RegState, range: RetvalRange, callsite: number): number {
  if (r0.type !== REG.SCALAR) {
    env.log.write('R0 not a scalar value\n');
    return -ERRNO.EACCES;
  }
  const err = markChainPrecision(env, 0);
  if (err !== 0) return err;
  if (!retvalWithin(range, r0, false)) {
    verboseInvalidScalar(env, r0, range, 'At callback return', 'R0');
    return -ERRNO.EINVAL;
  }
  if (!env.aux[callsite].callsCallback) {
    return verifierBug(env, `in callback at ${env.insnIdx}, callsite ${callsite} !calls_callback`);
  }
  return 0;
}

/** The exit of a function that was called: env.insnIdx becomes the instruction to go on with. */
export function prepareFuncExit(env: VerifierEnv): number {
  const { state, log } = env;
  updateLiveStack(env);
  const callee = state.cur;
  const caller = state.frame[state.curframe - 1];
  const r0 = callee.regs[0];
  if (r0.type === REG.STACK) {
    log.write('cannot return stack pointer to the caller\n');
    return -ERRNO.EINVAL;
  }
  const { inCallbackFn, callsite } = callee;
  if (inCallbackFn) {
    const err = checkCallbackReturn(env, r0, callee.callbackRetRange, callsite);
    if (err !== 0) return err;
  } else {
    caller.regs[0].copy(r0);
  }
  // A callback goes back to the call, which may run it again.
  env.insnIdx = inCallbackFn ? callsite : callsite + 1;
  if (log.wants(LOG.ANY_PATH)) {
    log.append('returning from callee:\n');
    printVerifierState(env, state, callee.frameno, true);
    log.append(`to caller at ${env.insnIdx}:\n`);
    printVerifierState(env, state, caller.frameno, true);
  }
  state.frame.length = state.curframe;
  state.curframe--;
  const previous = inCallbackFn ? findPrevEntry(env, state, env.insnIdx) : undefined;
  if (previous !== undefined) widenImpreciseScalars(env, previous, state);
  return 0;
}
