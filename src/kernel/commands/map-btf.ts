// What BTF of a map's key and value must be like. rule: map_check_btf, 6.18
import { BTF_KIND, type Btf } from '../../btf/btf.ts';
import { SysError } from '../../errno.ts';
import { MAP_TYPE, type MapTypeName } from '../../isa/uapi.ts';
import type { MapCreateAttr } from '../../syscall.ts';
import { FLAG } from '../families/flags.ts';
import type { SpecialFieldKind, SpecialRecord } from '../objects.ts';
import { parseSpecialRecord } from '../verifier/special-fields.ts';

const numbers = (...names: MapTypeName[]): ReadonlySet<number> => new Set(names.map((name) => MAP_TYPE[name]));

const LOCAL = ['sk_storage', 'inode_storage', 'task_storage', 'cgrp_storage'] as const;
const LOCK_MAPS = numbers('hash', 'array', 'cgroup_storage', ...LOCAL);
const TABLE_MAPS = numbers('hash', 'lru_hash', 'array');
const KPTR_MAPS = numbers('hash', 'percpu_hash', 'lru_hash', 'lru_percpu_hash', 'array', 'percpu_array', ...LOCAL);
const NO_MAPS = numbers();

/** Which map types may hold a special field. */
const HOLDERS: Readonly<Record<SpecialFieldKind, ReadonlySet<number>>> = {
  bpf_spin_lock: LOCK_MAPS,
  bpf_res_spin_lock: LOCK_MAPS,
  bpf_timer: TABLE_MAPS,
  bpf_wq: TABLE_MAPS,
  bpf_task_work: TABLE_MAPS,
  bpf_refcount: KPTR_MAPS,
  kptr_unref: KPTR_MAPS,
  kptr_ref: KPTR_MAPS,
  kptr_percpu: KPTR_MAPS,
  uptr: numbers('task_storage'),
  bpf_list_head: TABLE_MAPS,
  bpf_rb_root: TABLE_MAPS,
  bpf_list_node: NO_MAPS,
  bpf_rb_node: NO_MAPS,
};

/** Map types that take no BTF at all. */
const REFUSING = numbers(
  'perf_event_array',
  'cgroup_array',
  'array_of_maps',
  'hash_of_maps',
  'devmap',
  'devmap_hash',
  'cpumap',
  'stack_trace',
  'sockmap',
  'sockhash',
  'xskmap',
);
const ARRAYS = numbers('array', 'percpu_array');
/** Map types with a check of their own, which alone may do without a key type. */
const CHECKING = new Set([
  ...REFUSING,
  ...ARRAYS,
  ...numbers('bloom_filter', 'arena', 'lpm_trie', 'cgroup_storage', 'percpu_cgroup_storage', ...LOCAL),
]);

const isInt32 = (btf: Btf, id: number): boolean =>
  btf.kind(id) === BTF_KIND.INT && btf.size(id) === 4 && btf.intOffset(id) === 0 && btf.intBits(id) === 32;

/** The family's own rule. */
function checkFamily(attr: MapCreateAttr, btf: Btf, key: number, value: number): void {
  if (REFUSING.has(attr.type)) throw new SysError('ENOTSUPP');
  if (ARRAYS.has(attr.type)) {
    const keyless = key === 0;
    const isData = attr.type === MAP_TYPE.array && attr.maxEntries === 1 && btf.kind(value) === BTF_KIND.DATASEC;
    if (keyless ? !isData : !isInt32(btf, key)) throw new SysError('EINVAL');
  }
  if (attr.type === MAP_TYPE.lpm_trie && btf.kind(key) !== BTF_KIND.STRUCT) throw new SysError('EINVAL');
  if (attr.type === MAP_TYPE.bloom_filter && key !== 0) throw new SysError('EINVAL');
  if (attr.type === MAP_TYPE.arena) return;
  if (LOCAL.some((name) => MAP_TYPE[name] === attr.type) && !isInt32(btf, key)) throw new SysError('EINVAL');
}

/** The type itself, behind modifiers and typedefs, with its size; EINVAL where it has none. */
function sized(btf: Btf, id: number, size: number): number {
  if (id >= btf.count) throw new SysError('EINVAL');
  const type = btf.skipModsAndTypedefs(id);
  if (btf.resolveSize(type) !== size) throw new SysError('EINVAL');
  return type;
}

/** Special fields of the map's value; throws SysError. */
export function checkMapBtf(attr: MapCreateAttr, btf: Btf, vmlinux: () => Btf): SpecialRecord | undefined {
  const keyId = attr.btfKeyTypeId ?? 0;
  if (!keyId && !CHECKING.has(attr.type)) throw new SysError('EINVAL');
  const key = keyId ? sized(btf, keyId, attr.keySize) : 0;
  const value = sized(btf, attr.btfValueTypeId ?? 0, attr.valueSize);
  const record = mapRecordOf(btf, value, attr.valueSize, vmlinux);
  if (typeof record === 'number') throw new SysError(-record);
  if (record && (attr.flags ?? 0) & (FLAG.RDONLY_PROG | FLAG.WRONLY_PROG)) throw new SysError('EACCES');
  for (const { kind } of record?.fields ?? []) {
    if (!HOLDERS[kind].has(attr.type)) throw new SysError('EOPNOTSUPP');
  }
  checkFamily(attr, btf, key, value);
  return record;
}

/** The special fields of a value type, or a negative errno. Only structs and data sections have any. */
export function mapRecordOf(
  btf: Btf,
  typeId: number,
  size: number,
  vmlinux: () => Btf,
): SpecialRecord | undefined | number {
  const type = btf.skipModsAndTypedefs(typeId);
  const kind = btf.kind(type);
  if (kind !== BTF_KIND.STRUCT && kind !== BTF_KIND.UNION && kind !== BTF_KIND.DATASEC) return undefined;
  return parseSpecialRecord(btf, type, { kernel: vmlinux(), size });
}
