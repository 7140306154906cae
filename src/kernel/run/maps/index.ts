// Maps of a machine by their type.
import { MAP_TYPES, type MapTypeName } from '../../../isa/uapi.ts';
import type { KMap } from '../../objects.ts';
import type { Machine } from '../machine.ts';
import { RunFault } from '../memory.ts';
import type { RunMap } from '../run-map.ts';
import { RunArray, RunPerCpuArray } from './array.ts';
import { RunBloom } from './bloom.ts';
import { RunHash, RunTrie } from './hash.ts';
import { RunHolder } from './holders.ts';
import { RunQueue } from './queue.ts';
import { RunRingbuf } from './ringbuf.ts';

type MapClass = new (m: Machine, map: KMap) => RunMap;

const FAMILIES: Readonly<Partial<Record<MapTypeName, MapClass>>> = {
  array: RunArray,
  percpu_array: RunPerCpuArray,
  hash: RunHash,
  lru_hash: RunHash,
  percpu_hash: RunHash,
  lru_percpu_hash: RunHash,
  lpm_trie: RunTrie,
  queue: RunQueue,
  stack: RunQueue,
  bloom_filter: RunBloom,
  ringbuf: RunRingbuf,
  prog_array: RunHolder,
  array_of_maps: RunHolder,
  hash_of_maps: RunHolder,
  perf_event_array: RunHolder,
  cgroup_array: RunHolder,
  devmap: RunHolder,
  devmap_hash: RunHolder,
  cpumap: RunHolder,
  xskmap: RunHolder,
  sockmap: RunHolder,
  sockhash: RunHolder,
  reuseport_sockarray: RunHolder,
  stack_trace: RunHolder,
  user_ringbuf: RunHolder,
};

/** Whether programs with maps of this type can run. */
export const canRunMap = (type: number): boolean => FAMILIES[MAP_TYPES[type]] !== undefined;

/**
 * Gives a machine an empty map and a region for its struct bpf_map, which nothing reads. Throws RunFault for a type that
 * has no implementation.
 */
export function addMap(m: Machine, map: KMap): RunMap {
  const known = m.maps.get(map.address);
  if (known !== undefined) return known;
  const family = FAMILIES[MAP_TYPES[map.type]];
  if (family === undefined) throw new RunFault(`maps of type ${MAP_TYPES[map.type] ?? map.type} cannot run`);
  const made = new family(m, map);
  m.maps.set(map.address, made);
  return made;
}
