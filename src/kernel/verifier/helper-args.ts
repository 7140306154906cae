// Arguments of helper calls: what each may be, and what is noted of it. Rule: check_func_arg and its parts, verifier.c,
// 6.18.
import { BTF_KIND } from '../../btf/btf.ts';
import { ERRNO } from '../../errno.ts';
import { HELPER, MAP_TYPE } from '../../isa/uapi.ts';
import type { KMap } from '../objects.ts';
import { checkPtrAlignment } from './alignment.ts';
import { checkArgType } from './arg-types.ts';
import { CallMeta } from './call-meta.ts';
import { constantMapKey } from './const-map-key.ts';
import { checkConstString } from './const-string.ts';
import { holdsReference, isDynptrArg, processDynptrArg } from './dynptr.ts';
import type { VerifierEnv } from './env.ts';
import { inRbtreeCallback } from './graph-refs.ts';
import { checkHelperMemAccess, checkMemSizeReg } from './helper-mem.ts';
import { ARG, type HelperProto } from './helper-proto.ts';
import { processSpinLock } from './locks.ts';
import { processKptrArg, processMapField } from './map-field-args.ts';
import { checkPtrOffset } from './mem-region.ts';
import { mayAccessDirectPktData } from './packet-access.ts';
import { isPktPointer, isPointerValue } from './pointer-kinds.ts';
import { markChainPrecision } from './precision.ts';
import { checkRegArg } from './reg-access.ts';
import { regIsNull } from './scalar-marks.ts';
import { baseType, FLAG, mayBeNull, REG, type RegState } from './types.ts';
import { verifierBug } from './verifier-bug.ts';

export { checkMemReg } from './helper-mem.ts';

/** Types whose offset is checked where they are used. */
const ANY_OFFSET: ReadonlySet<number> = new Set([
  REG.STACK,
  REG.PACKET,
  REG.PACKET_META,
  REG.MAP_KEY,
  REG.MAP_VALUE,
  REG.MEM,
  REG.MEM | FLAG.RDONLY,
  REG.MEM | FLAG.RINGBUF,
  REG.BUF,
  REG.BUF | FLAG.RDONLY,
  REG.ARENA,
  REG.SCALAR,
]);
/** Types that may have a fixed offset. */
const FIXED_OFFSET: ReadonlySet<number> = new Set([
  REG.BTF_ID,
  REG.BTF_ID | FLAG.ALLOC,
  REG.BTF_ID | FLAG.TRUSTED,
  REG.BTF_ID | FLAG.RCU,
  REG.BTF_ID | FLAG.ALLOC | FLAG.NON_OWN_REF,
  REG.BTF_ID | FLAG.ALLOC | FLAG.NON_OWN_REF | FLAG.RCU,
]);

/** Offset that register `regno` may have as an argument of that type. */
export function checkFuncArgRegOff(env: VerifierEnv, reg: RegState, regno: number, argType: number): number {
  if ((argType & FLAG.RELEASE) !== 0) {
    if (isDynptrArg(argType) && reg.type === REG.STACK) return 0;
    if (reg.off !== 0) {
      env.log.write(`R${regno} must have zero offset when passed to release func or trusted arg to kfunc\n`);
      return -ERRNO.EINVAL;
    }
    return checkPtrOffset(env, reg, regno, false);
  }
  if (ANY_OFFSET.has(reg.type)) return 0;
  return checkPtrOffset(env, reg, regno, FIXED_OFFSET.has(reg.type));
}

/** Register `regno` as an argument that must lead to kernel struct `btfId`. */
export const checkBtfIdArg = (env: VerifierEnv, regno: number, argType: number, btfId: number): number =>
  checkArgType(env, regno, argType, btfId, new CallMeta());

/** A map value argument is something else for some maps. Undefined with a message: it cannot be passed. */
function resolveValueArg(env: VerifierEnv, argType: number, meta: CallMeta): number | undefined {
  switch (meta.map?.type) {
    case undefined:
      verifierBug(env, 'invalid map_ptr to access map->type');
      return undefined;
    case MAP_TYPE.sockmap:
    case MAP_TYPE.sockhash:
      if (argType === ARG.MAP_VALUE) return ARG.BTF_ID_SOCK_COMMON;
      env.log.write('invalid arg_type for sockmap/sockhash\n');
      return undefined;
    case MAP_TYPE.bloom_filter:
      return meta.funcId === HELPER.map_peek_elem ? ARG.MAP_VALUE : argType;
    default:
      return argType;
  }
}

/** An argument that the call releases: it must be held. */
function noteRelease(env: VerifierEnv, regno: number, argType: number, meta: CallMeta): number {
  const reg = env.regs[regno];
  const refuse = (text: string): number => {
    env.log.write(`${text}\n`);
    return -ERRNO.EINVAL;
  };
  if (isDynptrArg(argType)) {
    if (reg.type !== REG.STACK) return refuse('cannot release unowned const bpf_dynptr');
    if (!holdsReference(env, reg)) return refuse(`arg ${regno} is an unacquired reference`);
  } else if (reg.refObjId === 0 && !regIsNull(reg)) {
    return refuse(`R${regno} must be referenced when passed to release function`);
  }
  if (meta.releaseRegno !== 0) return verifierBug(env, 'more than one release argument');
  meta.releaseRegno = regno;
  return 0;
}

/** Lookups with a known index of these maps cannot fail. */
export const canElideNull = (map: KMap): boolean =>
  (map.flags & F_INNER_MAP) === 0 && (map.type === MAP_TYPE.array || map.type === MAP_TYPE.percpu_array);

const F_INNER_MAP = 1 << 12;

function mapPointer(env: VerifierEnv, regno: number, meta: CallMeta): number {
  const reg = env.regs[regno];
  if (meta.map !== undefined && (meta.map !== reg.map || meta.mapUid !== reg.mapUid)) {
    env.log.write(`timer pointer in R1 map_uid=${meta.mapUid} doesn't match map pointer in R2 map_uid=${reg.mapUid}\n`);
    return -ERRNO.EINVAL;
  }
  meta.map = reg.map;
  meta.mapUid = reg.mapUid;
  return 0;
}

function mapKey(env: VerifierEnv, regno: number, meta: CallMeta): number {
  if (meta.map === undefined) return verifierBug(env, 'invalid map_ptr to access map->key');
  const { keySize } = meta.map;
  const err = checkHelperMemAccess(env, regno, keySize, 'read', false, undefined);
  if (err !== 0 || !canElideNull(meta.map)) return err;
  const key = constantMapKey(env, env.regs[regno], keySize);
  if (typeof key === 'number') return key;
  meta.constMapKey = key ?? -1n;
  return 0;
}

function spinLock(env: VerifierEnv, regno: number, meta: CallMeta): number {
  if (inRbtreeCallback(env)) {
    env.log.write("can't spin_{lock,unlock} in rbtree cb\n");
    return -ERRNO.EACCES;
  }
  if (meta.funcId !== HELPER.spin_lock && meta.funcId !== HELPER.spin_unlock) {
    return verifierBug(env, 'spin lock arg on unexpected helper');
  }
  return processSpinLock(env, regno, { lock: meta.funcId === HELPER.spin_lock, resilient: false, irq: false });
}

function allocSize(env: VerifierEnv, regno: number, meta: CallMeta): number {
  const { varOff } = env.regs[regno];
  if (varOff.mask !== 0n) {
    env.log.write(`R${regno} is not a known constant'\n`);
    return -ERRNO.EACCES;
  }
  meta.memSize = Number(BigInt.asUintN(32, varOff.value));
  return markChainPrecision(env, regno);
}

/** What is special to each type of argument, once the register's type and offset fit. */
function processArg(
  env: VerifierEnv,
  index: number,
  argType: number,
  proto: HelperProto,
  meta: CallMeta,
  insnIdx: number,
): number {
  const regno = index + 1;
  const reg = env.regs[regno];
  const access = (argType & FLAG.WRITE) !== 0 ? 'write' : 'read';
  switch (baseType(argType)) {
    case ARG.CONST_MAP_PTR:
      return mapPointer(env, regno, meta);
    case ARG.MAP_KEY:
      return mapKey(env, regno, meta);
    case ARG.MAP_VALUE:
      if (mayBeNull(argType) && regIsNull(reg)) return 0;
      if (meta.map === undefined) return verifierBug(env, 'invalid map_ptr to access map->value');
      meta.rawMode = (argType & FLAG.UNINIT) !== 0;
      return checkHelperMemAccess(env, regno, meta.map.valueSize, access, false, meta);
    case ARG.PERCPU_BTF_ID:
      if (reg.btfId === 0) {
        env.log.write(`Helper has invalid btf_id in R${regno}\n`);
        return -ERRNO.EACCES;
      }
      meta.retBtf = reg.btf;
      meta.retBtfId = reg.btfId;
      return 0;
    case ARG.SPIN_LOCK:
      return spinLock(env, regno, meta);
    case ARG.TIMER:
      return processMapField(env, regno, 'bpf_timer', meta);
    case ARG.FUNC:
      meta.subprogno = reg.subprogno;
      return 0;
    case ARG.MEM: {
      meta.rawMode = (argType & FLAG.UNINIT) !== 0;
      if ((argType & FLAG.FIXED_SIZE) === 0) return 0;
      const size = proto.args[index].size ?? 0;
      const err = checkHelperMemAccess(env, regno, size, access, false, meta);
      if (err !== 0 || (argType & FLAG.ALIGNED) === 0) return err;
      return checkPtrAlignment(env, reg, 0, size, true);
    }
    case ARG.CONST_SIZE:
    case ARG.CONST_SIZE_OR_ZERO: {
      const memory = (proto.args[index - 1].type & FLAG.WRITE) !== 0 ? 'write' : 'read';
      return checkMemSizeReg(env, regno, memory, argType === ARG.CONST_SIZE_OR_ZERO, meta);
    }
    case ARG.DYNPTR:
      return processDynptrArg(env, regno, insnIdx, argType, 0);
    case ARG.CONST_ALLOC_SIZE_OR_ZERO:
      return allocSize(env, regno, meta);
    case ARG.CONST_STR:
      return checkConstString(env, regno);
    case ARG.KPTR_XCHG_DEST:
      return processKptrArg(env, regno, meta);
    default:
      return 0;
  }
}

/** Id of the kernel struct that an argument must lead to; undefined where its type says so, or nothing does. */
function argBtfId(env: VerifierEnv, proto: HelperProto, index: number): number | undefined {
  const { btf } = proto.args[index];
  return btf === undefined ? undefined : env.image.btf().find(btf, BTF_KIND.STRUCT);
}

/** Argument `index` (from 0) of a helper call at `insnIdx`. */
export function checkFuncArg(
  env: VerifierEnv,
  index: number,
  meta: CallMeta,
  proto: HelperProto,
  insnIdx: number,
): number {
  const declared = proto.args[index];
  if (declared === undefined || declared.type === ARG.DONTCARE) return 0;
  const regno = index + 1;
  const reg = env.regs[regno];
  const { log } = env;
  let argType = declared.type;
  let err = checkRegArg(env, regno, 'src');
  if (err !== 0) return err;
  if (argType === ARG.ANYTHING) {
    if (!isPointerValue(env, regno)) return 0;
    log.write(`R${regno} leaks addr into helper function\n`);
    return -ERRNO.EACCES;
  }
  if (isPktPointer(reg) && !mayAccessDirectPktData(env, meta, 'read')) {
    log.write('helper access to the packet is not allowed\n');
    return -ERRNO.EACCES;
  }
  if (baseType(argType) === ARG.MAP_VALUE) {
    const resolved = resolveValueArg(env, argType, meta);
    if (resolved === undefined) return meta.map === undefined ? -ERRNO.EFAULT : -ERRNO.EINVAL;
    argType = resolved;
  }
  if (!(regIsNull(reg) && mayBeNull(argType))) {
    err = checkArgType(env, regno, argType, argBtfId(env, proto, index), meta);
    if (err === 0) err = checkFuncArgRegOff(env, reg, regno, argType);
    if (err !== 0) return err;
  }
  if ((argType & FLAG.RELEASE) !== 0) {
    err = noteRelease(env, regno, argType, meta);
    if (err !== 0) return err;
  }
  if (reg.refObjId !== 0 && baseType(argType) !== ARG.KPTR_XCHG_DEST) {
    if (meta.refObjId !== 0) {
      log.write(`more than one arg with ref_obj_id R${regno} ${reg.refObjId} ${meta.refObjId}`);
      return -ERRNO.EACCES;
    }
    meta.refObjId = reg.refObjId;
  }
  return processArg(env, index, argType, proto, meta, insnIdx);
}
