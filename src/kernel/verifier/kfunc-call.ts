// Calls of kernel functions. Rule: check_kfunc_call, verifier.c, 6.18.
import { BTF_KIND } from '../../btf/btf.ts';
import { ERRNO } from '../../errno.ts';
import type { Insn } from '../../isa/insn.ts';
import { KF } from '../kfuncs/index.ts';
import { narrowToS32Range } from './bounds-sync.ts';
import {
  type SetCalleeState,
  setRbtreeAddCallbackState,
  setTaskWorkCallbackState,
  setTimerCallbackState,
} from './callbacks.ts';
import { clearAllPktPointers, pushCallbackCall } from './calls.ts';
import { inRcuCs, inSleepable } from './context-state.ts';
import { forEachReg } from './each-reg.ts';
import type { VerifierEnv } from './env.ts';
import { inRbtreeCallback, refConvertToNonOwning } from './graph-refs.ts';
import { processIterNext } from './iterator.ts';
import { checkKfuncArgs } from './kfunc-args.ts';
import { type KfuncFacts, kfuncFacts, kfuncName } from './kfunc-facts.ts';
import { KfuncMeta } from './kfunc-meta.ts';
import { noteStructMeta, setKfuncResult } from './kfunc-result.ts';
import { pushStack } from './path.ts';
import { releaseReference } from './references.ts';
import { markInsnZext } from './reg-access.ts';
import { checkReturnCode } from './return-code.ts';
import { markRegNotInit, markRegUnknown } from './scalar-marks.ts';
import type { SpecialKfunc } from './special-kfuncs.ts';
import { FLAG, type InsnAux, type RegState, SLOT } from './types.ts';

const MAX_ERRNO = 4095;

const CALLBACKS: Readonly<Partial<Record<SpecialKfunc, SetCalleeState>>> = {
  bpf_rbtree_add_impl: setRbtreeAddCallbackState,
  bpf_wq_set_callback_impl: setTimerCallbackState,
  bpf_task_work_schedule_signal_impl: setTaskWorkCallbackState,
  bpf_task_work_schedule_resume_impl: setTaskWorkCallbackState,
};

/** These hand a node over to a list or tree. */
const INSERTS: ReadonlySet<string> = new Set([
  'bpf_list_push_front_impl',
  'bpf_list_push_back_impl',
  'bpf_rbtree_add_impl',
]);

function refuse(env: VerifierEnv, text: string, errno: number): number {
  env.log.write(`${text}\n`);
  return -errno;
}

/** A resilient lock may fail: a path with its error goes on apart, the current one has the lock. */
function forkLockFailure(env: VerifierEnv): number {
  const branch = pushStack(env, env.insnIdx + 1, env.insnIdx, false);
  if (branch === undefined) {
    return refuse(env, 'failed to push state for failed lock acquisition', ERRNO.ENOMEM);
  }
  for (let i = 0; i <= 5; i++) markRegNotInit(env, branch.cur.ownReg(i));
  const r0 = branch.cur.ownReg(0);
  markRegUnknown(env, r0);
  const err = narrowToS32Range(env, r0, -MAX_ERRNO, -1);
  if (err !== 0) {
    env.log.write('failed to mark s32 range for retval in forked state for lock\n');
    return err;
  }
  r0.subregDef = env.insnIdx + 1;
  return 0;
}

function checkBefore(env: VerifierEnv, { special, name, sleepable, flags }: KfuncFacts): number {
  if (special === 'bpf_res_spin_lock' || special === 'bpf_res_spin_lock_irqsave') {
    const err = forkLockFailure(env);
    if (err !== 0) return err;
  } else if (special === '__bpf_trap') {
    return refuse(env, 'unexpected __bpf_trap() due to uninitialized variable?', ERRNO.EFAULT);
  }
  if ((flags & KF.DESTRUCTIVE) !== 0 && !env.request.caps.sysAdmin) {
    return refuse(env, 'destructive kfunc calls require CAP_SYS_BOOT capability', ERRNO.EACCES);
  }
  if (sleepable && !inSleepable(env)) {
    return refuse(env, `program must be sleepable to call sleepable kfunc ${name}`, ERRNO.EACCES);
  }
  return 0;
}

/** Pointers that RCU protected are untrusted once its section ends. */
function leaveRcu(env: VerifierEnv): void {
  const expire = (reg: RegState): void => {
    if ((reg.type & FLAG.RCU) !== 0) reg.type = (reg.type & ~(FLAG.RCU | FLAG.MAYBE_NULL)) | FLAG.UNTRUSTED;
  };
  const { state } = env;
  forEachReg(state, expire);
  for (let f = 0; f <= state.curframe; f++) {
    for (const slot of state.frame[f].stack) if (slot.types[7] === SLOT.ITER) expire(slot.spilled);
  }
  state.activeRcuLock = false;
}

function checkRcu(env: VerifierEnv, { special, name, sleepable }: KfuncFacts): number {
  const { state } = env;
  const lock = special === 'bpf_rcu_read_lock';
  const unlock = special === 'bpf_rcu_read_unlock';
  if (!state.activeRcuLock) {
    if (lock) state.activeRcuLock = true;
    else if (unlock) return refuse(env, `unmatched rcu read unlock (kernel function ${name})`, ERRNO.EINVAL);
    return 0;
  }
  if (inRbtreeCallback(env) && (lock || unlock)) {
    return refuse(env, 'Calling bpf_rcu_read_{lock,unlock} in unnecessary rbtree callback', ERRNO.EACCES);
  }
  if (lock) return refuse(env, `nested rcu read lock (kernel function ${name})`, ERRNO.EINVAL);
  if (unlock) leaveRcu(env);
  else if (sleepable) return refuse(env, `kernel func ${name} is sleepable within rcu_read_lock region`, ERRNO.EACCES);
  return 0;
}

function checkPreempt(env: VerifierEnv, { special, name, sleepable }: KfuncFacts): number {
  const { state } = env;
  const disable = special === 'bpf_preempt_disable';
  const enable = special === 'bpf_preempt_enable';
  if (disable) {
    state.activePreemptLocks++;
  } else if (state.activePreemptLocks === 0) {
    if (enable) return refuse(env, `unmatched attempt to enable preemption (kernel function ${name})`, ERRNO.EINVAL);
  } else if (enable) {
    state.activePreemptLocks--;
  } else if (sleepable) {
    return refuse(env, `kernel func ${name} is sleepable within non-preemptible region`, ERRNO.EACCES);
  }
  return 0;
}

function checkSections(env: VerifierEnv, facts: KfuncFacts): number {
  const err = checkRcu(env, facts) || checkPreempt(env, facts);
  if (err !== 0) return err;
  if (env.state.activeIrqId !== 0 && facts.sleepable) {
    return refuse(env, `kernel func ${facts.name} is sleepable within IRQ-disabled region`, ERRNO.EACCES);
  }
  if ((facts.flags & KF.RCU_PROTECTED) !== 0 && !inRcuCs(env)) {
    return refuse(env, `kernel func ${facts.name} requires RCU critical section protection`, ERRNO.EACCES);
  }
  return 0;
}

function releaseArg(env: VerifierEnv, regno: number, { name, funcId }: KfuncFacts): number {
  const err = releaseReference(env, env.regs[regno].refObjId);
  if (err !== 0) env.log.write(`kfunc ${name}#${funcId} reference has not been acquired before\n`);
  return err;
}

/** The node in R2 belongs to the list or tree from now on. */
function insertNode(env: VerifierEnv, meta: KfuncMeta, aux: InsnAux): number {
  const { name, funcId } = meta.facts;
  const node = env.regs[2];
  const { refObjId } = node;
  aux.insertOff = node.off;
  noteStructMeta(env, aux, meta.argBtf, meta.argBtfId);
  let err = refConvertToNonOwning(env, refObjId);
  if (err !== 0) {
    env.log.write(`kfunc ${name}#${funcId} conversion of owning ref to non-owning failed\n`);
    return err;
  }
  err = releaseReference(env, refObjId);
  if (err !== 0) env.log.write(`kfunc ${name}#${funcId} reference has not been acquired before\n`);
  return err;
}

function callThrow(env: VerifierEnv): number {
  env.seenException = true;
  if (env.exceptionCallbackSubprog !== 0) return 0;
  // The default callback returns the cookie as the program's own value.
  return Math.min(checkReturnCode(env, 1, 'R1'), 0);
}

/** Bytes of an argument: whether the whole register was used. */
function markArgSizes(env: VerifierEnv, { btf, proto, params }: KfuncFacts): void {
  for (let i = 0; i < params; i++) {
    const type = btf.skipModsAndTypedefs(btf.paramType(proto, i));
    const size = btf.kind(type) === BTF_KIND.PTR ? 8 : btf.size(type);
    if (size === 8) markInsnZext(env, env.regs[i + 1]);
  }
}

/** The call at env.insnIdx. 0 or a negative errno with a message. */
export function checkKfuncCall(env: VerifierEnv, insn: Insn): number {
  const { insnIdx } = env;
  // A call of nothing is an error only if it is still there when dead code has gone.
  if (insn.imm === 0) return 0;
  const facts = kfuncFacts(env, insn);
  if (facts === undefined) {
    const name = kfuncName(env, insn.imm);
    return refuse(env, `calling kernel function ${name ?? ''} is not allowed`, ERRNO.EACCES);
  }
  const aux = env.aux[insnIdx];
  aux.isIterNext = facts.iterNext;
  const meta = new KfuncMeta(facts);
  let err = checkBefore(env, facts) || checkKfuncArgs(env, meta, insnIdx);
  if (err < 0) return err;

  if (facts.special === 'bpf_session_cookie') {
    meta.r0Size = 8;
    meta.r0Rdonly = false;
  }
  const callback = facts.special === undefined ? undefined : CALLBACKS[facts.special];
  if (callback) {
    err = pushCallbackCall(env, insn, insnIdx, meta.subprogno, callback);
    if (err !== 0) {
      env.log.write(`kfunc ${facts.name}#${facts.funcId} failed callback verification\n`);
      return err;
    }
  }
  err = checkSections(env, facts);
  if (err === 0 && meta.releaseRegno !== 0) err = releaseArg(env, meta.releaseRegno, facts);
  if (err === 0 && INSERTS.has(facts.name)) err = insertNode(env, meta, aux);
  if (err === 0 && facts.special === 'bpf_throw') err = callThrow(env);
  if (err !== 0) return err;

  const { regs } = env;
  for (let i = 0; i <= 5; i++) markRegNotInit(env, regs[i]);
  err = setKfuncResult(env, meta, aux, insnIdx);
  if (err !== 0) return err;
  if (facts.changesPacket) clearAllPktPointers(env);
  markArgSizes(env, facts);
  return facts.iterNext ? processIterNext(env, insnIdx, meta) : 0;
}
