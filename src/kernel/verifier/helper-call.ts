// Calls of helper functions. Rule: check_helper_call, verifier.c, 6.18.
import { BTF_KIND } from '../../btf/btf.ts';
import { ERRNO } from '../../errno.ts';
import type { Insn } from '../../isa/insn.ts';
import { ATTACH_TYPE, HELPER, HELPERS, PROG_TYPE } from '../../isa/uapi.ts';
import { PACKET_CHANGING } from '../helpers/index.ts';
import { helperProto } from '../program-types/helper-lookup.ts';
import { noteCallKey, noteCallMap, noteLoopInline } from './call-aux.ts';
import { CallMeta } from './call-meta.ts';
import {
  type SetCalleeState,
  setFindVmaCallbackState,
  setLoopCallbackState,
  setMapElemCallbackState,
  setTimerCallbackState,
  setUserRingbufCallbackState,
} from './callbacks.ts';
import { clearAllPktPointers, clearCallerSavedRegs, prepareFuncExit, pushCallbackCall } from './calls.ts';
import { checkSnprintf } from './const-string.ts';
import { inRcuCs, inSleepable } from './context-state.ts';
import { dynptrId, dynptrRefObjId, dynptrTypeOf, isDynptrArg, releaseDynptr } from './dynptr.ts';
import { forEachReg } from './each-reg.ts';
import type { VerifierEnv } from './env.ts';
import { isHelperAllowed } from './helper-allowed.ts';
import { checkFuncArg } from './helper-args.ts';
import { ARG, type HelperProto } from './helper-proto.ts';
import { setHelperResult } from './helper-result.ts';
import { LOG } from './log.ts';
import { checkMapFuncCompatibility, helperText } from './map-func.ts';
import { checkMemAccess } from './mem-access.ts';
import { pushStack } from './path.ts';
import { markChainPrecision } from './precision.ts';
import { markRegScratched } from './print-state.ts';
import { checkResourceLeak, releaseReference, releaseReferenceNoMark } from './references.ts';
import { DEF_NOT_SUBREG } from './reg-access.ts';
import { regTypeStr } from './reg-names.ts';
import { markRegInvalid, markRegUnknown, regIsNull } from './scalar-marks.ts';
import { baseType, DYNPTR, FLAG, REG, type RegState } from './types.ts';
import { verifierBug } from './verifier-bug.ts';

const MAX_ARGS = 5;

const STORAGE_GET: ReadonlySet<number> = new Set([
  HELPER.sk_storage_get,
  HELPER.inode_storage_get,
  HELPER.task_storage_get,
  HELPER.cgrp_storage_get,
]);

/** Callbacks that these helpers run; bpf_loop is apart. */
const CALLBACKS: Readonly<Record<number, SetCalleeState>> = {
  [HELPER.for_each_map_elem]: setMapElemCallbackState,
  [HELPER.timer_set_callback]: setTimerCallbackState,
  [HELPER.find_vma]: setFindVmaCallbackState,
  [HELPER.user_ringbuf_drain]: setUserRingbufCallbackState,
};

const nameOf = (id: number): string => `${helperText(id)}#${id}`;

/** Finds the prototype and what forbids the call altogether. */
function findProto(env: VerifierEnv, id: number): HelperProto | number {
  const { log } = env;
  const refuse = (text: string): number => {
    log.write(`${text}\n`);
    return -ERRNO.EINVAL;
  };
  if (id < 0 || id >= HELPERS.length) return refuse(`invalid func ${nameOf(id)}`);
  const proto = helperProto(env, id);
  if (proto === undefined) return refuse(`program of this type cannot use helper ${nameOf(id)}`);
  if (!env.request.gplCompatible && proto.gpl) {
    return refuse('cannot call GPL-restricted function from non-GPL compatible program');
  }
  if (proto.allowed !== undefined && !isHelperAllowed(env, proto.allowed)) {
    return refuse('helper call is not allowed in probe');
  }
  if (!inSleepable(env) && proto.sleeps) return refuse('helper call might sleep in a non-sleepable prog');
  return proto;
}

/** A section in which nothing may sleep refuses such helpers and makes local storage allocate without sleeping. */
function checkAtomicSections(env: VerifierEnv, id: number, proto: HelperProto, insnIdx: number): number {
  const { state, log } = env;
  const sections: readonly (readonly [boolean, string])[] = [
    [state.activeRcuLock, 'rcu_read_lock region'],
    [state.activePreemptLocks !== 0, 'non-preemptible region'],
    [state.activeIrqId !== 0, 'IRQ-disabled region'],
  ];
  let atomic = !inSleepable(env);
  for (const [active, name] of sections) {
    if (!active) continue;
    if (proto.sleeps) {
      log.write(`sleepable helper ${nameOf(id)} in ${name}\n`);
      return -ERRNO.EINVAL;
    }
    atomic = true;
  }
  if (atomic && STORAGE_GET.has(id)) env.aux[insnIdx].storageGetFuncAtomic = true;
  return 0;
}

/** A kptr that has been put into a map: copies are RCU protected if the object is per CPU, else void. */
function releaseIntoKptr(env: VerifierEnv, refObjId: number): number {
  const rcu = inRcuCs(env);
  const err = releaseReferenceNoMark(env.state, refObjId);
  if (err !== 0) return err;
  const percpu = FLAG.ALLOC | FLAG.PERCPU;
  forEachReg(env.state, (reg) => {
    if (reg.refObjId !== refObjId) return;
    if (rcu && (reg.type & percpu) === percpu) {
      reg.refObjId = 0;
      reg.type = (reg.type & ~FLAG.ALLOC) | FLAG.RCU;
    } else {
      markRegInvalid(env, reg);
    }
  });
  return 0;
}

function releaseArg(env: VerifierEnv, id: number, proto: HelperProto, meta: CallMeta): number {
  const reg = env.regs[meta.releaseRegno];
  let err: number = -ERRNO.EINVAL;
  if (isDynptrArg(proto.args[meta.releaseRegno - 1].type)) {
    if (reg.type === REG.CONST_DYNPTR) return verifierBug(env, 'CONST_PTR_TO_DYNPTR cannot be released');
    err = releaseDynptr(env, reg);
  } else if (id === HELPER.kptr_xchg && meta.refObjId !== 0) {
    err = releaseIntoKptr(env, meta.refObjId);
  } else if (meta.refObjId !== 0) {
    err = releaseReference(env, meta.refObjId);
  } else if (regIsNull(reg)) {
    err = 0;
  }
  if (err !== 0) env.log.write(`func ${nameOf(id)} reference has not been acquired before\n`);
  return err;
}

function callLoop(env: VerifierEnv, insn: Insn, insnIdx: number, subprogno: number): number {
  noteLoopInline(env, subprogno);
  const err = markChainPrecision(env, 1);
  if (err !== 0) return err;
  const caller = env.state.cur;
  if (BigInt(caller.callbackDepth) < env.regs[1].umax) {
    return pushCallbackCall(env, insn, insnIdx, subprogno, setLoopCallbackState);
  }
  caller.callbackDepth = 0;
  if (env.log.wants(LOG.INSNS)) {
    env.log.write(`frame${env.state.curframe} bpf_loop iteration limit reached\n`);
  }
  return 0;
}

function dynptrArg(env: VerifierEnv, proto: HelperProto): RegState | undefined {
  const index = proto.args.findIndex((arg) => baseType(arg.type) === ARG.DYNPTR);
  if (index >= 0) return env.regs[index + 1];
  env.log.write('verifier internal error: no dynptr arg found\n');
  return undefined;
}

function noteDynptrData(env: VerifierEnv, proto: HelperProto, meta: CallMeta): number {
  const reg = dynptrArg(env, proto);
  if (reg === undefined) return -ERRNO.EFAULT;
  if (meta.dynptrId !== 0) return verifierBug(env, 'meta.dynptr_id already set');
  if (meta.refObjId !== 0) return verifierBug(env, 'meta.ref_obj_id already set');
  const id = dynptrId(env, reg);
  const refObjId = dynptrRefObjId(env, reg);
  if (id < 0 || refObjId < 0) {
    verifierBug(env, `failed to obtain dynptr ${id < 0 ? 'id' : 'ref_obj_id'}`);
    return id < 0 ? id : refObjId;
  }
  meta.dynptrId = id;
  meta.refObjId = refObjId;
  return 0;
}

/** What came out of the checks that only some helpers have. */
interface Special {
  changesPacket: boolean;
  /** The pointer that is returned is one CPU's part of an allocated object. */
  percpuObject: boolean;
}

function checkPercpuPtr(env: VerifierEnv, insnIdx: number, special: Special): number {
  const reg = env.regs[1];
  if ((reg.type & FLAG.RCU) === 0) return 0;
  const kind = reg.btf?.kind(reg.btfId);
  if (kind !== BTF_KIND.STRUCT && kind !== BTF_KIND.UNION) {
    env.log.write('Helper has invalid btf/btf_id in R1\n');
    return -ERRNO.EFAULT;
  }
  special.percpuObject = true;
  env.aux[insnIdx].callWithPercpuAllocPtr = true;
  return 0;
}

function checkSpecial(
  env: VerifierEnv,
  insn: Insn,
  insnIdx: number,
  proto: HelperProto,
  meta: CallMeta,
  special: Special,
): number {
  const { log, regs } = env;
  const callback = CALLBACKS[insn.imm];
  if (callback) return pushCallbackCall(env, insn, insnIdx, meta.subprogno, callback);
  switch (insn.imm) {
    case HELPER.tail_call:
      return checkResourceLeak(env, false, true, 'tail_call');
    case HELPER.get_local_storage:
      if (regIsNull(regs[2])) return 0;
      log.write("get_local_storage() doesn't support non-zero flags\n");
      return -ERRNO.EINVAL;
    case HELPER.snprintf:
      return checkSnprintf(env);
    case HELPER.loop:
      return callLoop(env, insn, insnIdx, meta.subprogno);
    case HELPER.dynptr_from_mem:
      if (regs[1].type === REG.MAP_VALUE) return 0;
      log.write(`Unsupported reg type ${regTypeStr(regs[1].type)} for bpf_dynptr_from_mem data\n`);
      return -ERRNO.EACCES;
    case HELPER.set_retval: {
      const { attach } = env;
      const toLsmCgroup = env.progType === PROG_TYPE.lsm && env.expectedAttachType === ATTACH_TYPE.lsm_cgroup;
      if (!toLsmCgroup || attach.btf?.type(attach.funcProto) !== 0) return 0;
      log.write("BPF_LSM_CGROUP that attach to void LSM hooks can't modify return value!\n");
      return -ERRNO.EINVAL;
    }
    case HELPER.dynptr_data:
      return noteDynptrData(env, proto, meta);
    case HELPER.dynptr_write: {
      const reg = dynptrArg(env, proto);
      const type = reg === undefined ? DYNPTR.INVALID : dynptrTypeOf(env, reg);
      if (type === DYNPTR.INVALID) return -ERRNO.EFAULT;
      if (type === DYNPTR.SKB || type === DYNPTR.SKB_META) special.changesPacket = true;
      return 0;
    }
    case HELPER.per_cpu_ptr:
    case HELPER.this_cpu_ptr:
      return checkPercpuPtr(env, insnIdx, special);
    default:
      return 0;
  }
}

function checkFuncIp(env: VerifierEnv): number {
  const id = HELPER.get_func_ip;
  if (env.progType === PROG_TYPE.kprobe) return 0;
  if (env.progType === PROG_TYPE.tracing) {
    const at = env.expectedAttachType;
    const { trace_fentry, trace_fexit, modify_return } = ATTACH_TYPE;
    if (at === trace_fentry || at === trace_fexit || at === modify_return) return 0;
    env.log.write(`func ${nameOf(id)} supported only for fentry/fexit/fmod_ret programs\n`);
  } else {
    env.log.write(`func ${nameOf(id)} not supported for program type ${env.progType}\n`);
  }
  return -ERRNO.ENOTSUPP;
}

/** A tail call in a called function: either it fails and the path goes on, or the function ends with its result. */
function tailCallInSubprog(env: VerifierEnv): number {
  const { regs } = env;
  markRegScratched(env, 0);
  // That too many paths wait is reported by the next one that is put aside.
  pushStack(env, env.insnIdx + 1, env.insnIdx, false);
  clearAllPktPointers(env);
  markRegUnknown(env, regs[0]);
  const err = prepareFuncExit(env);
  if (err !== 0) return err;
  env.insnIdx--;
  return 0;
}

/** Notes that concern the whole program. */
function noteProgram(env: VerifierEnv, id: number): number {
  if (id === HELPER.get_stack || id === HELPER.get_task_stack) env.progFlags.add('has_callchain_buf');
  if (id === HELPER.get_stackid || id === HELPER.get_stack) env.progFlags.add('call_get_stack');
  if (id !== HELPER.get_func_ip) return 0;
  const err = checkFuncIp(env);
  if (err === 0) env.progFlags.add('call_get_func_ip');
  return err;
}

/** The helper call at env.insnIdx. 0 or a negative errno with a message; a tail call may move env.insnIdx. */
export function checkHelperCall(env: VerifierEnv, insn: Insn): number {
  const id = insn.imm;
  const { insnIdx } = env;
  const proto = findProto(env, id);
  if (typeof proto === 'number') return proto;
  const special: Special = { changesPacket: PACKET_CHANGING.has(HELPERS[id]), percpuObject: false };
  if (special.changesPacket && proto.args[0]?.type !== ARG.CTX)
    return verifierBug(env, `func ${nameOf(id)}: r1 != ctx`);
  let err = checkAtomicSections(env, id, proto, insnIdx);
  if (err !== 0) return err;

  const meta = new CallMeta();
  meta.pktAccess = proto.packet === true;
  meta.funcId = id;
  for (let i = 0; i < MAX_ARGS; i++) {
    err = checkFuncArg(env, i, meta, proto, insnIdx);
    if (err !== 0) return err;
  }
  err = noteCallMap(env, meta.map, id, insnIdx) || noteCallKey(env, meta.map, id, insnIdx);
  if (err !== 0) return err;
  for (let i = 0; i < meta.accessSize; i++) {
    err = checkMemAccess(env, insnIdx, meta.regno, i, 1, 'write', -1, false, false);
    if (err !== 0) return err;
  }
  if (meta.releaseRegno !== 0) {
    err = releaseArg(env, id, proto, meta);
    if (err !== 0) return err;
  }
  err = checkSpecial(env, insn, insnIdx, proto, meta, special);
  if (err !== 0) return err;

  const { regs } = env;
  clearCallerSavedRegs(env, regs);
  regs[0].subregDef = DEF_NOT_SUBREG;
  err = setHelperResult(env, id, proto, meta, insnIdx, special.percpuObject);
  if (err !== 0) return err;
  err = checkMapFuncCompatibility(env, meta.map, id);
  if (err !== 0) return err;
  err = noteProgram(env, id);
  if (err !== 0) return err;
  if (id === HELPER.tail_call) {
    if (env.state.curframe === 0) special.changesPacket = false;
    else {
      err = tailCallInSubprog(env);
      if (err !== 0) return err;
    }
  }
  if (special.changesPacket) clearAllPktPointers(env);
  return 0;
}
