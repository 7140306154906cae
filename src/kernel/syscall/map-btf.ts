// What BTF of a map's key and value must be like. rule: map_check_btf, 6.18
import { BTF_KIND, type Btf } from '../../btf/btf.ts';
import { SysError } from '../../errno.ts';
import { MAP_TYPE, type MapTypeName } from '../../isa/uapi.ts';
import type { MapCreateAttr } from '../../syscall.ts';
import { FLAG } from '../maps/flags.ts';
import type { Capabilities, SpecialFieldKind, SpecialRecord } from '../objects.ts';
import { checkSpecialRecord, parseSpecialRecord } from '../verifier/special-fields.ts';

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

const POINTERS: ReadonlySet<SpecialFieldKind> = new Set(['kptr_unref', 'kptr_ref', 'kptr_percpu', 'uptr']);

/** Throws SysError unless the key and value types suit the family. Ids are those behind modifiers; key 0 is none. */
type TypeRule = (attr: MapCreateAttr, btf: Btf, key: number, value: number) => void;

const unless = (ok: boolean): void => {
  if (!ok) throw new SysError('EINVAL');
};

/** A plain integer: all of its bytes are its value. rule: __btf_type_int_is_regular, 6.18 */
const isRegularInt = (btf: Btf, id: number, size: number): boolean =>
  btf.kind(id) === BTF_KIND.INT && btf.size(id) === size && btf.intOffset(id) === 0 && btf.intBits(id) === size * 8;

const refuse: TypeRule = () => {
  throw new SysError('ENOTSUPP');
};
const anyTypes: TypeRule = () => {};
const int32Key: TypeRule = (_attr, btf, key) => unless(key !== 0 && isRegularInt(btf, key, 4));

/** A data section needs no key. rule: array_map_check_btf, 6.18 */
const arrayTypes: TypeRule = (attr, btf, key, value) => {
  const lone = attr.type === MAP_TYPE.array && attr.maxEntries === 1;
  unless(key !== 0 ? isRegularInt(btf, key, 4) : lone && btf.kind(value) === BTF_KIND.DATASEC);
};

/** Bytes of struct bpf_cgroup_storage_key, with its end filled up, and the parts that matter. */
const CGROUP_KEY = { size: 16, inode: { offset: 0, size: 8 }, attachType: { offset: 8, size: 4 } } as const;

/** rule: cgroup_storage_check_btf, 6.18 */
const cgroupKey: TypeRule = (attr, btf, key) => {
  unless(key !== 0);
  if (attr.keySize !== CGROUP_KEY.size) {
    unless(isRegularInt(btf, key, 8));
    return;
  }
  unless(btf.kind(key) === BTF_KIND.STRUCT && btf.vlen(key) === 2);
  [CGROUP_KEY.inode, CGROUP_KEY.attachType].forEach(({ offset, size }, i) => {
    const type = btf.skipModsAndTypedefs(btf.memberType(key, i));
    unless(btf.memberBitOffset(key, i) === offset * 8 && [0, size * 8].includes(btf.memberBitSize(key, i)));
    unless(isRegularInt(btf, type, size));
  });
};

/** Families with a rule of their own, which alone may do without a key type. */
const RULES: Readonly<Partial<Record<MapTypeName, TypeRule>>> = {
  array: arrayTypes,
  percpu_array: arrayTypes,
  perf_event_array: refuse,
  cgroup_array: refuse,
  array_of_maps: refuse,
  hash_of_maps: refuse,
  devmap: refuse,
  devmap_hash: refuse,
  cpumap: refuse,
  stack_trace: refuse,
  sockmap: refuse,
  sockhash: refuse,
  xskmap: refuse,
  bloom_filter: (_attr, _btf, key) => unless(key === 0),
  lpm_trie: (_attr, btf, key) => unless(key !== 0 && btf.kind(key) === BTF_KIND.STRUCT),
  arena: anyTypes,
  cgroup_storage: cgroupKey,
  percpu_cgroup_storage: cgroupKey,
  sk_storage: int32Key,
  inode_storage: int32Key,
  task_storage: int32Key,
  cgrp_storage: int32Key,
};
const RULE_OF: ReadonlyMap<number, TypeRule> = new Map(
  Object.entries(RULES).map(([name, rule]) => [MAP_TYPE[name as MapTypeName], rule]),
);

const SIZELESS: ReadonlySet<number> = new Set([BTF_KIND.FWD, BTF_KIND.FUNC, BTF_KIND.FUNC_PROTO, BTF_KIND.DECL_TAG]);

/** The type itself, behind modifiers, typedefs and a variable; EINVAL where it has not this size. */
function sized(btf: Btf, id: number, size: number): number {
  if (id >= btf.count || SIZELESS.has(btf.kind(id))) throw new SysError('EINVAL');
  const type = btf.skipModsAndTypedefs(btf.kind(id) === BTF_KIND.VAR ? btf.type(id) : id);
  unless(btf.resolveSize(type) === size);
  return type;
}

/** Checks the types of a map with these flags; throws SysError. Gives the special fields of its values. */
export function checkMapBtf(
  attr: MapCreateAttr,
  flags: number,
  btf: Btf,
  caps: Capabilities,
  vmlinux: () => Btf,
): SpecialRecord | undefined {
  const keyId = attr.btfKeyTypeId ?? 0;
  const rule = RULE_OF.get(attr.type);
  if (!keyId && !rule) throw new SysError('EINVAL');
  const key = keyId ? sized(btf, keyId, attr.keySize) : 0;
  const value = sized(btf, attr.btfValueTypeId ?? 0, attr.valueSize);
  const record = recordOfValue(btf, value, attr.valueSize, vmlinux);
  if (record) checkRecord(attr, record, caps, flags);
  const err = record ? checkSpecialRecord(btf, record, vmlinux()) : 0;
  if (err < 0) throw new SysError(-err);
  rule?.(attr, btf, key, value);
  return record;
}

function checkRecord(attr: MapCreateAttr, record: SpecialRecord, caps: Capabilities, flags: number): void {
  if (!caps.bpf) throw new SysError('EPERM');
  if (flags & (FLAG.RDONLY_PROG | FLAG.WRONLY_PROG)) throw new SysError('EACCES');
  for (const { kind } of record.fields) if (!HOLDERS[kind].has(attr.type)) throw new SysError('EOPNOTSUPP');
}

/** The special fields of a value type. Linux makes nothing of fields that it cannot parse. */
export function recordOfValue(btf: Btf, typeId: number, size: number, vmlinux: () => Btf): SpecialRecord | undefined {
  const type = btf.skipModsAndTypedefs(typeId);
  const kind = btf.kind(type);
  if (kind !== BTF_KIND.STRUCT && kind !== BTF_KIND.DATASEC) return undefined;
  // Only pointers lead into the kernel's BTF, which is not read for anything else.
  const first = parseSpecialRecord(btf, type, { size });
  const leadsOut = typeof first === 'number' || first?.fields.some((field) => POINTERS.has(field.kind));
  const record = leadsOut ? parseSpecialRecord(btf, type, { kernel: vmlinux(), size }) : first;
  return typeof record === 'number' ? undefined : record;
}
