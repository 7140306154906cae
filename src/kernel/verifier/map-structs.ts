// The kernel structure behind a pointer to a map, by map type. Rule: map_btf_id of the map operations, 6.18.
import { MAP_TYPE, type MapTypeName } from '../../isa/uapi.ts';

const NAMES: Readonly<Partial<Record<MapTypeName, string>>> = {
  hash: 'bpf_htab',
  array: 'bpf_array',
  prog_array: 'bpf_array',
  perf_event_array: 'bpf_array',
  percpu_hash: 'bpf_htab',
  percpu_array: 'bpf_array',
  stack_trace: 'bpf_stack_map',
  cgroup_array: 'bpf_array',
  lru_hash: 'bpf_htab',
  lru_percpu_hash: 'bpf_htab',
  lpm_trie: 'lpm_trie',
  array_of_maps: 'bpf_array',
  hash_of_maps: 'bpf_htab',
  devmap: 'bpf_dtab',
  sockmap: 'bpf_stab',
  cpumap: 'bpf_cpu_map',
  xskmap: 'xsk_map',
  sockhash: 'bpf_shtab',
  cgroup_storage: 'bpf_cgroup_storage_map',
  reuseport_sockarray: 'reuseport_array',
  percpu_cgroup_storage: 'bpf_cgroup_storage_map',
  queue: 'bpf_queue_stack',
  stack: 'bpf_queue_stack',
  sk_storage: 'bpf_local_storage_map',
  devmap_hash: 'bpf_dtab',
  struct_ops: 'bpf_struct_ops_map',
  ringbuf: 'bpf_ringbuf_map',
  inode_storage: 'bpf_local_storage_map',
  task_storage: 'bpf_local_storage_map',
  bloom_filter: 'bpf_bloom_filter',
  user_ringbuf: 'bpf_ringbuf_map',
  cgrp_storage: 'bpf_local_storage_map',
  arena: 'bpf_arena',
};

/** Names by map type number. */
export const MAP_STRUCTS: Readonly<Record<number, string | undefined>> = Object.fromEntries(
  Object.entries(NAMES).map(([type, name]) => [MAP_TYPE[type as MapTypeName], name]),
);
