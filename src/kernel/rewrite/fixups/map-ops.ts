// What each map type does at the calls of the map helpers: names of kernel functions.
import type { MapTypeName } from '../../../isa/uapi.ts';

/** Map helpers that are replaced by what the map's type does. */
export type MapOp =
  | 'map_lookup_elem'
  | 'map_update_elem'
  | 'map_delete_elem'
  | 'map_push_elem'
  | 'map_pop_elem'
  | 'map_peek_elem'
  | 'redirect_map'
  | 'for_each_map_elem'
  | 'map_lookup_percpu_elem';

type MapOps = Readonly<Partial<Record<MapOp, string>>>;

const basic = (stem: string, others: MapOps = {}): MapOps => ({
  map_lookup_elem: `${stem}_lookup_elem`,
  map_update_elem: `${stem}_update_elem`,
  map_delete_elem: `${stem}_delete_elem`,
  ...others,
});

const FD_ARRAY: MapOps = { map_lookup_elem: 'fd_array_map_lookup_elem', map_delete_elem: 'fd_array_map_delete_elem' };
const EACH_ARRAY: MapOps = { for_each_map_elem: 'bpf_for_each_array_elem' };
const EACH_HASH: MapOps = { for_each_map_elem: 'bpf_for_each_hash_elem' };

const queueOrStack = (stem: string): MapOps =>
  basic('queue_stack_map', {
    map_push_elem: 'queue_stack_map_push_elem',
    map_pop_elem: `${stem}_pop_elem`,
    map_peek_elem: `${stem}_peek_elem`,
  });

const pushable = (stem: string): MapOps =>
  basic(stem, {
    map_push_elem: `${stem}_push_elem`,
    map_pop_elem: `${stem}_pop_elem`,
    map_peek_elem: `${stem}_peek_elem`,
  });

/** rule: struct bpf_map_ops of each type, 6.18 */
export const MAP_OPS: Readonly<Partial<Record<MapTypeName, MapOps>>> = {
  hash: basic('htab_map', EACH_HASH),
  lru_hash: basic('htab_lru_map', EACH_HASH),
  percpu_hash: {
    map_lookup_elem: 'htab_percpu_map_lookup_elem',
    map_update_elem: 'htab_percpu_map_update_elem',
    map_delete_elem: 'htab_map_delete_elem',
    map_lookup_percpu_elem: 'htab_percpu_map_lookup_percpu_elem',
    ...EACH_HASH,
  },
  lru_percpu_hash: {
    map_lookup_elem: 'htab_lru_percpu_map_lookup_elem',
    map_update_elem: 'htab_lru_percpu_map_update_elem',
    map_delete_elem: 'htab_lru_map_delete_elem',
    map_lookup_percpu_elem: 'htab_lru_percpu_map_lookup_percpu_elem',
    ...EACH_HASH,
  },
  hash_of_maps: { map_lookup_elem: 'htab_of_map_lookup_elem', map_delete_elem: 'htab_map_delete_elem' },
  array: basic('array_map', EACH_ARRAY),
  percpu_array: {
    map_lookup_elem: 'percpu_array_map_lookup_elem',
    map_update_elem: 'array_map_update_elem',
    map_delete_elem: 'array_map_delete_elem',
    map_lookup_percpu_elem: 'percpu_array_map_lookup_percpu_elem',
    ...EACH_ARRAY,
  },
  prog_array: FD_ARRAY,
  perf_event_array: FD_ARRAY,
  cgroup_array: FD_ARRAY,
  array_of_maps: { ...FD_ARRAY, map_lookup_elem: 'array_of_map_lookup_elem' },
  bloom_filter: pushable('bloom_map'),
  arena: pushable('arena_map'),
  queue: queueOrStack('queue_map'),
  stack: queueOrStack('stack_map'),
  lpm_trie: basic('trie'),
  stack_trace: basic('stack_map'),
  ringbuf: basic('ringbuf_map'),
  user_ringbuf: basic('ringbuf_map'),
  devmap: basic('dev_map', { redirect_map: 'dev_map_redirect' }),
  devmap_hash: basic('dev_map_hash', { redirect_map: 'dev_hash_map_redirect' }),
  cpumap: basic('cpu_map', { redirect_map: 'cpu_map_redirect' }),
  xskmap: basic('xsk_map', { redirect_map: 'xsk_map_redirect' }),
  sockmap: {
    map_lookup_elem: 'sock_map_lookup',
    map_update_elem: 'sock_map_update_elem',
    map_delete_elem: 'sock_map_delete_elem',
  },
  sockhash: {
    map_lookup_elem: 'sock_hash_lookup',
    map_update_elem: 'sock_map_update_elem',
    map_delete_elem: 'sock_hash_delete_elem',
  },
  reuseport_sockarray: {
    map_lookup_elem: 'reuseport_array_lookup_elem',
    map_delete_elem: 'reuseport_array_delete_elem',
  },
  cgroup_storage: basic('cgroup_storage'),
  percpu_cgroup_storage: basic('cgroup_storage'),
  cgrp_storage: basic('bpf_cgrp_storage'),
  task_storage: basic('bpf_pid_task_storage'),
  inode_storage: basic('bpf_fd_inode_storage'),
  sk_storage: basic('bpf_fd_sk_storage'),
  struct_ops: basic('bpf_struct_ops_map'),
};
