// Maps, map iteration, tail calls and local storage: prototypes of the helper functions, by helper number; variants stand beside their kind.
import { A, btfOrNull, type ProtoTable, R } from '../verifier/helper-proto.ts';

export const MAPS_HELPERS = {
  map_lookup_elem: { ret: R.valueOrNull, args: [A.map, A.key], packet: true },
  map_update_elem: { ret: R.int, args: [A.map, A.key, A.value, A.any], packet: true },
  map_delete_elem: { ret: R.int, args: [A.map, A.key], packet: true },
  tail_call: { ret: R.void, args: [A.ctx, A.map, A.any] },
  get_local_storage: { ret: R.value, args: [A.map, A.any] },
  map_push_elem: { ret: R.int, args: [A.map, A.value, A.any], packet: true },
  map_pop_elem: { ret: R.int, args: [A.map, A.valueOut] },
  map_peek_elem: { ret: R.int, args: [A.map, A.valueOut] },
  sk_storage_get: { ret: R.valueOrNull, args: [A.map, A.btfSockCommon, A.valueOrNull, A.any] },
  sk_storage_get_cg_sock: {
    ret: R.valueOrNull,
    args: [A.map, A.ctx, A.valueOrNull, A.any],
    symbol: 'bpf_sk_storage_get',
  },
  sk_storage_get_tracing: {
    ret: R.valueOrNull,
    args: [A.map, btfOrNull('sock_common'), A.valueOrNull, A.any],
    allowed: 'sk-storage-tracing',
  },
  sk_storage_delete: { ret: R.int, args: [A.map, A.btfSockCommon] },
  sk_storage_delete_tracing: { ret: R.int, args: [A.map, btfOrNull('sock_common')], allowed: 'sk-storage-tracing' },
  inode_storage_get: { ret: R.valueOrNull, args: [A.map, btfOrNull('inode'), A.valueOrNull, A.any] },
  inode_storage_delete: { ret: R.int, args: [A.map, btfOrNull('inode')] },
  task_storage_get: { ret: R.valueOrNull, args: [A.map, btfOrNull('task_struct'), A.valueOrNull, A.any] },
  task_storage_get_recur: { ret: R.valueOrNull, args: [A.map, btfOrNull('task_struct'), A.valueOrNull, A.any] },
  task_storage_delete: { ret: R.int, args: [A.map, btfOrNull('task_struct')] },
  task_storage_delete_recur: { ret: R.int, args: [A.map, btfOrNull('task_struct')] },
  for_each_map_elem: { ret: R.int, args: [A.map, A.func, A.stackOrNull, A.any] },
  map_lookup_percpu_elem: { ret: R.valueOrNull, args: [A.map, A.key, A.any], packet: true },
  cgrp_storage_get: { ret: R.valueOrNull, args: [A.map, btfOrNull('cgroup'), A.valueOrNull, A.any] },
  cgrp_storage_delete: { ret: R.int, args: [A.map, btfOrNull('cgroup')] },
} satisfies ProtoTable;
