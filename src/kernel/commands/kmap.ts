// A stored map as the verifier, the rewriter and the emitter see it.
import type { Btf } from '../../btf/btf.ts';
import { readArea } from '../families/array.ts';
import { FLAG } from '../families/flags.ts';
import type { MapAccess, MapRecord } from '../families/record.ts';
import type { KBtf, KMap, SpecialRecord } from '../objects.ts';
import { mapRecordOf } from './map-btf.ts';

interface Surroundings {
  btf: KBtf | undefined;
  vmlinux(): Btf;
  inner(template: MapRecord): KMap;
}

export class SimulatedMap implements KMap {
  readonly id: number;
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: number;
  readonly mapExtra: bigint;
  readonly name: string;
  readonly btf: KBtf | undefined;
  readonly btfKeyTypeId: number;
  readonly btfValueTypeId: number;
  readonly btfVmlinuxValueTypeId: number;
  readonly record: SpecialRecord | undefined;
  readonly innerMap: KMap | undefined;
  readonly frozen: boolean;
  readonly bypassSpecV1: boolean;
  readonly address: bigint;
  readonly valueAddress: bigint | undefined;
  private readonly access: MapAccess;

  constructor(map: MapRecord, access: MapAccess, around: Surroundings) {
    this.id = map.id;
    this.type = map.type;
    this.keySize = map.keySize;
    this.valueSize = map.valueSize;
    this.maxEntries = map.maxEntries;
    this.flags = map.flags;
    this.mapExtra = map.extra;
    this.name = map.name;
    this.btf = around.btf;
    this.btfKeyTypeId = map.btfKeyType;
    this.btfValueTypeId = map.btfValueType;
    this.btfVmlinuxValueTypeId = map.btfVmlinuxValueType;
    this.frozen = map.frozen;
    this.bypassSpecV1 = map.bypassSpecV1;
    this.address = map.address;
    this.valueAddress = map.valueAddress;
    this.access = access;
    const record =
      around.btf && map.btfValueType
        ? mapRecordOf(around.btf.btf, map.btfValueType, map.valueSize, around.vmlinux)
        : undefined;
    this.record = typeof record === 'number' ? undefined : record;
    this.innerMap = map.inner && around.inner(templateRecord(map));
  }

  constantBytes(offset: number, size: number): Uint8Array | undefined {
    if (!this.frozen || !(this.flags & FLAG.RDONLY_PROG) || this.valueAddress === undefined) return undefined;
    return readArea(this.access, offset, size);
  }
}

/** The template of a map in map: a map without a name, an id or contents. */
const templateRecord = (outer: MapRecord): MapRecord => ({
  ...outer,
  ...(outer.inner as NonNullable<MapRecord['inner']>),
  id: 0,
  name: '',
  btf: 0,
  btfKeyType: 0,
  btfValueType: 0,
  frozen: false,
  inner: undefined,
  owner: undefined,
  address: 0n,
  valueAddress: undefined,
});
