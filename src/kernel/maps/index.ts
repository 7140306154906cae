// Families by map type; a type without one cannot be made.
import type { MapTypeName } from '../../isa/uapi.ts';
import { MAP_TYPES } from '../../isa/uapi.ts';
import { arena } from './arena.ts';
import { array, percpuArray } from './array.ts';
import { bloomFilter } from './bloom.ts';
import { cpumap, devmap, devmapHash, reuseportSockarray, xskmap } from './devices.ts';
import { arrayOfMaps, cgroupArray, perfEventArray, progArray } from './fd-array.ts';
import { hash, hashOfMaps } from './hash.ts';
import { cgroupStorage, localStorage } from './local-storage.ts';
import { lpmTrie } from './lpm-trie.ts';
import { queueStack } from './queue-stack.ts';
import type { MapFamily } from './record.ts';
import { ringbuf } from './ringbuf.ts';
import { sockhash, sockmap } from './sockets.ts';
import { stackTrace } from './stack-trace.ts';
import { structOps } from './struct-ops.ts';

const FAMILIES: Readonly<Partial<Record<MapTypeName, MapFamily>>> = {
  hash,
  array,
  prog_array: progArray,
  perf_event_array: perfEventArray,
  percpu_hash: hash,
  percpu_array: percpuArray,
  stack_trace: stackTrace,
  cgroup_array: cgroupArray,
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
  struct_ops: structOps,
  ringbuf,
  user_ringbuf: ringbuf,
  bloom_filter: bloomFilter,
  arena,
};

export const familyOf = (type: number): MapFamily | undefined => FAMILIES[MAP_TYPES[type]];
