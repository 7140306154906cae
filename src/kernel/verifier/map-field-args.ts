// Arguments that point to a special field of a map value: timers, work queues, task work, kptrs. Rule:
// check_map_field_pointer and its callers, verifier.c, 6.18.
import { ERRNO } from '../../errno.ts';
import type { KMap, SpecialFieldKind } from '../objects.ts';
import type { CallMeta } from './call-meta.ts';
import type { VerifierEnv } from './env.ts';
import { constOffset } from './frames.ts';
import { isPtrAllocObj } from './pointer-kinds.ts';
import { fieldLabel, fieldOffset, findFieldAt, hasField, KPTR_KINDS, regRecord } from './special-fields.ts';
import { verifierBug } from './verifier-bug.ts';

/** Where a call keeps the map that its arguments belong to. */
export interface MapMeta {
  map: KMap | undefined;
  mapUid: number;
}

/** Register `regno` must point exactly to the field of that kind in its map's value. */
function checkMapField(env: VerifierEnv, regno: number, kind: SpecialFieldKind): number {
  const reg = env.regs[regno];
  const map = reg.map as KMap;
  const name = fieldLabel(kind);
  const refuse = (text: string): number => {
    env.log.write(`${text}\n`);
    return -ERRNO.EINVAL;
  };
  if (reg.varOff.mask !== 0n) {
    return refuse(`R${regno} doesn't have constant offset. ${name} has to be at the constant offset`);
  }
  if (map.btf === undefined) return refuse(`map '${map.name}' has to have BTF in order to use ${name}`);
  if (!hasField(map.record, kind)) return refuse(`map '${map.name}' has no valid ${name}`);
  const expected = fieldOffset(map.record, kind);
  const at = BigInt.asIntN(64, reg.varOff.value) + BigInt(reg.off);
  if (at !== BigInt(expected)) return refuse(`off ${at} doesn't point to 'struct ${name}' that is at ${expected}`);
  return 0;
}

const CALLS: Readonly<Partial<Record<SpecialFieldKind, string>>> = {
  bpf_timer: 'timer',
  bpf_wq: 'bpf_wq',
  bpf_task_work: 'bpf_task_work',
};

/** A timer, work queue or task work argument; notes its map in `meta`. */
export function processMapField(env: VerifierEnv, regno: number, kind: SpecialFieldKind, meta: MapMeta): number {
  const err = checkMapField(env, regno, kind);
  if (err !== 0) return err;
  if (meta.map !== undefined) return verifierBug(env, `Two map pointers in a ${CALLS[kind]} helper`);
  const reg = env.regs[regno];
  meta.mapUid = reg.mapUid;
  meta.map = reg.map;
  return 0;
}

/** The place that bpf_kptr_xchg exchanges a pointer with. */
export function processKptrArg(env: VerifierEnv, regno: number, meta: CallMeta): number {
  const reg = env.regs[regno];
  const refuse = (text: string, errno: number): number => {
    env.log.write(`${text}\n`);
    return -errno;
  };
  if (!isPtrAllocObj(reg.type)) {
    const map = reg.map as KMap;
    if (map.btf === undefined) {
      return refuse(`map '${map.name}' has to have BTF in order to use bpf_kptr_xchg`, ERRNO.EINVAL);
    }
    meta.map = map;
  }
  const record = isPtrAllocObj(reg.type) ? regRecord(reg) : reg.map?.record;
  if (reg.varOff.mask !== 0n) {
    return refuse(`R${regno} doesn't have constant offset. kptr has to be at the constant offset`, ERRNO.EINVAL);
  }
  if (!hasField(record, ...KPTR_KINDS)) return refuse(`R${regno} has no valid kptr`, ERRNO.EINVAL);
  const at = constOffset(reg);
  const field = findFieldAt(record, at, KPTR_KINDS);
  if (!field) return refuse(`off=${at} doesn't point to kptr`, ERRNO.EACCES);
  if (field.kind === 'kptr_unref') return refuse(`off=${at} kptr isn't referenced kptr`, ERRNO.EACCES);
  meta.kptrField = field;
  return 0;
}
