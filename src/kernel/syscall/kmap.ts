// A stored map as the verifier, the rewriter and the emitter see it.
import { MAP_TYPE } from '../../isa/uapi.ts';
import { arenaStart } from '../maps/arena.ts';
import { FLAG } from '../maps/flags.ts';
import { readArea } from '../maps/pages.ts';
import type { InnerTemplate, MapAccess, MapRecord } from '../maps/record.ts';
import type { KBtf, KMap, SpecialRecord } from '../objects.ts';

/** What is known of a map besides its row. */
export interface MapTypes {
  btf: KBtf | undefined;
  /** Special fields of the value. */
  record: SpecialRecord | undefined;
  innerMap: KMap | undefined;
  /** Program arrays: address of the code in a slot. */
  programAt?(key: number): bigint | undefined;
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
  readonly programAt: ((key: number) => bigint | undefined) | undefined;
  private readonly access: MapAccess;

  constructor(access: MapAccess, types: MapTypes) {
    const { map } = access;
    this.id = map.id;
    this.type = map.type;
    this.keySize = map.keySize;
    this.valueSize = map.valueSize;
    this.maxEntries = map.maxEntries;
    this.flags = map.flags;
    this.mapExtra = map.type === MAP_TYPE.arena ? arenaStart(map) : map.extra;
    this.name = map.name;
    this.btf = types.btf;
    this.btfKeyTypeId = map.btfKeyType;
    this.btfValueTypeId = map.btfValueType;
    this.btfVmlinuxValueTypeId = map.btfVmlinuxValueType;
    this.record = types.record;
    this.innerMap = types.innerMap;
    this.programAt = types.programAt;
    this.frozen = map.frozen;
    this.bypassSpecV1 = map.bypassSpecV1;
    this.address = map.address;
    this.valueAddress = map.valueAddress;
    this.access = access;
  }

  constantBytes(offset: number, size: number): Uint8Array | undefined {
    if (!this.frozen || !(this.flags & FLAG.RDONLY_PROG) || this.valueAddress === undefined) return undefined;
    return readArea(this.access, offset, size);
  }
}

/** A map of these attributes that has nothing else: no name, no id and no contents. */
export const emptyMap = (shape: Pick<MapRecord, (typeof SHAPE)[number]>): MapRecord => ({
  ...NOTHING,
  ...(Object.fromEntries(SHAPE.map((name) => [name, shape[name]])) as typeof shape),
});

const SHAPE = ['type', 'keySize', 'valueSize', 'maxEntries', 'flags'] as const;
const NOTHING = {
  id: 0,
  extra: 0n,
  name: '',
  btf: 0,
  btfKeyType: 0,
  btfValueType: 0,
  btfVmlinuxValueType: 0,
  frozen: false,
  bypassSpecV1: true,
  address: 0n,
  valueAddress: undefined,
  count: 0,
  owner: undefined,
  inner: undefined,
} as const;

/** The template of a map in map as a map. rule: bpf_map_meta_alloc, 6.18 */
export const templateMap = (outer: MapRecord, template: InnerTemplate): MapRecord => ({
  ...emptyMap(template),
  btf: template.btf,
  bypassSpecV1: outer.bypassSpecV1,
});
