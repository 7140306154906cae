// What all generated programs may refer to: the maps, which both kernels have.
import type { World, WorldMap } from './program.ts';
import { typeIds, WORLD_BTF } from './world-btf.ts';

/** A map of the world with all its sizes. */
export interface GeneratorMap extends WorldMap {
  key: number;
  value: number;
  max: number;
  /** Byte ranges of the value that plain loads and stores must leave alone. */
  special?: readonly (readonly [from: number, to: number])[];
}

const NO_PREALLOC = 1;
const RDONLY_PROG = 1 << 7;
const MMAPABLE = 1 << 10;
const WRONLY_PROG = 1 << 8;

export const MAPS = {
  array: { type: 'array', key: 4, value: 48, max: 4 },
  hash: { type: 'hash', key: 8, value: 64, max: 16 },
  data: { type: 'array', key: 4, value: 256, max: 1 },
  percpuArray: { type: 'percpu_array', key: 4, value: 16, max: 3 },
  lruHash: { type: 'lru_hash', key: 16, value: 24, max: 8 },
  percpuHash: { type: 'percpu_hash', key: 4, value: 40, max: 8 },
  lruPercpuHash: { type: 'lru_percpu_hash', key: 4, value: 8, max: 8 },
  constants: {
    type: 'array',
    key: 4,
    value: 64,
    max: 1,
    flags: RDONLY_PROG,
    frozen: true,
    data: `${'0102030405060708'.repeat(4)}48690a2564207825732025700000000000000000ffffffff000000800000ff7f`,
  },
  readOnly: { type: 'hash', key: 4, value: 16, max: 4, flags: RDONLY_PROG },
  writeOnly: { type: 'array', key: 4, value: 16, max: 4, flags: WRONLY_PROG },
  ringbuf: { type: 'ringbuf', key: 0, value: 0, max: 4096 },
  userRingbuf: { type: 'user_ringbuf', key: 0, value: 0, max: 4096 },
  programs: { type: 'prog_array', key: 4, value: 4, max: 4 },
  events: { type: 'perf_event_array', key: 4, value: 4, max: 2 },
  outerArray: { type: 'array_of_maps', key: 4, value: 4, max: 4, inner: 0 },
  outerHash: { type: 'hash_of_maps', key: 4, value: 4, max: 4, inner: 1 },
  queue: { type: 'queue', key: 0, value: 16, max: 8 },
  stack: { type: 'stack', key: 0, value: 8, max: 8 },
  sockmap: { type: 'sockmap', key: 4, value: 4, max: 4 },
  sockhash: { type: 'sockhash', key: 8, value: 8, max: 4 },
  devmap: { type: 'devmap', key: 4, value: 4, max: 4 },
  devmapHash: { type: 'devmap_hash', key: 4, value: 4, max: 4 },
  cpumap: { type: 'cpumap', key: 4, value: 4, max: 2 },
  xskmap: { type: 'xskmap', key: 4, value: 4, max: 2 },
  traces: { type: 'stack_trace', key: 4, value: 80, max: 8 },
  cgroups: { type: 'cgroup_array', key: 4, value: 4, max: 2 },
  trie: { type: 'lpm_trie', key: 8, value: 12, max: 8, flags: NO_PREALLOC },
  cgroupStorage: { type: 'cgroup_storage', key: 16, value: 32, max: 0 },
  percpuStorage: { type: 'percpu_cgroup_storage', key: 16, value: 16, max: 0 },
  reuseport: { type: 'reuseport_sockarray', key: 4, value: 8, max: 4 },
  bloom: { type: 'bloom_filter', key: 0, value: 8, max: 16 },
  skStorage: {
    type: 'sk_storage',
    key: 4,
    value: 24,
    max: 0,
    flags: NO_PREALLOC,
    keyBtf: typeIds.int,
    valueBtf: typeIds.plain,
  },
  taskStorage: {
    type: 'task_storage',
    key: 4,
    value: 24,
    max: 0,
    flags: NO_PREALLOC,
    keyBtf: typeIds.int,
    valueBtf: typeIds.plain,
  },
  cgrpStorage: {
    type: 'cgrp_storage',
    key: 4,
    value: 24,
    max: 0,
    flags: NO_PREALLOC,
    keyBtf: typeIds.int,
    valueBtf: typeIds.plain,
  },
  inodeStorage: {
    type: 'inode_storage',
    key: 4,
    value: 24,
    max: 0,
    flags: NO_PREALLOC,
    keyBtf: typeIds.int,
    valueBtf: typeIds.plain,
  },
  locked: {
    type: 'array',
    key: 4,
    value: 24,
    max: 2,
    keyBtf: typeIds.int,
    valueBtf: typeIds.locked,
    special: [[0, 4]],
  },
  lockedHash: {
    type: 'hash',
    key: 4,
    value: 24,
    max: 4,
    keyBtf: typeIds.int,
    valueBtf: typeIds.locked,
    special: [[0, 4]],
  },
  timers: {
    type: 'array',
    key: 4,
    value: 32,
    max: 2,
    keyBtf: typeIds.int,
    valueBtf: typeIds.timed,
    special: [[8, 24]],
  },
  kptrs: {
    type: 'array',
    key: 4,
    value: 40,
    max: 2,
    keyBtf: typeIds.int,
    valueBtf: typeIds.pointing,
    special: [[8, 40]],
  },
  graph: { type: 'array', key: 4, value: 40, max: 1, keyBtf: typeIds.int, valueBtf: typeIds.graph, special: [[0, 40]] },
  arena: { type: 'arena', key: 0, value: 0, max: 4, flags: MMAPABLE, extra: 0x10000000000 },
  works: {
    type: 'array',
    key: 4,
    value: 24,
    max: 2,
    keyBtf: typeIds.int,
    valueBtf: typeIds.working,
    special: [[8, 24]],
  },
  resilient: {
    type: 'array',
    key: 4,
    value: 16,
    max: 2,
    keyBtf: typeIds.int,
    valueBtf: typeIds.resilient,
    special: [[8, 12]],
  },
} as const satisfies Record<string, GeneratorMap>;

export type MapName = keyof typeof MAPS;
export const MAP_NAMES = Object.keys(MAPS) as MapName[];
export const WORLD_MAPS: readonly GeneratorMap[] = Object.values(MAPS);

export const mapIndex = (name: MapName): number => MAP_NAMES.indexOf(name);

/** The world of the generator. */
export const MAIN_WORLD: World = { key: 'main', maps: WORLD_MAPS, btf: WORLD_BTF };
