// Accesses to map values and keys. Rule: check_map_access and its neighbours, verifier.c, 6.18.
import { ERRNO } from '../../errno.ts';
import { CLASS, insnClass, insnMode, MODE } from '../../isa/opcode.ts';
import { MAP_TYPE } from '../../isa/uapi.ts';
import type { KMap, SpecialField } from '../objects.ts';
import type { Access } from '../program-types/program-type.ts';
import { markBtfLoadReg } from './btf-access.ts';
import { inRcuCs } from './context-state.ts';
import type { VerifierEnv } from './env.ts';
import { kptrMatchesReg } from './kptr.ts';
import { checkMemRegionAccess } from './mem-region.ts';
import { markRegKnown, regIsNull } from './scalar-marks.ts';
import { fieldLabel, findFieldAt, findStructMeta, hasField, isKptrKind } from './special-fields.ts';
import { FLAG, REG, type RegState } from './types.ts';

const F_RDONLY_PROG = 1 << 7;
const F_WRONLY_PROG = 1 << 8;

/** Pointers that programs load from map values. */
const POINTER_FIELDS: ReadonlySet<SpecialField['kind']> = new Set(['kptr_unref', 'kptr_ref', 'kptr_percpu', 'uptr']);

/** Kernel structs that RCU keeps alive. */
const RCU_PROTECTED: ReadonlySet<string> = new Set([
  'prog_test_ref_kfunc',
  'cgroup',
  'bpf_cpumask',
  'task_struct',
  'bpf_crypto_ctx',
]);

const mapOf = (reg: RegState): KMap => reg.map as KMap;

/** May programs read, or write, values of this map? */
export function checkMapAccessType(env: VerifierEnv, regno: number, off: number, size: number, access: Access): number {
  const map = mapOf(env.regs[regno]);
  const where = `value_size=${map.valueSize | 0} off=${off} size=${size}`;
  if (access === 'write' && (map.flags & F_RDONLY_PROG) !== 0) {
    env.log.write(`write into map forbidden, ${where}\n`);
    return -ERRNO.EACCES;
  }
  if (access === 'read' && (map.flags & F_RDONLY_PROG) === 0 && (map.flags & F_WRONLY_PROG) !== 0) {
    env.log.write(`read from map forbidden, ${where}\n`);
    return -ERRNO.EACCES;
  }
  return 0;
}

/** An access that touches a special field: only pointers, whole, at a constant offset, by load or store. */
function checkField(
  env: VerifierEnv,
  reg: RegState,
  field: SpecialField,
  off: number,
  size: number,
  src: 'direct' | 'helper',
): number {
  const refuse = (text: string): number => {
    env.log.write(`${fieldLabel(field.kind)} ${text}\n`);
    return -ERRNO.EACCES;
  };
  if (!POINTER_FIELDS.has(field.kind)) return refuse('cannot be accessed directly by load/store');
  if (src !== 'direct') return refuse('cannot be accessed indirectly by helper');
  if (reg.varOff.mask !== 0n) return refuse('access cannot have variable offset');
  const at = BigInt.asUintN(64, BigInt(off) + reg.varOff.value);
  if (BigInt(field.offset) !== at) return refuse(`access misaligned expected=${field.offset} off=${at}`);
  return size === 8 ? 0 : refuse('access size must be BPF_DW');
}

/** Checks an access to a map value, by an instruction or by a helper, against its size and its special fields. */
export function checkMapAccess(
  env: VerifierEnv,
  regno: number,
  off: number,
  size: number,
  zeroSizeAllowed: boolean,
  src: 'direct' | 'helper',
): number {
  const reg = env.regs[regno];
  const map = mapOf(reg);
  const err = checkMemRegionAccess(env, regno, off, size, map.valueSize, zeroSizeAllowed);
  if (err !== 0 || map.record === undefined) return err;
  const begin = reg.smin + BigInt(off);
  const end = reg.umax + BigInt(off) + BigInt(size);
  for (const field of map.record.fields) {
    if (begin >= BigInt(field.offset + field.size) || BigInt(field.offset) >= end) continue;
    const bad = checkField(env, reg, field, off, size, src);
    if (bad !== 0) return bad;
  }
  return 0;
}

/** The kptr or uptr that an access at a constant offset meets. */
export const pointerFieldAt = (reg: RegState, off: number): SpecialField | undefined =>
  reg.varOff.mask === 0n
    ? findFieldAt(mapOf(reg).record, off + Number(BigInt.asIntN(64, reg.varOff.value)), POINTER_FIELDS)
    : undefined;

/** RCU keeps what the kptr leads to alive. */
function isRcuSafe(env: VerifierEnv, field: SpecialField): boolean {
  if (field.kind === 'kptr_percpu') return true;
  if (field.kind !== 'kptr_ref') return false;
  const kernel = env.image.btf();
  return field.btf !== kernel || RCU_PROTECTED.has(kernel.name(field.btfId ?? 0));
}

/** Flags of a register that a kptr is loaded into. */
function kptrLoadFlags(env: VerifierEnv, field: SpecialField): number {
  if (!isRcuSafe(env, field) || !inRcuCs(env)) return FLAG.MAYBE_NULL | FLAG.UNTRUSTED;
  const kernel = env.image.btf();
  let flags = FLAG.MAYBE_NULL | FLAG.RCU;
  if (field.kind === 'kptr_percpu') flags |= FLAG.PERCPU;
  else if (field.btf !== kernel) flags |= FLAG.ALLOC;
  const pointee = findStructMeta(field.btf, field.btfId ?? 0, kernel);
  if (hasField(pointee, 'bpf_list_node', 'bpf_rb_node')) flags |= FLAG.NON_OWN_REF;
  return flags;
}

/** Load or store of a kptr or uptr. */
export function checkMapKptrAccess(env: VerifierEnv, valueRegno: number, insnIdx: number, field: SpecialField): number {
  const insn = env.insns[insnIdx];
  const kind = insnClass(insn.code);
  const refuse = (text: string): number => {
    env.log.write(text);
    return -ERRNO.EACCES;
  };
  if (insnMode(insn.code) !== MODE.MEM) {
    return refuse('kptr in map can only be accessed using BPF_MEM instruction mode\n');
  }
  if (kind === CLASS.LDX) {
    const dst = env.regs[valueRegno];
    if (isKptrKind(field.kind)) {
      return markBtfLoadReg(env, dst, REG.BTF_ID, field.btf, field.btfId ?? 0, kptrLoadFlags(env, field));
    }
    markRegKnown(dst, 0n);
    dst.type = REG.MEM | FLAG.MAYBE_NULL;
    dst.memSize = field.btf?.size(field.btfId ?? 0) ?? 0;
    dst.id = ++env.idGen;
    return 0;
  }
  if (field.kind === 'kptr_ref' || field.kind === 'kptr_percpu') return refuse('store to referenced kptr disallowed\n');
  if (field.kind === 'uptr') return refuse('store to uptr disallowed\n');
  if (kind === CLASS.STX) {
    const value = env.regs[valueRegno];
    return regIsNull(value) || kptrMatchesReg(env, field, value, valueRegno) ? 0 : -ERRNO.EACCES;
  }
  if (kind === CLASS.ST) {
    return insn.imm === 0 ? 0 : refuse(`BPF_ST imm must be 0 when storing to kptr at off=${field.offset}\n`);
  }
  return refuse('kptr in map can only be accessed using BPF_LDX/BPF_STX/BPF_ST\n');
}

/** Values that no longer change. */
export const isMapReadOnly = (map: KMap): boolean => (map.flags & F_RDONLY_PROG) !== 0 && map.frozen;

/** Its values have addresses of their own, so constants can be read from it. */
export const hasDirectValues = (map: KMap): boolean => map.type === MAP_TYPE.array || map.type === MAP_TYPE.arena;

/**
 * Bytes of a read-only value: undefined where the map is not such a one, or the negative errno of a map with several
 * values.
 */
export function readOnlyBytes(map: KMap, off: number, size: number): Uint8Array | undefined | number {
  if (!isMapReadOnly(map) || !hasDirectValues(map)) return undefined;
  if (map.maxEntries !== 1) return -ERRNO.ENOTSUPP;
  return map.constantBytes(off, size) ?? -ERRNO.EINVAL;
}
