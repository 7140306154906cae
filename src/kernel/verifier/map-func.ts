// Which maps go with which helpers. Rule: check_map_func_compatibility, verifier.c, 6.18.
import { ERRNO } from '../../errno.ts';
import {
  ATTACH_TYPE,
  HELPER,
  HELPERS,
  type HelperName,
  MAP_TYPE,
  type MapTypeName,
  PROG_TYPE,
} from '../../isa/uapi.ts';
import type { KMap } from '../objects.ts';
import type { VerifierEnv } from './env.ts';

/** "bpf_map_lookup_elem"; "unknown" for numbers that no helper has. */
export const helperText = (id: number): string => (HELPERS[id] === undefined ? 'unknown' : `bpf_${HELPERS[id]}`);

/** The only helpers that take a map of that type. Types without a row go with any. */
const HELPERS_OF: Readonly<Partial<Record<MapTypeName, readonly HelperName[]>>> = {
  prog_array: ['tail_call'],
  perf_event_array: ['perf_event_read', 'perf_event_output', 'skb_output', 'perf_event_read_value', 'xdp_output'],
  ringbuf: [
    'ringbuf_output',
    'ringbuf_reserve',
    'ringbuf_query',
    'ringbuf_reserve_dynptr',
    'ringbuf_submit_dynptr',
    'ringbuf_discard_dynptr',
  ],
  user_ringbuf: ['user_ringbuf_drain'],
  stack_trace: ['get_stackid'],
  cgroup_array: ['skb_under_cgroup', 'current_task_under_cgroup'],
  cgroup_storage: ['get_local_storage'],
  percpu_cgroup_storage: ['get_local_storage'],
  devmap: ['redirect_map', 'map_lookup_elem'],
  devmap_hash: ['redirect_map', 'map_lookup_elem'],
  cpumap: ['redirect_map'],
  xskmap: ['redirect_map', 'map_lookup_elem'],
  array_of_maps: ['map_lookup_elem'],
  hash_of_maps: ['map_lookup_elem'],
  sockmap: ['sk_redirect_map', 'sock_map_update', 'msg_redirect_map', 'sk_select_reuseport', 'map_lookup_elem'],
  sockhash: ['sk_redirect_hash', 'sock_hash_update', 'msg_redirect_hash', 'sk_select_reuseport', 'map_lookup_elem'],
  reuseport_sockarray: ['sk_select_reuseport'],
  queue: ['map_peek_elem', 'map_pop_elem', 'map_push_elem'],
  stack: ['map_peek_elem', 'map_pop_elem', 'map_push_elem'],
  sk_storage: ['sk_storage_get', 'sk_storage_delete', 'kptr_xchg'],
  inode_storage: ['inode_storage_get', 'inode_storage_delete', 'kptr_xchg'],
  task_storage: ['task_storage_get', 'task_storage_delete', 'kptr_xchg'],
  cgrp_storage: ['cgrp_storage_get', 'cgrp_storage_delete', 'kptr_xchg'],
  bloom_filter: ['map_peek_elem', 'map_push_elem'],
};

const QUEUES: readonly MapTypeName[] = ['queue', 'stack'];

/** The only map types that a helper takes. Helpers without a row go with any. */
const MAPS_OF: Readonly<Partial<Record<HelperName, readonly MapTypeName[]>>> = {
  tail_call: ['prog_array'],
  perf_event_read: ['perf_event_array'],
  perf_event_output: ['perf_event_array'],
  perf_event_read_value: ['perf_event_array'],
  skb_output: ['perf_event_array'],
  xdp_output: ['perf_event_array'],
  ringbuf_output: ['ringbuf'],
  ringbuf_reserve: ['ringbuf'],
  ringbuf_query: ['ringbuf'],
  ringbuf_reserve_dynptr: ['ringbuf'],
  ringbuf_submit_dynptr: ['ringbuf'],
  ringbuf_discard_dynptr: ['ringbuf'],
  user_ringbuf_drain: ['user_ringbuf'],
  get_stackid: ['stack_trace'],
  current_task_under_cgroup: ['cgroup_array'],
  skb_under_cgroup: ['cgroup_array'],
  redirect_map: ['devmap', 'devmap_hash', 'cpumap', 'xskmap'],
  sk_redirect_map: ['sockmap'],
  msg_redirect_map: ['sockmap'],
  sock_map_update: ['sockmap'],
  sk_redirect_hash: ['sockhash'],
  msg_redirect_hash: ['sockhash'],
  sock_hash_update: ['sockhash'],
  get_local_storage: ['cgroup_storage', 'percpu_cgroup_storage'],
  sk_select_reuseport: ['reuseport_sockarray', 'sockmap', 'sockhash'],
  map_pop_elem: QUEUES,
  map_peek_elem: [...QUEUES, 'bloom_filter'],
  map_push_elem: [...QUEUES, 'bloom_filter'],
  map_lookup_percpu_elem: ['percpu_array', 'percpu_hash', 'lru_percpu_hash'],
  sk_storage_get: ['sk_storage'],
  sk_storage_delete: ['sk_storage'],
  inode_storage_get: ['inode_storage'],
  inode_storage_delete: ['inode_storage'],
  task_storage_get: ['task_storage'],
  task_storage_delete: ['task_storage'],
  cgrp_storage_get: ['cgrp_storage'],
  cgrp_storage_delete: ['cgrp_storage'],
};

const helpersOf = new Map<number, ReadonlySet<number>>();
for (const [type, names] of Object.entries(HELPERS_OF)) {
  helpersOf.set(MAP_TYPE[type as MapTypeName], new Set(names.map((name) => HELPER[name])));
}
const mapsOf = new Map<number, ReadonlySet<number>>();
for (const [helper, types] of Object.entries(MAPS_OF)) {
  mapsOf.set(HELPER[helper as HelperName], new Set(types.map((type) => MAP_TYPE[type])));
}

/** Types whose programs run where sockets may be put into a map. */
const MAY_UPDATE_SOCKMAP: ReadonlySet<number> = new Set([
  PROG_TYPE.socket_filter,
  PROG_TYPE.sched_cls,
  PROG_TYPE.sched_act,
  PROG_TYPE.xdp,
  PROG_TYPE.sk_reuseport,
  PROG_TYPE.flow_dissector,
  PROG_TYPE.sk_lookup,
]);

function mayUpdateSockmap(env: VerifierEnv, id: number): boolean {
  if (id !== HELPER.map_update_elem && id !== HELPER.map_delete_elem) return false;
  if (MAY_UPDATE_SOCKMAP.has(env.progType)) return true;
  if (env.progType === PROG_TYPE.tracing && env.expectedAttachType === ATTACH_TYPE.trace_iter) return true;
  if (env.progType === PROG_TYPE.sock_ops && id === HELPER.map_delete_elem) return true;
  env.log.write('cannot update sockmap in this context\n');
  return false;
}

function goTogether(env: VerifierEnv, map: KMap, id: number): boolean {
  const helpers = helpersOf.get(map.type);
  if (helpers && !helpers.has(id)) {
    const sockets = map.type === MAP_TYPE.sockmap || map.type === MAP_TYPE.sockhash;
    if (!sockets || !mayUpdateSockmap(env, id)) return false;
  }
  return mapsOf.get(id)?.has(map.type) ?? true;
}

/** 0 if helper `id` takes this map, else -EINVAL with a message. */
export function checkMapFuncCompatibility(env: VerifierEnv, map: KMap | undefined, id: number): number {
  if (map === undefined || goTogether(env, map, id)) return 0;
  env.log.write(`cannot pass map_type ${map.type} into func ${helperText(id)}#${id}\n`);
  return -ERRNO.EINVAL;
}
