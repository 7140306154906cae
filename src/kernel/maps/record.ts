// A map as the state file holds it, and what its family must know to work on it.
import type { Btf } from '../../btf/btf.ts';
import type { Database, Row } from '../store/database.ts';
import { damaged } from '../store/state-error.ts';

/** Programs that a map of programs takes: all must agree with the first. rule: struct bpf_map_owner, 6.18 */
export interface MapOwner {
  type: number;
  jited: boolean;
  xdpHasFrags: boolean;
  expectedAttachType: number;
  /** Prototype of what the program hooks into, as `id of the BTF:id of the type`; unset for none. */
  hook?: string;
  /** Ids of the storages of control groups that the program uses, shared and per CPU; unset or 0 for none. */
  storage?: readonly number[];
}

/** What an inner map must be like: the map that was the template at creation. */
export interface InnerTemplate {
  type: number;
  keySize: number;
  valueSize: number;
  maxEntries: number;
  flags: number;
  /** Where the special fields of its values are described; 0 for none. */
  btf: number;
  btfValueType: number;
}

/** One row of the table of maps. */
export interface MapRecord {
  readonly id: number;
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: number;
  readonly extra: bigint;
  readonly name: string;
  readonly btf: number;
  readonly btfKeyType: number;
  readonly btfValueType: number;
  readonly btfVmlinuxValueType: number;
  readonly frozen: boolean;
  readonly bypassSpecV1: boolean;
  readonly address: bigint;
  readonly valueAddress: bigint | undefined;
  /** Elements of keyed maps and queues. */
  readonly count: number;
  readonly owner: MapOwner | undefined;
  readonly inner: InnerTemplate | undefined;
}

export const bytesOf = (value: unknown): Uint8Array => (value instanceof Uint8Array ? value : new Uint8Array(0));

/** A JSON column; throws StateError when somebody has written something else into it. */
export function jsonColumn(row: Row, name: string): unknown {
  if (row[name] === null) return undefined;
  try {
    return JSON.parse(String(row[name]));
  } catch {
    throw damaged(`column ${name}`);
  }
}

function unsigned64(value: unknown): bigint {
  if (typeof value !== 'bigint') throw damaged('a number');
  return BigInt.asUintN(64, value);
}

export function mapRecord(row: Row): MapRecord {
  const n = (name: string): number => Number(row[name]);
  return {
    id: n('id'),
    type: n('type'),
    keySize: n('key_size'),
    valueSize: n('value_size'),
    maxEntries: n('max_entries'),
    flags: n('flags'),
    extra: unsigned64(row.extra),
    name: String(row.name),
    btf: n('btf'),
    btfKeyType: n('btf_key_type'),
    btfValueType: n('btf_value_type'),
    btfVmlinuxValueType: n('btf_vmlinux_value_type'),
    frozen: n('frozen') !== 0,
    bypassSpecV1: n('bypass_spec_v1') !== 0,
    address: unsigned64(row.address),
    valueAddress: row.value_address === null ? undefined : unsigned64(row.value_address),
    count: n('count'),
    owner: jsonColumn(row, 'owner') as MapOwner | undefined,
    inner: jsonColumn(row, 'inner_map') as InnerTemplate | undefined,
  };
}

export const round8 = (n: number): number => Math.ceil(n / 8) * 8;

/** The smallest power of two that is not below `n`. */
export function powerOfTwo(n: number): number {
  let p = 1;
  while (p < n) p *= 2;
  return p;
}

/** What maps depend on besides their attributes: the kernel image's own sizes, types and options. */
export interface MemoryLayout {
  readonly cpus: number;
  readonly pageSize: number;
  /** Frames that a stack trace may have. */
  readonly maxStackDepth: number;
  /** Bytes of a struct of the kernel. */
  sizeOf(struct: string): number;
  /** Types of the kernel. */
  kernelBtf(): Btf;
  /** Value of CONFIG_…, undefined where not set. */
  config(name: string): string | undefined;
}

/** What the memory of a map depends on. */
export interface MapCharge extends MemoryLayout {
  readonly map: MapRecord;
}

/** What an operation on a map works with. */
export interface MapAccess extends MapCharge {
  readonly db: Database;
  /** Objects that elements refer to: programs and maps by descriptor. */
  readonly handles: ElementHandles;
}

/** What a map asks of a program that it takes. */
export interface ProgramFacts {
  readonly id: number;
  readonly type: number;
  readonly expectedAttachType: number;
  /** Type that it hooks into. */
  readonly attachBtf: number;
}

/** How elements hold on to programs and maps. */
export interface ElementHandles {
  /** Id of the program behind a descriptor, if this map may hold it; EBADF or EINVAL. */
  program(map: MapRecord, fd: number): number;
  /** Any program behind a descriptor; EBADF or EINVAL. */
  programFacts(fd: number): ProgramFacts;
  /** The map behind a descriptor; EBADF or EINVAL. */
  map(fd: number): MapRecord;
  /** Whether both have the same special fields in their values. */
  sameFields(map: MapRecord, template: InnerTemplate): boolean;
  /** The element at `slot` now holds the object, or nothing; the old one is let go. */
  setReference(map: MapRecord, slot: Uint8Array, kind: 'prog' | 'map', id: number | undefined): void;
  reference(map: MapRecord, slot: Uint8Array): number | undefined;
}

/** Attributes of a creation as families check them. */
export interface CreateAttr {
  type: number;
  keySize: number;
  valueSize: number;
  maxEntries: number;
  flags: number;
  extra: bigint;
  /** Key and value have types. */
  hasBtf: boolean;
  /** btf_vmlinux_value_type_id */
  kernelType: number;
  /** CONFIG_NR_CPUS */
  maxCpus: number;
}

/** Operations that a family may lack, each standing for one errno then. */
export type MapOperation = 'lookup' | 'update' | 'remove' | 'nextKey' | 'lookupAndDelete';

/** The operations of a family; every one may throw SysError. */
export interface MapFamily {
  /** What must hold of the attributes, whoever asks; the errno or 0. rule: map_alloc_check of its bpf_map_ops, 6.18 */
  check?(attr: CreateAttr, layout: MemoryLayout): number;
  /** What is looked at only when it is known that the caller may make such a map. rule: map_alloc, 6.18 */
  checkLate?(attr: CreateAttr, layout: MemoryLayout): number;
  /** Number of entries that is kept in place of the one asked for. */
  entries?(attr: CreateAttr, cpus: number): number;
  /** Bytes charged. */
  memlock(charge: MapCharge): number;
  lookup?(access: MapAccess, key: Uint8Array, flags: bigint): Uint8Array;
  update?(access: MapAccess, key: Uint8Array, value: Uint8Array, flags: bigint): void;
  remove?(access: MapAccess, key: Uint8Array): void;
  nextKey?(access: MapAccess, key: Uint8Array | undefined): Uint8Array;
  lookupAndDelete?(access: MapAccess, key: Uint8Array, flags: bigint): Uint8Array;
  /** Errno of what the family has not; ENOTSUPP unless given. */
  missing?: Partial<Record<MapOperation, number>>;
  /** Values whose address programs may hold lie in memory of this many bytes. */
  valueArea?(attr: CreateAttr, layout: MemoryLayout): number;
  /** Bytes of a value at the system call: one per CPU in per-CPU maps. */
  valueBytes?(map: MapRecord, cpus: number): number;
  /** Flags that the kernel adds by itself. */
  addsFlags?: number;
  /** Type of the value: descriptor of a program or of a map. */
  holds?: 'prog' | 'map';
  /** Its maps belong to the first kind of program that uses them or lies in them. */
  owned?: true;
  /** Its maps cannot be inner maps. */
  neverInner?: true;
}
