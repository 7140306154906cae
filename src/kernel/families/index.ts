// Families by map type; a type without one cannot be made.
import type { MapTypeName } from '../../isa/uapi.ts';
import { MAP_TYPES } from '../../isa/uapi.ts';
import { array, percpuArray } from './array.ts';
import { bloomFilter } from './bloom.ts';
import {
  arena,
  cgroupStorage,
  cpumap,
  devmap,
  devmapHash,
  localStorage,
  reuseportSockarray,
  sockhash,
  sockmap,
  stackTrace,
  xskmap,
} from './empty.ts';
import { arrayOfMaps, eventArray, progArray } from './fd-array.ts';
import { hash, hashOfMaps } from './hash.ts';
import { lpmTrie } from './lpm-trie.ts';
import { queueStack } from './queue-stack.ts';
import type { MapFamily } from './record.ts';
import { ringbuf } from './ringbuf.ts';

const FAMILIES: Readonly<Partial<Record<MapTypeName, MapFamily>>> = {
  hash,
  array,
  prog_array: progArray,
  perf_event_array: eventArray,
  percpu_hash: hash,
  percpu_array: percpuArray,
  stack_trace: stackTrace,
  cgroup_array: eventArray,
  lru_hash: hash,
  lru_percpu_hash: hash,
  lpm_trie: lpmTrie,
  array_of_maps: arrayOfMaps,
  hash_of_maps: hashOfMaps,
  devmap,
  devmap_hash: devmapHash,
  sockmap,
  sockhash,
  cpumap,
  xskmap,
  cgroup_storage: cgroupStorage,
  percpu_cgroup_storage: cgroupStorage,
  reuseport_sockarray: reuseportSockarray,
  queue: queueStack,
  stack: queueStack,
  sk_storage: localStorage,
  inode_storage: localStorage,
  task_storage: localStorage,
  cgrp_storage: localStorage,
  ringbuf,
  user_ringbuf: ringbuf,
  bloom_filter: bloomFilter,
  arena,
};

export const familyOf = (type: number): MapFamily | undefined => FAMILIES[MAP_TYPES[type]];
