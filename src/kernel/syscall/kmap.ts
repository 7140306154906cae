// A stored map as the verifier, the rewriter and the emitter see it.
import { MAP_TYPE } from '../../isa/uapi.ts';
import { arenaStart } from '../maps/arena.ts';
import { FLAG } from '../maps/flags.ts';
import { readArea } from '../maps/pages.ts';
import type { InnerTemplate, MapAccess, MapRecord } from '../maps/record.ts';
import type { KMap } from '../objects.ts';

/** What is known of a map besides its row. */
type MapTypes = Pick<KMap, 'btf' | 'record' | 'innerMap' | 'programAt'>;

export function simulatedMap(access: MapAccess, types: MapTypes): KMap {
  const { map } = access;
  const { id, type, keySize, valueSize, maxEntries, flags, name, frozen, bypassSpecV1, address, valueAddress } = map;
  const constant = frozen && (flags & FLAG.RDONLY_PROG) !== 0 && valueAddress !== undefined;
  return {
    ...types,
    id,
    type,
    keySize,
    valueSize,
    maxEntries,
    flags,
    mapExtra: type === MAP_TYPE.arena ? arenaStart(map) : map.extra,
    name,
    btfKeyTypeId: map.btfKeyType,
    btfValueTypeId: map.btfValueType,
    btfVmlinuxValueTypeId: map.btfVmlinuxValueType,
    frozen,
    bypassSpecV1,
    address,
    valueAddress,
    constantBytes: (offset, size) => (constant ? readArea(access, offset, size) : undefined),
  };
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
