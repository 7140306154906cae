// The maps and BTF objects that a program refers to, and whether it may. Rule: check_map_prog_compatibility,
// process_fd_array, verifier.c, 6.18.
import { ERRNO, SysError } from '../../errno.ts';
import { MAP_TYPE, PROG_TYPE } from '../../isa/uapi.ts';
import type { KBtf, KMap } from '../objects.ts';
import type { VerifierEnv } from './env.ts';
import { hasField } from './special-fields.ts';

const MAX_USED = 64;

const TRACING: ReadonlySet<number> = new Set([
  PROG_TYPE.kprobe,
  PROG_TYPE.tracepoint,
  PROG_TYPE.perf_event,
  PROG_TYPE.raw_tracepoint,
  PROG_TYPE.raw_tracepoint_writable,
]);

/** Maps that a program which may sleep can use. */
const SLEEPABLE_MAPS: ReadonlySet<number> = new Set([
  MAP_TYPE.hash,
  MAP_TYPE.lru_hash,
  MAP_TYPE.array,
  MAP_TYPE.percpu_hash,
  MAP_TYPE.percpu_array,
  MAP_TYPE.lru_percpu_hash,
  MAP_TYPE.array_of_maps,
  MAP_TYPE.hash_of_maps,
  MAP_TYPE.ringbuf,
  MAP_TYPE.user_ringbuf,
  MAP_TYPE.inode_storage,
  MAP_TYPE.sk_storage,
  MAP_TYPE.task_storage,
  MAP_TYPE.cgrp_storage,
  MAP_TYPE.queue,
  MAP_TYPE.stack,
  MAP_TYPE.arena,
]);

/** Why a program of this type cannot use a map with such values; undefined: it can. */
function valueConflict(env: VerifierEnv, map: KMap): string | undefined {
  const { record } = map;
  const tracing = TRACING.has(env.progType);
  if (tracing && hasField(record, 'bpf_list_head', 'bpf_rb_root')) {
    return 'tracing progs cannot use bpf_{list_head,rb_root} yet';
  }
  if (hasField(record, 'bpf_spin_lock', 'bpf_res_spin_lock')) {
    if (env.progType === PROG_TYPE.socket_filter) return 'socket filter progs cannot use bpf_spin_lock yet';
    if (tracing) return 'tracing progs cannot use bpf_spin_lock yet';
  }
  if (tracing && hasField(record, 'bpf_timer')) return 'tracing progs cannot use bpf_timer yet';
  if (tracing && hasField(record, 'bpf_wq')) return 'tracing progs cannot use bpf_wq yet';
  if (map.type === MAP_TYPE.struct_ops) return 'bpf_struct_ops map cannot be used in prog';
  if (env.sleepable && !SLEEPABLE_MAPS.has(map.type)) {
    return 'Sleepable programs can only use array, hash, ringbuf and local storage maps';
  }
  return undefined;
}

function addCgroupStorage(env: VerifierEnv, map: KMap): number {
  const kind = map.type === MAP_TYPE.percpu_cgroup_storage ? 1 : 0;
  const other = env.cgroupStorage[kind];
  if (other !== undefined && other !== map) {
    env.log.write('only one cgroup storage of each type is allowed\n');
    return -ERRNO.EBUSY;
  }
  env.cgroupStorage[kind] = map;
  return 0;
}

function addArena(env: VerifierEnv, map: KMap): number {
  if (env.arena !== undefined) {
    env.log.write('Only one arena per program\n');
    return -ERRNO.EBUSY;
  }
  if (!env.allowPtrLeaks || !env.bpfCapable) {
    env.log.write('CAP_BPF and CAP_PERFMON are required to use arena\n');
    return -ERRNO.EPERM;
  }
  env.arena = map;
  if (map.mapExtra === 0n) {
    env.log.write("arena's user address must be set via map_extra or mmap()\n");
    return -ERRNO.EINVAL;
  }
  return 0;
}

function checkCompatible(env: VerifierEnv, map: KMap): number {
  const conflict = valueConflict(env, map);
  if (conflict !== undefined) {
    env.log.write(`${conflict}\n`);
    return -ERRNO.EINVAL;
  }
  if (map.type === MAP_TYPE.cgroup_storage || map.type === MAP_TYPE.percpu_cgroup_storage) {
    return addCgroupStorage(env, map);
  }
  return map.type === MAP_TYPE.arena ? addArena(env, map) : 0;
}

/** Index of the map in env.usedMaps, to which it is added, or a negative errno. */
export function addUsedMap(env: VerifierEnv, map: KMap): number {
  const known = env.usedMaps.indexOf(map);
  if (known >= 0) return known;
  if (env.usedMaps.length >= MAX_USED) {
    env.log.write(`The total number of maps per program has reached the limit of ${MAX_USED}\n`);
    return -ERRNO.E2BIG;
  }
  const err = checkCompatible(env, map);
  if (err !== 0) return err;
  env.usedMaps.push(map);
  return env.usedMaps.length - 1;
}

export function addUsedBtf(env: VerifierEnv, btf: KBtf): number {
  if (env.usedBtfs.includes(btf)) return 0;
  if (env.usedBtfs.length >= MAX_USED) {
    env.log.write(`The total number of btfs per program has reached the limit of ${MAX_USED}\n`);
    return -ERRNO.E2BIG;
  }
  env.usedBtfs.push(btf);
  return 0;
}

/** What `find` gives, or the negative errno that it throws. */
export function tryFind<T>(find: () => T): T | number {
  try {
    return find();
  } catch (error) {
    if (error instanceof SysError) return -error.errno;
    throw error;
  }
}

/** The map of a descriptor that an instruction names, added to env.usedMaps: its index or a negative errno. */
export function addUsedMapFd(env: VerifierEnv, fd: number): number {
  const map = tryFind(() => env.request.mapByFd(fd));
  if (typeof map !== 'number') return addUsedMap(env, map);
  env.log.write(`fd ${fd} is not pointing to valid bpf_map\n`);
  return map;
}

/** With fd_array_cnt every descriptor of fd_array belongs to the program. 0 or a negative errno. */
export function bindFdArray(env: VerifierEnv): number {
  const { fdArray, fdArrayBinds } = env.request;
  if (fdArray === undefined || !fdArrayBinds) return 0;
  for (const fd of fdArray) {
    const map = tryFind(() => env.request.mapByFd(fd));
    let err: number;
    if (typeof map !== 'number') {
      err = Math.min(addUsedMap(env, map), 0);
    } else {
      const btf = tryFind(() => env.request.btfByFd(fd));
      if (typeof btf === 'number') {
        env.log.write(`fd ${fd} is not pointing to valid bpf_map or btf\n`);
        return map;
      }
      err = addUsedBtf(env, btf);
    }
    if (err !== 0) return err;
  }
  return 0;
}
