// Special fields of map values and allocated objects: locks, timers, kptrs, list and tree heads, found in BTF.
// Shared by map creation, BTF loading and the verifier. Rule: btf_parse_fields and btf_parse_struct_metas, btf.c, 6.18.
import { BTF_KIND, type Btf } from '../../btf/btf.ts';
import { ERRNO } from '../../errno.ts';
import type { SpecialField, SpecialFieldKind, SpecialRecord } from '../objects.ts';
import { findDeclTag } from './decl-tags.ts';
import { isPtrAllocObj } from './pointer-kinds.ts';
import { REG, type RegState } from './types.ts';

interface KindInfo {
  /** Bytes, and the alignment that a field must have to count. */
  readonly size: number;
  readonly align: number;
  /** C struct that marks the field; kptrs have a tagged pointer instead. */
  readonly struct?: string;
  /** At most one in a structure. */
  readonly unique?: boolean;
  /** Name in messages. */
  readonly label: string;
}

const KINDS: Readonly<Record<SpecialFieldKind, KindInfo>> = {
  bpf_spin_lock: { size: 4, align: 4, struct: 'bpf_spin_lock', unique: true, label: 'bpf_spin_lock' },
  bpf_res_spin_lock: { size: 4, align: 4, struct: 'bpf_res_spin_lock', unique: true, label: 'bpf_res_spin_lock' },
  bpf_timer: { size: 16, align: 8, struct: 'bpf_timer', unique: true, label: 'bpf_timer' },
  bpf_wq: { size: 16, align: 8, struct: 'bpf_wq', unique: true, label: 'bpf_wq' },
  bpf_task_work: { size: 8, align: 8, struct: 'bpf_task_work', unique: true, label: 'bpf_task_work' },
  bpf_list_head: { size: 16, align: 8, struct: 'bpf_list_head', label: 'bpf_list_head' },
  bpf_list_node: { size: 24, align: 8, struct: 'bpf_list_node', label: 'bpf_list_node' },
  bpf_rb_root: { size: 16, align: 8, struct: 'bpf_rb_root', label: 'bpf_rb_root' },
  bpf_rb_node: { size: 32, align: 8, struct: 'bpf_rb_node', label: 'bpf_rb_node' },
  bpf_refcount: { size: 4, align: 4, struct: 'bpf_refcount', label: 'bpf_refcount' },
  kptr_unref: { size: 8, align: 8, label: 'kptr' },
  kptr_ref: { size: 8, align: 8, label: 'kptr' },
  kptr_percpu: { size: 8, align: 8, label: 'percpu_kptr' },
  uptr: { size: 8, align: 8, label: 'uptr' },
};

const BY_STRUCT = new Map(
  (Object.keys(KINDS) as SpecialFieldKind[]).flatMap((kind) => {
    const { struct } = KINDS[kind];
    return struct === undefined ? [] : [[struct, kind] as const];
  }),
);

/** Type tags of pointers. */
const POINTER_TAGS: Readonly<Record<string, SpecialFieldKind>> = {
  kptr_untrusted: 'kptr_unref',
  kptr: 'kptr_ref',
  percpu_kptr: 'kptr_percpu',
  uptr: 'uptr',
};

/** Kinds as sets: what a map value may hold, and what an allocated object may. */
export const KPTR_KINDS: ReadonlySet<SpecialFieldKind> = new Set(['kptr_unref', 'kptr_ref', 'kptr_percpu']);
const KPTR_OR_UPTR: ReadonlySet<SpecialFieldKind> = new Set([...KPTR_KINDS, 'uptr']);
export const MAP_VALUE_KINDS: ReadonlySet<SpecialFieldKind> = new Set([
  'bpf_spin_lock',
  'bpf_res_spin_lock',
  'bpf_timer',
  ...KPTR_KINDS,
  'bpf_list_head',
  'bpf_rb_root',
  'bpf_refcount',
  'bpf_wq',
  'uptr',
  'bpf_task_work',
]);
export const ALLOC_OBJECT_KINDS: ReadonlySet<SpecialFieldKind> = new Set([
  'bpf_spin_lock',
  'bpf_res_spin_lock',
  'bpf_list_head',
  'bpf_list_node',
  'bpf_rb_root',
  'bpf_rb_node',
  'bpf_refcount',
  ...KPTR_KINDS,
]);

/** Kernel structs that a referenced kptr may hold, and the function that gives one back. */
const DESTRUCTORS: Readonly<Record<string, string>> = {
  task_struct: 'bpf_task_release_dtor',
  cgroup: 'bpf_cgroup_release_dtor',
  bpf_cpumask: 'bpf_cpumask_release_dtor',
  bpf_crypto_ctx: 'bpf_crypto_ctx_release_dtor',
  prog_test_ref_kfunc: 'bpf_kfunc_call_test_release_dtor',
  prog_test_member: 'bpf_kfunc_call_memb_release_dtor',
  sk_buff: 'bpf_kfree_skb_dtor',
};

const MAX_FIELDS = 11;
const MAX_DEPTH = 32;
const PAGE = 4096;

/** Name of a kind of field in messages. */
export const fieldLabel = (kind: SpecialFieldKind): string => KINDS[kind].label;

export const isKptrKind = (kind: SpecialFieldKind): boolean => KPTR_KINDS.has(kind);

export const hasField = (record: SpecialRecord | undefined, ...kinds: SpecialFieldKind[]): boolean =>
  record?.fields.some((field) => kinds.includes(field.kind)) ?? false;

/** The field of one of these kinds that begins exactly at `offset`. */
export const findFieldAt = (
  record: SpecialRecord | undefined,
  offset: number,
  kinds: ReadonlySet<SpecialFieldKind>,
): SpecialField | undefined => record?.fields.find((field) => field.offset === offset && kinds.has(field.kind));

/** Offset of the only field of a kind; -EINVAL without one. */
export const fieldOffset = (record: SpecialRecord | undefined, kind: SpecialFieldKind): number =>
  record?.fields.find((field) => field.kind === kind)?.offset ?? -ERRNO.EINVAL;

/** A field as found, before what it refers to has been looked up. */
interface Found {
  kind: SpecialFieldKind;
  offset: number;
  /** kptr: id of the struct pointed to; list head, rb root: id of the struct linked. */
  target: number;
  /** List head, rb root: name of the node in that struct. */
  node: string;
}

const isStruct = (btf: Btf, id: number): boolean => btf.kind(id) === BTF_KIND.STRUCT;

/** A plain type tag, not a compiler attribute. */
const isTypeTag = (btf: Btf, id: number): boolean => btf.kind(id) === BTF_KIND.TYPE_TAG && !btf.kflag(id);

/** Looks at a member that may be a tagged pointer. Undefined: it is none; a number: an errno. */
function findPointer(
  btf: Btf,
  id: number,
  offset: number,
  kinds: ReadonlySet<SpecialFieldKind>,
): Found | undefined | number {
  const pointer = btf.kind(id) === BTF_KIND.VOLATILE ? btf.type(id) : id;
  if (btf.kind(pointer) !== BTF_KIND.PTR) return undefined;
  const tag = btf.type(pointer);
  if (!isTypeTag(btf, tag)) return undefined;
  if (btf.kind(btf.type(tag)) === BTF_KIND.TYPE_TAG) return -ERRNO.EINVAL;
  const kind = Object.hasOwn(POINTER_TAGS, btf.name(tag)) ? POINTER_TAGS[btf.name(tag)] : undefined;
  if (kind === undefined) return -ERRNO.EINVAL;
  if (!kinds.has(kind)) return undefined;
  const target = btf.skipModsAndTypedefs(btf.type(tag));
  if (!isStruct(btf, target)) return -ERRNO.EINVAL;
  return { kind, offset, target, node: '' };
}

/** A list head or tree root: a tag "contains:STRUCT:NODE" on the member tells what is linked. */
function findRoot(btf: Btf, owner: number, component: number, offset: number, kind: SpecialFieldKind): Found | number {
  const tag = findDeclTag(btf, owner, component, 'contains:');
  if (typeof tag === 'number') return -ERRNO.EINVAL;
  const colon = tag.indexOf(':');
  if (colon < 0) return -ERRNO.EINVAL;
  const target = btf.find(tag.slice(0, colon), BTF_KIND.STRUCT);
  if (target === 0) return -ERRNO.ENOENT;
  const node = tag.slice(colon + 1);
  if (node === '') return -ERRNO.EINVAL;
  return { kind, offset, target, node };
}

class FieldScan {
  readonly found: Found[] = [];
  private readonly btf: Btf;
  private readonly kinds: ReadonlySet<SpecialFieldKind>;

  constructor(btf: Btf, kinds: ReadonlySet<SpecialFieldKind>) {
    this.btf = btf;
    this.kinds = kinds;
  }

  /** All fields of a struct or data section: 0 or an errno. */
  run(id: number): number {
    const { btf } = this;
    if (isStruct(btf, id)) return this.struct(id, 0, 0);
    if (btf.kind(id) !== BTF_KIND.DATASEC) return -ERRNO.EINVAL;
    const seen = new Set<SpecialFieldKind>();
    for (let i = 0; i < btf.vlen(id); i++) {
      const variable = btf.secType(id, i);
      const err = this.member(variable, -1, btf.type(variable), btf.secOffset(id, i), btf.secSize(id, i), seen, 0);
      if (err !== 0) return err;
    }
    return 0;
  }

  private struct(id: number, base: number, depth: number): number {
    const { btf } = this;
    const seen = new Set<SpecialFieldKind>();
    for (let i = 0; i < btf.vlen(id); i++) {
      const bit = btf.memberBitOffset(id, i);
      if (bit % 8 !== 0) return -ERRNO.EINVAL;
      const before = this.found.length;
      const err = this.member(id, i, btf.memberType(id, i), bit / 8, 0, seen, depth);
      if (err !== 0) return err;
      if (base !== 0) for (let f = before; f < this.found.length; f++) this.found[f].offset += base;
    }
    return 0;
  }

  /** One member or variable; `expected` is the size that a data section gives it, 0 for any. */
  private member(
    owner: number,
    component: number,
    type: number,
    offset: number,
    expected: number,
    seen: Set<SpecialFieldKind>,
    depth: number,
  ): number {
    const { btf } = this;
    let count = 1;
    let element = type;
    let arrays = 0;
    while (btf.kind(element) === BTF_KIND.ARRAY) {
      if (++arrays >= MAX_DEPTH) return -ERRNO.E2BIG;
      count = Math.imul(count, btf.arrayLength(element)) >>> 0;
      element = btf.arrayElem(element);
    }
    if (count === 0) return 0;
    const kind = this.kindOf(element);
    if (kind === undefined) {
      if (!isStruct(btf, element)) return 0;
      if (expected !== 0 && expected !== btf.size(element) * count) return 0;
      return this.nested(element, offset, count, depth);
    }
    const info = KINDS[kind];
    if (info.unique) {
      if (seen.has(kind)) return -ERRNO.E2BIG;
      seen.add(kind);
    }
    if (expected !== 0 && expected !== info.size * count) return 0;
    if (offset % info.align !== 0) return 0;
    const found = this.locate(owner, component, element, offset, kind);
    if (typeof found === 'number') return found;
    if (found === undefined) return 0;
    if (this.found.length >= MAX_FIELDS) return -ERRNO.E2BIG;
    const first = this.found.length;
    this.found.push(found);
    return count > 1 ? this.repeat(first, count - 1, info.size) : 0;
  }

  /** Kind that a type's name announces; any type that is not a struct may be a kptr. */
  private kindOf(type: number): SpecialFieldKind | undefined {
    const named = BY_STRUCT.get(this.btf.name(type));
    if (named !== undefined && this.kinds.has(named)) return named;
    const pointers = this.kinds.has('kptr_ref') || this.kinds.has('uptr');
    return pointers && !isStruct(this.btf, type) ? 'kptr_ref' : undefined;
  }

  private locate(
    owner: number,
    component: number,
    type: number,
    offset: number,
    kind: SpecialFieldKind,
  ): Found | undefined | number {
    if (isKptrKind(kind)) return findPointer(this.btf, type, offset, this.kinds);
    if (!isStruct(this.btf, type) || this.btf.size(type) !== KINDS[kind].size) return undefined;
    if (kind === 'bpf_list_head' || kind === 'bpf_rb_root') return findRoot(this.btf, owner, component, offset, kind);
    return { kind, offset, target: 0, node: '' };
  }

  private nested(id: number, offset: number, count: number, depth: number): number {
    if (depth + 1 >= MAX_DEPTH) return -ERRNO.E2BIG;
    const first = this.found.length;
    const err = this.struct(id, offset, depth + 1);
    if (err !== 0 || this.found.length === first) return err;
    return count > 1 ? this.repeat(first, count - 1, this.btf.size(id)) : 0;
  }

  /** Elements of an array after the first one. */
  private repeat(first: number, times: number, size: number): number {
    const element = this.found.slice(first);
    for (const { kind } of element) {
      if (!KPTR_OR_UPTR.has(kind) && kind !== 'bpf_list_head' && kind !== 'bpf_rb_root') return -ERRNO.EINVAL;
    }
    if (first + element.length * (times + 1) > MAX_FIELDS) return -ERRNO.E2BIG;
    for (let i = 1; i <= times; i++) {
      for (const field of element) this.found.push({ ...field, offset: field.offset + i * size });
    }
    return 0;
  }
}

/** What a kptr points to: the kernel's struct of that name if there is one, else the program's own. */
function resolvePointer(btf: Btf, kernel: Btf, found: Found, field: SpecialField): number {
  const name = btf.name(found.target);
  const id = kernel.find(name, btf.kind(found.target));
  field.btf = id === 0 ? btf : kernel;
  field.btfId = id === 0 ? found.target : id;
  if (id === 0 || found.kind !== 'kptr_ref') return 0;
  const destructor = Object.hasOwn(DESTRUCTORS, name) ? DESTRUCTORS[name] : undefined;
  return destructor !== undefined && kernel.find(destructor, BTF_KIND.FUNC) !== 0 ? 0 : -ERRNO.ENOENT;
}

function resolveRoot(btf: Btf, found: Found, field: SpecialField): number {
  const node = found.kind === 'bpf_list_head' ? 'bpf_list_node' : 'bpf_rb_node';
  for (let i = 0; i < btf.vlen(found.target); i++) {
    if (btf.memberName(found.target, i) !== found.node) continue;
    if (field.nodeOffset !== undefined) return -ERRNO.EINVAL;
    const type = btf.memberType(found.target, i);
    if (!isStruct(btf, type) || btf.name(type) !== node) return -ERRNO.EINVAL;
    const bit = btf.memberBitOffset(found.target, i);
    if (bit % 8 !== 0 || (bit / 8) % KINDS[node].align !== 0) return -ERRNO.EINVAL;
    field.btf = btf;
    field.btfId = found.target;
    field.nodeOffset = bit / 8;
  }
  return field.nodeOffset === undefined ? -ERRNO.ENOENT : 0;
}

function checkCombination(record: SpecialRecord): number {
  const spin = hasField(record, 'bpf_spin_lock');
  const res = hasField(record, 'bpf_res_spin_lock');
  if (spin && res) return -ERRNO.EINVAL;
  if (hasField(record, 'bpf_list_head', 'bpf_rb_root') && !spin && !res) return -ERRNO.EINVAL;
  const bothNodes = hasField(record, 'bpf_list_node') && hasField(record, 'bpf_rb_node');
  return bothNodes && !hasField(record, 'bpf_refcount') ? -ERRNO.EINVAL : 0;
}

export interface ParseOptions {
  /** Kinds to look for; those of a map value if left out. */
  kinds?: ReadonlySet<SpecialFieldKind>;
  /** Bytes that the value has; the type's own size if left out. */
  size?: number;
  /** vmlinux BTF, which kptrs lead into; without it they lead into the program's own. */
  kernel?: Btf;
}

/**
 * The special fields of a struct, union or data section, or undefined if it has none. A negative number is an errno:
 * fields that are malformed, too many (11), or must not stand together.
 */
export function parseSpecialRecord(
  btf: Btf,
  typeId: number,
  options: ParseOptions = {},
): SpecialRecord | undefined | number {
  const scan = new FieldScan(btf, options.kinds ?? MAP_VALUE_KINDS);
  const err = scan.run(typeId);
  if (err !== 0) return err;
  if (scan.found.length === 0) return undefined;
  const size = options.size ?? btf.size(typeId);
  const record: SpecialRecord = { fields: [] };
  let next = 0;
  for (const found of scan.found) {
    const field: SpecialField = { kind: found.kind, offset: found.offset, size: KINDS[found.kind].size };
    if (field.offset + field.size > size) return -ERRNO.EFAULT;
    if (field.offset < next) return -ERRNO.EEXIST;
    next = field.offset + field.size;
    let bad = 0;
    if (KPTR_OR_UPTR.has(found.kind)) bad = resolvePointer(btf, options.kernel ?? btf, found, field);
    else if (found.target !== 0) bad = resolveRoot(btf, found, field);
    if (bad !== 0) return bad;
    record.fields.push(field);
  }
  const bad = checkCombination(record);
  return bad === 0 ? record : bad;
}

/**
 * What can only be said once all structs of the BTF are known: what lists and trees link must exist and not be linked
 * itself; what uptrs lead to must fit a page. 0 or a negative errno (btf_check_and_fixup_fields).
 */
export function checkSpecialRecord(btf: Btf, record: SpecialRecord | undefined, kernel: Btf): number {
  if (record === undefined) return 0;
  const linked = hasField(record, 'bpf_list_node', 'bpf_rb_node');
  for (const field of record.fields) {
    if (field.kind === 'uptr') {
      if (field.btf === kernel || field.btf === undefined) return -ERRNO.EINVAL;
      const size = field.btf.size(field.btfId ?? 0);
      if (size === 0) return -ERRNO.EINVAL;
      if (size > PAGE) return -ERRNO.E2BIG;
    } else if (field.kind === 'bpf_list_head' || field.kind === 'bpf_rb_root') {
      const meta = findStructMeta(btf, field.btfId ?? 0, kernel);
      if (meta === undefined) return -ERRNO.EFAULT;
      if (linked && hasField(meta, 'bpf_list_head', 'bpf_rb_root')) return -ERRNO.ELOOP;
    }
  }
  return 0;
}

const MARKERS = ['bpf_spin_lock', 'bpf_list_head', 'bpf_list_node', 'bpf_rb_root', 'bpf_rb_node', 'bpf_refcount'];

const metas = new WeakMap<Btf, ReadonlyMap<number, SpecialRecord> | number>();

/**
 * Records of all structs of a program's BTF that can be allocated with special fields; made once. A negative number is
 * the errno with which Linux refuses to load the BTF.
 */
export function structMetas(btf: Btf, kernel: Btf): ReadonlyMap<number, SpecialRecord> | number {
  let table = metas.get(btf);
  if (table === undefined) {
    table = makeStructMetas(btf, kernel);
    metas.set(btf, table);
  }
  return table;
}

function makeStructMetas(btf: Btf, kernel: Btf): ReadonlyMap<number, SpecialRecord> | number {
  const marked = new Set<number>();
  for (const name of MARKERS) {
    const id = btf.find(name, BTF_KIND.STRUCT);
    if (id !== 0) marked.add(id);
  }
  for (let id = 1; id < btf.count; id++) {
    const found = findPointer(btf, id, 0, KPTR_KINDS);
    if (found !== undefined && typeof found !== 'number') marked.add(id);
  }
  const table = new Map<number, SpecialRecord>();
  if (marked.size === 0) return table;
  for (let id = 1; id < btf.count; id++) {
    if (!isStruct(btf, id)) continue;
    let hit = false;
    for (let i = 0; i < btf.vlen(id) && !hit; i++) hit = marked.has(btf.memberType(id, i));
    if (!hit) continue;
    const record = parseSpecialRecord(btf, id, { kinds: ALLOC_OBJECT_KINDS, kernel });
    if (typeof record === 'number') return record;
    if (record === undefined) return -ERRNO.EFAULT;
    table.set(id, record);
  }
  return table;
}

/** Record of one struct of a program's BTF; undefined if it has no special fields, and for the kernel's own BTF. */
export function findStructMeta(btf: Btf | undefined, id: number, kernel: Btf): SpecialRecord | undefined {
  if (btf === undefined || btf === kernel) return undefined;
  const table = structMetas(btf, kernel);
  return typeof table === 'number' ? undefined : table.get(id);
}

/**
 * Record of the map value or allocated object behind a register. Objects can only be allocated from a BTF whose
 * structMetas() have been made.
 */
export function regRecord(reg: RegState): SpecialRecord | undefined {
  if (reg.type === REG.MAP_VALUE) return reg.map?.record;
  if (!isPtrAllocObj(reg.type) || reg.btf === undefined) return undefined;
  const table = metas.get(reg.btf);
  return table === undefined || typeof table === 'number' ? undefined : table.get(reg.btfId);
}

/** The field of one kind at an offset of it. */
export const regField = (reg: RegState, offset: number, kind: SpecialFieldKind): SpecialField | undefined =>
  findFieldAt(regRecord(reg), offset, new Set([kind]));
