// A map as the state file holds it, and what its family must know to work on it.
import type { Database, Row } from '../store/database.ts';

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
  readonly head: number;
  /** Program arrays: type of the programs in it, once known. */
  readonly owner: { type: number; jited: boolean } | undefined;
  /** Maps of maps: what an inner map must be like. */
  readonly inner: InnerTemplate | undefined;
}

export interface InnerTemplate {
  type: number;
  keySize: number;
  valueSize: number;
  maxEntries: number;
  flags: number;
}

const bytesOf = (value: unknown): Uint8Array => (value instanceof Uint8Array ? value : new Uint8Array(0));

export function mapRecord(row: Row): MapRecord {
  const n = (name: string): number => Number(row[name]);
  const parsed = (name: string): unknown => (row[name] === null ? undefined : JSON.parse(String(row[name])));
  return {
    id: n('id'),
    type: n('type'),
    keySize: n('key_size'),
    valueSize: n('value_size'),
    maxEntries: n('max_entries'),
    flags: n('flags'),
    extra: BigInt.asUintN(64, BigInt(row.extra as bigint)),
    name: String(row.name),
    btf: n('btf'),
    btfKeyType: n('btf_key_type'),
    btfValueType: n('btf_value_type'),
    btfVmlinuxValueType: n('btf_vmlinux_value_type'),
    frozen: n('frozen') !== 0,
    bypassSpecV1: n('bypass_spec_v1') !== 0,
    address: BigInt.asUintN(64, BigInt(row.address as bigint)),
    valueAddress: row.value_address === null ? undefined : BigInt.asUintN(64, BigInt(row.value_address as bigint)),
    count: n('count'),
    head: n('head'),
    owner: parsed('owner') as MapRecord['owner'],
    inner: parsed('inner_map') as MapRecord['inner'],
  };
}

export const round8 = (n: number): number => Math.ceil(n / 8) * 8;

/** What an operation on a map works with. */
export interface MapAccess {
  readonly db: Database;
  readonly map: MapRecord;
  readonly cpus: number;
  /** Objects that elements refer to: programs and maps by descriptor. */
  readonly handles: ElementHandles;
}

/** How elements hold on to programs and maps. */
export interface ElementHandles {
  /** Id behind a descriptor of this kind; EBADF or EINVAL. */
  idOf(fd: number, kind: 'prog' | 'map'): number;
  /** The element at `slot` now holds the object, or nothing; the old one is let go. */
  setReference(map: MapRecord, slot: Uint8Array, kind: 'prog' | 'map', id: number | undefined): void;
  reference(map: MapRecord, slot: Uint8Array): number | undefined;
  mapById(id: number): MapRecord;
  progType(id: number): number;
}

/** The operations of a family; every one may throw SysError. */
export interface MapFamily {
  /** What must hold of the attributes; the errno or 0. */
  check(attr: CreateAttr): number;
  /** Bytes charged. */
  memlock(access: MapAccess): number;
  lookup?(access: MapAccess, key: Uint8Array, flags: bigint): Uint8Array;
  update?(access: MapAccess, key: Uint8Array, value: Uint8Array, flags: bigint): void;
  remove?(access: MapAccess, key: Uint8Array): void;
  nextKey?(access: MapAccess, key: Uint8Array | undefined): Uint8Array;
  lookupAndDelete?(access: MapAccess, key: Uint8Array, flags: bigint): Uint8Array;
  /** Errno of lookup, update, delete and next key where the family has none of its own. */
  missing?: Partial<Record<'lookup' | 'update' | 'remove' | 'nextKey' | 'lookupAndDelete', number>>;
  /** True of maps whose programs may hold the address of a value. */
  direct?: boolean;
  /** Bytes of a value at the system call: one per CPU in per-CPU maps. */
  valueBytes?(map: MapRecord, cpus: number): number;
  /** Flags that the kernel adds by itself. */
  addsFlags?: number;
  /** Type of the value: descriptor of a program or of a map. */
  holds?: 'prog' | 'map';
}

export interface CreateAttr {
  type: number;
  keySize: number;
  valueSize: number;
  maxEntries: number;
  flags: number;
  numaNode: number;
  extra: bigint;
  hasInner: boolean;
  hasBtf: boolean;
  /** CONFIG_NR_CPUS */
  maxCpus: number;
}

export { bytesOf };
