// What a helper call leaves in R0. Rule: check_helper_call, verifier.c, 6.18.
import { BTF_KIND, type Btf } from '../../btf/btf.ts';
import { ERRNO } from '../../errno.ts';
import { HELPER, MAP_TYPE } from '../../isa/uapi.ts';
import type { KMap } from '../objects.ts';
import { regBoundsSanityCheck, regBoundsSync } from './bounds.ts';
import type { CallMeta } from './call-meta.ts';
import type { VerifierEnv } from './env.ts';
import { canElideNull } from './helper-args.ts';
import { type HelperProto, RET } from './helper-proto.ts';
import { helperText } from './map-func.ts';
import { acquireReference } from './references.ts';
import { markRegKnown, markRegUnknown } from './scalar-marks.ts';
import { hasField } from './special-fields.ts';
import { baseType, FLAG, mayBeNull, REG, typeFlags } from './types.ts';
import { verifierBug } from './verifier-bug.ts';

const MAX_ERRNO = 4095;

const ACQUIRES: ReadonlySet<number> = new Set([
  HELPER.sk_lookup_tcp,
  HELPER.sk_lookup_udp,
  HELPER.skc_lookup_tcp,
  HELPER.ringbuf_reserve,
  HELPER.kptr_xchg,
]);

/** The call gives a reference that has to be given back. */
const acquires = (id: number, map: KMap | undefined): boolean =>
  ACQUIRES.has(id) ||
  (id === HELPER.map_lookup_elem && (map?.type === MAP_TYPE.sockmap || map?.type === MAP_TYPE.sockhash));

/** Casts: the result is the same object as the argument. */
const CASTS: ReadonlySet<number> = new Set([
  HELPER.tcp_sock,
  HELPER.sk_fullsock,
  HELPER.skc_to_tcp_sock,
  HELPER.skc_to_tcp6_sock,
  HELPER.skc_to_udp6_sock,
  HELPER.skc_to_mptcp_sock,
  HELPER.skc_to_tcp_timewait_sock,
  HELPER.skc_to_tcp_request_sock,
]);

/** These return a length that is at most the size of their buffer, or an error. */
const RETURNS_LENGTH: ReadonlySet<number> = new Set([
  HELPER.get_stack,
  HELPER.get_task_stack,
  HELPER.probe_read_str,
  HELPER.probe_read_kernel_str,
  HELPER.probe_read_user_str,
]);

/** Base types of registers for plain pointers. */
const POINTERS: Readonly<Record<number, number>> = {
  [RET.SOCKET]: REG.SOCKET,
  [RET.SOCK_COMMON]: REG.SOCK_COMMON,
  [RET.TCP_SOCK]: REG.TCP_SOCK,
};

function mapValue(env: VerifierEnv, id: number, flags: number, meta: CallMeta): number {
  const r0 = env.regs[0];
  const { map } = meta;
  if (map === undefined) return verifierBug(env, 'unexpected null map_ptr');
  const found =
    id === HELPER.map_lookup_elem &&
    canElideNull(map) &&
    meta.constMapKey >= 0n &&
    meta.constMapKey < BigInt(map.maxEntries);
  const kept = found ? flags & ~FLAG.MAYBE_NULL : flags;
  r0.map = map;
  r0.mapUid = meta.mapUid;
  r0.type = REG.MAP_VALUE | kept;
  if (!mayBeNull(kept) && hasField(map.record, 'bpf_spin_lock', 'bpf_res_spin_lock')) r0.id = ++env.idGen;
  return 0;
}

/** A per-CPU variable, or one CPU's part of an allocated object. */
function memOrBtf(env: VerifierEnv, flags: number, meta: CallMeta, percpuObject: boolean): number {
  const r0 = env.regs[0];
  const btf = meta.retBtf as Btf;
  const type = btf.skipModsAndTypedefs(meta.retBtfId);
  const kind = btf.kind(type);
  if (kind !== BTF_KIND.STRUCT && kind !== BTF_KIND.UNION) {
    const size = btf.resolveSize(type);
    if (size < 0) {
      env.log.write(`unable to resolve the size of type '${btf.name(type)}': ${-ERRNO.EINVAL}\n`);
      return -ERRNO.EINVAL;
    }
    r0.type = REG.MEM | flags;
    r0.memSize = size;
    return 0;
  }
  r0.type = percpuObject ? REG.BTF_ID | FLAG.ALLOC | FLAG.RCU : REG.BTF_ID | (flags & ~FLAG.RDONLY);
  r0.btf = btf;
  r0.btfId = meta.retBtfId;
  return 0;
}

function btfPointer(env: VerifierEnv, id: number, proto: HelperProto, flags: number, meta: CallMeta): number {
  const r0 = env.regs[0];
  const kernel = env.image.btf();
  r0.type = REG.BTF_ID | flags;
  if (id === HELPER.kptr_xchg) {
    const { kptrField } = meta;
    r0.btf = kptrField?.btf;
    r0.btfId = kptrField?.btfId ?? 0;
    if (r0.btf !== kernel) {
      r0.type |= FLAG.ALLOC;
      if (kptrField?.kind === 'kptr_percpu') r0.type |= FLAG.PERCPU;
    }
  } else {
    r0.btf = kernel;
    r0.btfId = proto.ret.btf === undefined ? 0 : kernel.find(proto.ret.btf, BTF_KIND.STRUCT);
  }
  if (r0.btfId !== 0) return 0;
  env.log.write(`invalid return type ${baseType(proto.ret.type)} of func ${helperText(id)}#${id}\n`);
  return -ERRNO.EINVAL;
}

function setType(env: VerifierEnv, id: number, proto: HelperProto, meta: CallMeta, percpuObject: boolean): number {
  const r0 = env.regs[0];
  const base = baseType(proto.ret.type);
  const flags = typeFlags(proto.ret.type);
  if (base === RET.INTEGER) {
    markRegUnknown(env, r0);
    return 0;
  }
  if (base === RET.VOID) {
    r0.type = REG.NOT_INIT;
    return 0;
  }
  markRegKnown(r0, 0n);
  switch (base) {
    case RET.MAP_VALUE:
      return mapValue(env, id, flags, meta);
    case RET.MEM:
      r0.type = REG.MEM | flags;
      r0.memSize = meta.memSize;
      return 0;
    case RET.MEM_OR_BTF_ID:
      return memOrBtf(env, flags, meta, percpuObject);
    case RET.BTF_ID:
      return btfPointer(env, id, proto, flags, meta);
    default:
      r0.type = POINTERS[base] | flags;
      return 0;
  }
}

/** Ranges of integers that some helpers return. */
function refineRange(env: VerifierEnv, id: number, proto: HelperProto, meta: CallMeta): number {
  if (proto.ret.type !== RET.INTEGER) return 0;
  const r0 = env.regs[0];
  if (RETURNS_LENGTH.has(id)) {
    r0.smax = BigInt.asIntN(64, meta.msizeMaxValue);
    r0.s32max = Number(BigInt.asIntN(32, meta.msizeMaxValue));
    r0.smin = BigInt(-MAX_ERRNO);
    r0.s32min = -MAX_ERRNO;
    regBoundsSync(r0);
  } else if (id === HELPER.get_smp_processor_id) {
    const last = env.image.possibleCpus - 1;
    r0.umax = BigInt(last);
    r0.u32max = last;
    r0.smax = BigInt(last);
    r0.s32max = last;
    r0.umin = 0n;
    r0.u32min = 0;
    r0.smin = 0n;
    r0.s32min = 0;
    regBoundsSync(r0);
  }
  return regBoundsSanityCheck(env, r0, 'retval');
}

/** Sets R0 after the call of helper `id` at `insnIdx`. 0 or a negative errno with a message. */
export function setHelperResult(
  env: VerifierEnv,
  id: number,
  proto: HelperProto,
  meta: CallMeta,
  insnIdx: number,
  percpuObject: boolean,
): number {
  const err = setType(env, id, proto, meta, percpuObject);
  if (err !== 0) return err;
  const r0 = env.regs[0];
  if (mayBeNull(r0.type)) r0.id = ++env.idGen;
  if (id === HELPER.dynptr_data) r0.dynptrId = meta.dynptrId;
  if (CASTS.has(id) || id === HELPER.dynptr_data) {
    r0.refObjId = meta.refObjId;
  } else if (acquires(id, meta.map)) {
    const ref = acquireReference(env, insnIdx);
    // Comparing with NULL must find the reference.
    r0.id = ref;
    r0.refObjId = ref;
  }
  return refineRange(env, id, proto, meta);
}
