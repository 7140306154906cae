// Arguments of kernel functions. Rule: check_kfunc_args, verifier.c, 6.18.
import { BTF_KIND, type Btf } from '../../btf/btf.ts';
import { ERRNO } from '../../errno.ts';
import { ATTACH_TYPE, PROG_TYPE } from '../../isa/uapi.ts';
import { KF } from '../kfuncs/index.ts';
import { btfStructsMatch } from './btf-walk.ts';
import { checkConstString } from './const-string.ts';
import { inSleepable } from './context-state.ts';
import { dynptrFlag, dynptrId, dynptrIsRefcounted, dynptrRefObjId, dynptrTypeOf, processDynptrArg } from './dynptr.ts';
import type { VerifierEnv } from './env.ts';
import { kindText } from './func-proto.ts';
import { checkFuncArgRegOff } from './helper-args.ts';
import { checkKfuncMemSizeReg, checkMemReg } from './helper-mem.ts';
import { ARG } from './helper-proto.ts';
import { processIrqFlag } from './irq-flag.ts';
import { processIterArg } from './iterator.ts';
import { processGraphNode, processGraphRoot } from './kfunc-graph.ts';
import type { KfuncMeta } from './kfunc-meta.ts';
import {
  hasSuffix,
  isScalarType,
  isSizeParam,
  type Pointee,
  type PointerParam,
  pointerParam,
  REG_STRUCTS,
} from './kfunc-params.ts';
import { processSpinLock } from './locks.ts';
import { processMapField } from './map-field-args.ts';
import {
  hasUnsafeModifiers,
  isNonOwningRef,
  isPtrAllocObj,
  isRcuReg,
  isTrustedReg,
  TRUSTED_MODIFIERS,
} from './pointer-kinds.ts';
import { markChainPrecision } from './precision.ts';
import { kernelContextType } from './prog-ctx-type.ts';
import { regTypeStr } from './reg-names.ts';
import { regIsNull } from './scalar-marks.ts';
import { hasField, regRecord } from './special-fields.ts';
import { baseType, DYNPTR, FLAG, mayBeNull, REG, type RegState } from './types.ts';
import { verifierBug } from './verifier-bug.ts';

const MAX_ARGS = 5;
const OWNED = REG.BTF_ID | FLAG.ALLOC;
const OWNED_PERCPU = OWNED | FLAG.PERCPU;

/** Types that stand for the same object under another name end so. */
const NOCAST = '___init';

function refuse(env: VerifierEnv, text: string, errno: number = ERRNO.EINVAL): number {
  env.log.write(`${text}\n`);
  return -errno;
}

/** A number; some are sizes or constants that the result depends on. */
function scalarArg(env: VerifierEnv, index: number, meta: KfuncMeta): number {
  const { btf, proto } = meta.facts;
  const regno = index + 1;
  const reg = env.regs[regno];
  if (reg.type !== REG.SCALAR) return refuse(env, `R${regno} is not a scalar`);
  const known = reg.varOff.mask === 0n;
  if (hasSuffix(btf, proto, index, '__k')) {
    if (meta.argConstant !== undefined) return verifierBug(env, 'only one constant argument permitted');
    if (!known) return refuse(env, `R${regno} must be a known constant`);
    const err = markChainPrecision(env, regno);
    if (err < 0) return err;
    meta.argConstant = reg.varOff.value;
    return 0;
  }
  const name = btf.paramName(proto, index);
  if (name !== 'rdonly_buf_size' && name !== 'rdwr_buf_size') return 0;
  if (name === 'rdonly_buf_size') meta.r0Rdonly = true;
  if (meta.r0Size !== 0) {
    env.log.write('2 or more rdonly/rdwr_buf_size parameters for kfunc');
    return -ERRNO.EINVAL;
  }
  if (!known) return refuse(env, `R${regno} is not a const`);
  meta.r0Size = Number(reg.varOff.value);
  return markChainPrecision(env, regno);
}

/** The map of a work queue or task work, handed over beside it. */
function noteMap(env: VerifierEnv, regno: number, meta: KfuncMeta): number {
  const reg = env.regs[regno];
  if (reg.map === undefined) {
    // A pointer to a kernel struct is judged by its type further on.
    return reg.btf === undefined ? refuse(env, `pointer in R${regno} isn't map pointer`) : 0;
  }
  const work = hasField(reg.map.record, 'bpf_task_work');
  // Linux 6.18.44 looks for the fields of a map that has none at a bad address and dies of it: refused here.
  const looked = work || hasField(reg.map.record, 'bpf_wq') || !reg.map.record?.fields.length;
  if (meta.map !== undefined && looked) {
    if (meta.map !== reg.map || meta.mapUid !== reg.mapUid) {
      return refuse(
        env,
        work
          ? `bpf_task_work pointer in R2 map_uid=${meta.mapUid} doesn't match map pointer in R3 map_uid=${reg.mapUid}`
          : `workqueue pointer in R1 map_uid=${meta.mapUid} doesn't match map pointer in R2 map_uid=${reg.mapUid}`,
      );
    }
  }
  meta.map = reg.map;
  meta.mapUid = reg.mapUid;
  return 0;
}

/** Functions that ask for it get only objects that cannot go away. */
function checkTrust(env: VerifierEnv, regno: number, meta: KfuncMeta): number {
  const reg = env.regs[regno];
  const rcu = meta.has(KF.RCU);
  if ((!meta.wantsTrusted && !rcu) || isTrustedReg(reg)) return 0;
  if (!rcu) return refuse(env, `R${regno} must be referenced or trusted`);
  return isRcuReg(reg) ? 0 : refuse(env, `R${regno} must be a rcu pointer`);
}

function contextArg(env: VerifierEnv, index: number, reg: RegState, meta: KfuncMeta): number {
  if (reg.type !== REG.CTX) return refuse(env, `arg#${index} expected pointer to ctx, but got ${regTypeStr(reg.type)}`);
  if (meta.facts.special !== 'bpf_cast_to_kern_ctx') return 0;
  const kernel = env.image.btf();
  const id = kernelContextType(kernel, env.progType);
  const kind = kernel.kind(id);
  if (kind !== BTF_KIND.STRUCT && kind !== BTF_KIND.UNION) {
    return refuse(env, `kern ctx type id ${id} is not a struct`);
  }
  meta.retBtfId = id;
  return 0;
}

function allocObjectArg(env: VerifierEnv, index: number, reg: RegState, meta: KfuncMeta): number {
  const { special } = meta.facts;
  if (reg.type === OWNED) {
    if (special !== 'bpf_obj_drop_impl') return refuse(env, `arg#${index} expected for bpf_obj_drop_impl()`);
  } else if (reg.type === OWNED_PERCPU) {
    if (special !== 'bpf_percpu_obj_drop_impl') {
      return refuse(env, `arg#${index} expected for bpf_percpu_obj_drop_impl()`);
    }
  } else {
    return refuse(env, `arg#${index} expected pointer to allocated object`);
  }
  if (reg.refObjId === 0) return refuse(env, 'allocated object must be referenced');
  meta.argBtf = reg.btf;
  meta.argBtfId = reg.btfId;
  return 0;
}

function dynptrArg(env: VerifierEnv, index: number, reg: RegState, meta: KfuncMeta, insnIdx: number): number {
  const { btf, proto, special } = meta.facts;
  const regno = index + 1;
  let argType: number = ARG.DYNPTR;
  let cloneRef = 0;
  if (reg.type === REG.CONST_DYNPTR) argType |= FLAG.RDONLY;
  const uninit = hasSuffix(btf, proto, index, '__uninit');
  if (uninit) argType |= FLAG.UNINIT;
  if (special === 'bpf_dynptr_from_skb') argType |= FLAG.DYNPTR_SKB;
  else if (special === 'bpf_dynptr_from_xdp') argType |= FLAG.DYNPTR_XDP;
  else if (special === 'bpf_dynptr_from_skb_meta') argType |= FLAG.DYNPTR_SKB_META;
  else if (special === 'bpf_dynptr_clone' && uninit) {
    const { type, refObjId } = meta.dynptr;
    if (type === DYNPTR.INVALID) return verifierBug(env, 'no dynptr type for parent of clone');
    argType |= dynptrFlag(type);
    cloneRef = refObjId;
    if (dynptrIsRefcounted(type) && cloneRef === 0) return verifierBug(env, 'missing ref obj id for parent of clone');
  }
  const err = processDynptrArg(env, regno, insnIdx, argType, cloneRef);
  if (err < 0 || uninit) return err;
  const id = dynptrId(env, reg);
  if (id < 0) {
    verifierBug(env, 'failed to obtain dynptr id');
    return id;
  }
  meta.dynptr = { id, type: dynptrTypeOf(env, reg), refObjId: dynptrRefObjId(env, reg) };
  return 0;
}

/** Iterators over tasks of control groups take a lock that only some programs may take. */
function mayIterateCssTasks(env: VerifierEnv): boolean {
  if (env.progType === PROG_TYPE.lsm) return true;
  if (env.progType === PROG_TYPE.tracing && env.expectedAttachType === ATTACH_TYPE.trace_iter) return true;
  return inSleepable(env);
}

function iterArg(env: VerifierEnv, regno: number, meta: KfuncMeta, insnIdx: number): number {
  if (meta.facts.special === 'bpf_iter_css_task_new' && !mayIterateCssTasks(env)) {
    return refuse(env, 'css_task_iter is only allowed in bpf_lsm, bpf_iter and sleepable progs');
  }
  return processIterArg(env, regno, insnIdx, meta);
}

/** Names that differ only by the suffix of types that must not be cast (btf_type_ids_nocast_alias). */
const isNocastAlias = (a: string, b: string): boolean => a === `${b}${NOCAST}` || b === `${a}${NOCAST}`;

const isProjection = (shown: string, own: string): boolean =>
  (shown === '__sk_buff' && own === 'sk_buff') || (shown === 'xdp_md' && own === 'xdp_buff');

/** Does the register lead to the struct `id` of the function's BTF? */
function checkStruct(env: VerifierEnv, index: number, reg: RegState, meta: KfuncMeta, id: number): number {
  const { btf, name } = meta.facts;
  const kernel = env.image.btf();
  const ownBtf: Btf = baseType(reg.type) === REG.BTF_ID && reg.btf !== undefined ? reg.btf : kernel;
  let ownId = reg.btfId;
  if (baseType(reg.type) !== REG.BTF_ID) ownId = kernel.find(REG_STRUCTS[baseType(reg.type)], BTF_KIND.STRUCT);
  const wanted = btf.name(id);
  const strict = (meta.releases && reg.refObjId !== 0) || isNocastAlias(ownBtf.name(ownId), wanted);
  ownId = ownBtf.skipModsAndTypedefs(ownId);
  const own = ownBtf.name(ownId);
  const same = btfStructsMatch(env.log, ownBtf, ownId, reg.off, btf, id, strict);
  if (same || isProjection(wanted, own)) return 0;
  return refuse(
    env,
    `kernel function ${name} args#${index} expected pointer to ${kindText(btf, id)} ${wanted} but R${index + 1} has a pointer to ${kindText(ownBtf, ownId)} ${own}`,
  );
}

function structArg(env: VerifierEnv, index: number, reg: RegState, meta: KfuncMeta, id: number): number {
  const isStruct = baseType(reg.type) === REG.BTF_ID && (!hasUnsafeModifiers(reg.type) || isRcuReg(reg));
  if (!isStruct && REG_STRUCTS[baseType(reg.type)] === undefined) {
    const wanted = regTypeStr(baseType(reg.type) | (reg.type & TRUSTED_MODIFIERS));
    env.log.append(`arg#${index} is ${regTypeStr(reg.type)} expected ${wanted} or socket\n`);
    return -ERRNO.EINVAL;
  }
  return checkStruct(env, index, reg, meta, id);
}

function memoryArg(env: VerifierEnv, index: number, reg: RegState, meta: KfuncMeta, id: number): number {
  const { btf } = meta.facts;
  const size = btf.resolveSize(id);
  if (size < 0) {
    const type = `${kindText(btf, id)} ${btf.name(id)}`;
    return refuse(env, `arg#${index} reference type('${type}') size cannot be determined: ${-ERRNO.EINVAL}`);
  }
  return checkMemReg(env, reg, index + 1, size);
}

/** Memory and the argument after it, its size. */
function sizedMemoryArg(env: VerifierEnv, index: number, reg: RegState, meta: KfuncMeta): number {
  const { btf, proto } = meta.facts;
  const sizeRegno = index + 2;
  const size = env.regs[sizeRegno];
  if (!regIsNull(reg) || !hasSuffix(btf, proto, index, '__opt')) {
    const err = checkKfuncMemSizeReg(env, sizeRegno);
    if (err < 0) {
      env.log.write(`arg#${index} arg#${index + 1} memory, len pair leads to invalid memory access\n`);
      return err;
    }
  }
  if (!isSizeParam(btf, proto, index + 1, size, '__szk')) return 0;
  if (meta.argConstant !== undefined) return verifierBug(env, 'only one constant argument permitted');
  if (size.varOff.mask !== 0n) return refuse(env, `R${sizeRegno} must be a known constant`);
  meta.argConstant = size.varOff.value;
  return 0;
}

function refcountedArg(env: VerifierEnv, index: number, reg: RegState, meta: KfuncMeta): number {
  if (!isPtrAllocObj(reg.type)) return refuse(env, `arg#${index} is neither owning or non-owning ref`);
  if (!isNonOwningRef(reg.type)) meta.argOwningRef = true;
  const record = regRecord(reg);
  if (record === undefined) return verifierBug(env, "Couldn't find btf_record");
  if (!hasField(record, 'bpf_refcount')) {
    return refuse(env, `arg#${index} doesn't point to a type with bpf_refcount field`);
  }
  meta.argBtf = reg.btf;
  meta.argBtfId = reg.btfId;
  return 0;
}

function resLockArg(env: VerifierEnv, index: number, reg: RegState, meta: KfuncMeta): number {
  const { special } = meta.facts;
  if (reg.type !== REG.MAP_VALUE && reg.type !== OWNED) {
    return refuse(env, `arg#${index} doesn't point to map value or allocated object`);
  }
  if (!special?.startsWith('bpf_res_spin_')) return -ERRNO.EFAULT;
  return processSpinLock(env, index + 1, {
    lock: special === 'bpf_res_spin_lock' || special === 'bpf_res_spin_lock_irqsave',
    resilient: true,
    irq: special === 'bpf_res_spin_lock_irqsave' || special === 'bpf_res_spin_unlock_irqrestore',
  });
}

function inMapValue(env: VerifierEnv, index: number, reg: RegState, check: () => number): number {
  return reg.type === REG.MAP_VALUE ? check() : refuse(env, `arg#${index} doesn't point to a map value`);
}

function processPointer(
  env: VerifierEnv,
  index: number,
  param: PointerParam,
  pointee: Pointee,
  meta: KfuncMeta,
  insnIdx: number,
): number {
  const regno = index + 1;
  const reg = env.regs[regno];
  switch (param) {
    case 'ctx':
      return contextArg(env, index, reg, meta);
    case 'alloc-object':
      return allocObjectArg(env, index, reg, meta);
    case 'dynptr':
      return dynptrArg(env, index, reg, meta, insnIdx);
    case 'iter':
      return iterArg(env, regno, meta, insnIdx);
    case 'list-head':
    case 'rb-root':
      return processGraphRoot(env, regno, meta, param === 'rb-root');
    case 'list-node':
    case 'rb-node':
      return processGraphNode(env, regno, meta, param === 'rb-node');
    case 'map':
      return structArg(env, index, reg, meta, env.image.btf().find('bpf_map', BTF_KIND.STRUCT));
    case 'btf':
      return structArg(env, index, reg, meta, pointee.id);
    case 'mem':
      return memoryArg(env, index, reg, meta, pointee.id);
    case 'mem-size':
      return sizedMemoryArg(env, index, reg, meta);
    case 'callback':
      if (reg.type !== REG.FUNC) return refuse(env, `arg${index} expected pointer to func`);
      meta.subprogno = reg.subprogno;
      return 0;
    case 'refcounted':
      return refcountedArg(env, index, reg, meta);
    case 'const-str':
      if (reg.type !== REG.MAP_VALUE) return refuse(env, `arg#${index} doesn't point to a const string`);
      return checkConstString(env, regno);
    case 'wq':
      return inMapValue(env, index, reg, () => processMapField(env, regno, 'bpf_wq', meta));
    case 'task-work':
      return inMapValue(env, index, reg, () => processMapField(env, regno, 'bpf_task_work', meta));
    case 'irq-flag':
      if (reg.type !== REG.STACK) return refuse(env, `arg#${index} doesn't point to an irq flag on stack`);
      return processIrqFlag(env, regno, meta);
    case 'res-spin-lock':
      return resLockArg(env, index, reg, meta);
    case 'null':
      return 0;
  }
}

/** Parameters that pointers to structs and maps must be trusted for. */
const WITH_TRUST: ReadonlySet<PointerParam> = new Set<PointerParam>(['map', 'alloc-object', 'btf']);

/** Argument `index`, a pointer of type `ptr`: the number of arguments that have been dealt with, or an errno. */
function pointerArg(env: VerifierEnv, index: number, ptr: number, meta: KfuncMeta, insnIdx: number): number {
  const { btf, proto } = meta.facts;
  const regno = index + 1;
  const reg = env.regs[regno];
  const maybeNull = regIsNull(reg) || mayBeNull(reg.type);
  if ((meta.wantsTrusted || meta.has(KF.RCU)) && maybeNull && !hasSuffix(btf, proto, index, '__nullable')) {
    return refuse(env, `Possibly NULL pointer passed to trusted arg${index}`, ERRNO.EACCES);
  }
  if (reg.refObjId !== 0) {
    if (meta.releases && meta.refObjId !== 0) {
      return verifierBug(env, `more than one arg with ref_obj_id R${regno} ${reg.refObjId} ${meta.refObjId}`);
    }
    meta.refObjId = reg.refObjId;
    if (meta.releases) meta.releaseRegno = regno;
  }
  const pointee: Pointee = { ptr, id: btf.skipModsAndTypedefs(btf.type(ptr)) };
  const param = pointerParam(env, meta, index, pointee);
  if (typeof param === 'number') return param;
  if (param === 'null') return 1;
  if (param === 'map') {
    const err = noteMap(env, regno, meta);
    if (err !== 0) return err;
  }
  if (WITH_TRUST.has(param)) {
    const err = checkTrust(env, regno, meta);
    if (err !== 0) return err;
  }
  const argType = meta.releases && reg.refObjId !== 0 ? FLAG.RELEASE : 0;
  let err = checkFuncArgRegOff(env, reg, regno, argType);
  if (err < 0) return err;
  err = processPointer(env, index, param, pointee, meta, insnIdx);
  if (err < 0) return err;
  return param === 'mem-size' ? 2 : 1;
}

/** All arguments of the call at `insnIdx`. 0 or a negative errno with a message. */
export function checkKfuncArgs(env: VerifierEnv, meta: KfuncMeta, insnIdx: number): number {
  const { btf, proto, name, params } = meta.facts;
  if (params > MAX_ARGS) return refuse(env, `Function ${name} has ${params} > ${MAX_ARGS} args`);
  for (let i = 0; i < params; ) {
    const type = btf.skipModsAndTypedefs(btf.paramType(proto, i));
    if (hasSuffix(btf, proto, i, '__ign')) {
      i++;
    } else if (hasSuffix(btf, proto, i, '__prog')) {
      if (meta.argProg) return verifierBug(env, 'Only 1 prog->aux argument supported per-kfunc');
      meta.argProg = true;
      env.aux[env.insnIdx].argProg = i + 1;
      i++;
    } else if (isScalarType(btf, type)) {
      const err = scalarArg(env, i, meta);
      if (err !== 0) return err;
      i++;
    } else if (btf.kind(type) !== BTF_KIND.PTR) {
      return refuse(env, `Unrecognized arg#${i} type ${kindText(btf, type)}`);
    } else {
      const done = pointerArg(env, i, type, meta, insnIdx);
      if (done < 0) return done;
      i += done;
    }
  }
  if (meta.releases && meta.releaseRegno === 0) {
    return refuse(env, `release kernel function ${name} expects refcounted PTR_TO_BTF_ID`);
  }
  return 0;
}
