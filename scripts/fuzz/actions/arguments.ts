// Fills R1–R5 with what a helper function demands.

import type { HelperName } from '../../../src/isa/uapi.ts';
import { ARG, type HelperArg, type HelperProto } from '../../../src/kernel/verifier/helper-proto.ts';
import { baseType, FLAG } from '../../../src/kernel/verifier/types.ts';
import { writeCallback } from '../functions.ts';
import { FP, type Generator } from '../generator.ts';
import { perCpuVariables } from '../kernel-functions.ts';
import { isBounded, isNullable, isPointer, stackWritable, touchStack, type Value } from '../values.ts';
import { MAP_NAMES, type MapName, mapIndex, WORLD_MAPS } from '../world.ts';
import { mayUse } from './maps.ts';
import { extent } from './memory.ts';

/** Maps that go with a helper; others take any that can be looked up. */
const MAPS_FOR: Readonly<Partial<Record<HelperName, readonly MapName[]>>> = {
  tail_call: ['programs'],
  perf_event_read: ['events'],
  perf_event_output: ['events'],
  perf_event_read_value: ['events'],
  ringbuf_output: ['ringbuf'],
  ringbuf_reserve: ['ringbuf'],
  ringbuf_query: ['ringbuf'],
  ringbuf_reserve_dynptr: ['ringbuf'],
  user_ringbuf_drain: ['userRingbuf'],
  get_stackid: ['traces'],
  current_task_under_cgroup: ['cgroups'],
  skb_under_cgroup: ['cgroups'],
  redirect_map: ['devmap', 'devmapHash', 'cpumap', 'xskmap'],
  sk_redirect_map: ['sockmap'],
  msg_redirect_map: ['sockmap'],
  sock_map_update: ['sockmap'],
  sk_redirect_hash: ['sockhash'],
  msg_redirect_hash: ['sockhash'],
  sock_hash_update: ['sockhash'],
  get_local_storage: ['cgroupStorage', 'percpuStorage'],
  sk_select_reuseport: ['reuseport', 'sockmap', 'sockhash'],
  map_pop_elem: ['queue', 'stack'],
  map_peek_elem: ['queue', 'stack', 'bloom'],
  map_push_elem: ['queue', 'stack', 'bloom'],
  map_lookup_percpu_elem: ['percpuArray', 'percpuHash', 'lruPercpuHash'],
  sk_storage_get: ['skStorage'],
  sk_storage_delete: ['skStorage'],
  task_storage_get: ['taskStorage'],
  task_storage_delete: ['taskStorage'],
  cgrp_storage_get: ['cgrpStorage'],
  cgrp_storage_delete: ['cgrpStorage'],
  inode_storage_get: ['inodeStorage'],
  inode_storage_delete: ['inodeStorage'],
  timer_init: ['timers'],
};
const ORDINARY: readonly MapName[] = [
  'array',
  'hash',
  'data',
  'lruHash',
  'percpuHash',
  'percpuArray',
  'lockedHash',
  'trie',
];

/** The arguments of one call as they come about. */
export class Arguments {
  /** The map that the call is about; undefined until there is one. */
  map: number | undefined;
  /** Bytes of memory whose size comes next. */
  private pendingSize: number | 'zero' | { reg: number } | undefined;
  readonly helper: HelperName;
  private readonly g: Generator;
  private readonly proto: HelperProto;

  constructor(g: Generator, helper: HelperName, proto: HelperProto) {
    this.g = g;
    this.helper = helper;
    this.proto = proto;
  }

  /** A register that is not one of the arguments placed so far. */
  private source(reg: number, test: (value: Value) => boolean): number | undefined {
    const { g } = this;
    if (g.mistake()) return g.anyReg();
    const list = g.regs((value, r) => (r === 0 || r >= reg) && test(value));
    return list.length ? g.rng.pick(list) : undefined;
  }

  private copy(reg: number, from: number): boolean {
    if (reg !== from) {
      this.g.asm.mov(reg, from);
      this.g.set(reg, from === FP ? { kind: 'stack', off: 0, vary: 0 } : this.g.value(from));
    }
    return true;
  }

  /** False where there is nothing to pass. */
  fillAll(): boolean {
    return this.proto.args.every((arg, i) => this.fill(i + 1, arg));
  }

  private fill(reg: number, arg: HelperArg): boolean {
    const { g } = this;
    if ((arg.type & FLAG.MAYBE_NULL) !== 0 && g.rng.chance(baseType(arg.type) === ARG.STACK ? 0.05 : 0.25)) {
      g.setNumber(reg, 0);
      this.pendingSize = 'zero';
      return true;
    }
    switch (baseType(arg.type)) {
      case ARG.CONST_MAP_PTR:
        return this.fillMap(reg);
      case ARG.MAP_KEY:
        return this.fillMemory(reg, this.mapSize('key'), true, false);
      case ARG.MAP_VALUE:
        return this.fillMemory(reg, this.mapSize('value'), (arg.type & FLAG.UNINIT) === 0, false);
      case ARG.MEM:
        return this.fillMem(reg, arg);
      case ARG.CONST_SIZE:
      case ARG.CONST_SIZE_OR_ZERO:
        return this.fillSize(reg);
      case ARG.CONST_ALLOC_SIZE_OR_ZERO:
        g.setNumber(reg, g.mistake() ? g.imm() : g.rng.pick([1, 4, 8, 16, 24, 64]));
        return true;
      case ARG.CTX: {
        const ctx = this.source(reg, (v) => v.kind === 'ctx' && v.off === 0);
        return ctx !== undefined && this.copy(reg, ctx);
      }
      case ARG.ANYTHING:
        return this.fillAnything(reg);
      case ARG.SOCK_COMMON:
      case ARG.SOCKET:
      case ARG.BTF_ID_SOCK_COMMON:
      case ARG.BTF_ID:
        return this.fillObject(reg, arg);
      case ARG.PERCPU_BTF_ID:
        // Kernels whose symbol table leaves these variables out take no program that names one.
        if (!g.rng.chance(0.1)) return false;
        g.asm.kernelVariable(reg, g.rng.pick(perCpuVariables()));
        g.set(reg, { kind: 'other', name: 'percpu', ref: 0, nullable: false, id: 0 });
        return true;
      case ARG.FUNC:
        return writeCallback(g, reg, this.helper, this.map);
      case ARG.STACK: {
        const off = g.stackBuffer(8, { init: true });
        if (off === undefined) return false;
        g.stackAddress(reg, off);
        // The callback may write anywhere in it.
        touchStack(g.state, off, 8);
        return true;
      }
      case ARG.CONST_STR:
        g.asm.mapValue(reg, mapIndex('constants'), 32);
        g.set(reg, { kind: 'value', map: mapIndex('constants'), off: 32, vary: 0, nullable: false, id: 0 });
        return true;
      default:
        return this.fillSpecial(reg, arg);
    }
  }

  private mapSize(what: 'key' | 'value'): number {
    const { g } = this;
    return this.map === undefined ? g.rng.pick([4, 8, 16]) : (WORLD_MAPS[this.map][what] ?? 4);
  }

  private fillMap(reg: number): boolean {
    const { g } = this;
    const list = MAPS_FOR[this.helper] ?? ORDINARY;
    const held = g.rng.chance(0.2)
      ? this.source(reg, (v) => v.kind === 'map' && list.includes(MAP_NAMES[v.map]))
      : undefined;
    if (held !== undefined) {
      const value = g.value(held);
      this.map = value.kind === 'map' ? value.map : undefined;
      return this.copy(reg, held);
    }
    const name = g.mistake() ? g.rng.pick(MAP_NAMES) : g.rng.pick(list);
    if (!mayUse(g, name) && !g.mistake()) return false;
    this.map = mapIndex(name);
    g.loadMap(reg, name);
    return true;
  }

  /** A pointer to `size` bytes that may be read, or written when `init` is false. */
  private fillMemory(reg: number, size: number, init: boolean, writes: boolean): boolean {
    const { g } = this;
    const fits = (v: Value): boolean => {
      if (isNullable(v)) return false;
      if (v.kind === 'packet') return this.proto.packet === true && !writes && extent(g, v) - v.off - v.vary >= size;
      if (v.kind === 'mem') return (v.writable || (init && !writes)) && v.size - v.off - v.vary >= size;
      if (v.kind !== 'value') return false;
      const map = WORLD_MAPS[v.map];
      return !map.special && !map.flags && map.value - v.off - v.vary >= size;
    };
    const held = g.rng.chance(0.3) ? this.source(reg, fits) : undefined;
    if (held !== undefined) return this.copy(reg, held);
    const off = g.stackBuffer(size, { init: init || g.rng.chance(0.3) });
    if (off === undefined || !stackWritable(g.state, off, size)) return false;
    g.stackAddress(reg, off);
    if (!init || writes) touchStack(g.state, off, size);
    return true;
  }

  private fillMem(reg: number, arg: HelperArg): boolean {
    const { g } = this;
    const uninit = (arg.type & FLAG.UNINIT) !== 0;
    const writes = (arg.type & FLAG.WRITE) !== 0;
    if ((arg.type & FLAG.FIXED_SIZE) !== 0) return this.fillMemory(reg, arg.size ?? 8, !uninit, writes);
    const size = g.rng.pick([1, 2, 4, 4, 8, 8, 8, 16, 20, 24, 32, 40]);
    const bounded = g.regs((v, r) => r > reg && isBounded(v, 64) && v.min !== v.max && v.min > 0);
    if (bounded.length > 0 && g.rng.chance(0.3)) {
      const size = g.value(bounded[0]);
      this.pendingSize = { reg: bounded[0] };
      return this.fillMemory(reg, size.kind === 'scalar' ? size.max : 8, true, writes);
    }
    this.pendingSize = size;
    return this.fillMemory(reg, size, !uninit, writes);
  }

  private fillSize(reg: number): boolean {
    const { g } = this;
    const size = this.pendingSize;
    if (typeof size === 'object' && g.value(size.reg).kind === 'scalar') return this.copy(reg, size.reg);
    g.setNumber(reg, g.mistake() ? g.imm() : typeof size === 'number' ? size : 0);
    return true;
  }

  private fillAnything(reg: number): boolean {
    const { g } = this;
    const held = g.rng.chance(0.5) ? this.source(reg, (v) => v.kind === 'scalar') : undefined;
    if (held !== undefined) return this.copy(reg, held);
    if (g.caps === 'all' && g.rng.chance(0.1)) {
      const pointer = this.source(reg, isPointer);
      if (pointer !== undefined) return this.copy(reg, pointer);
    }
    g.setNumber(reg, g.rng.chance(0.6) ? g.rng.between(0, 4) : g.imm());
    return true;
  }

  private fillObject(reg: number, arg: HelperArg): boolean {
    const base = baseType(arg.type);
    const held = this.source(reg, (v) => {
      if (isNullable(v)) return false;
      if (base === ARG.BTF_ID) return v.kind === 'object' && v.struct === arg.btf;
      if (v.kind === 'object') return base === ARG.BTF_ID_SOCK_COMMON && v.struct.includes('sock');
      if (v.kind !== 'other') return false;
      return base === ARG.SOCKET ? v.name === 'sock' : v.name.includes('sock');
    });
    if (held !== undefined) return this.copy(reg, held);
    if ((arg.type & FLAG.MAYBE_NULL) === 0) return false;
    this.g.setNumber(reg, 0);
    return true;
  }

  private fillSpecial(reg: number, arg: HelperArg): boolean {
    const { g } = this;
    const base = baseType(arg.type);
    if (base === ARG.DYNPTR && (arg.type & FLAG.UNINIT) === 0) {
      const given = this.source(reg, (v) => v.kind === 'other' && v.name === 'dynptr');
      if (given !== undefined && g.rng.chance(0.7)) return this.copy(reg, given);
      if (g.dynptrs.length === 0) return false;
      g.stackAddress(reg, g.rng.pick(g.dynptrs));
      return true;
    }
    const name: MapName | undefined = base === ARG.TIMER ? 'timers' : base === ARG.KPTR_XCHG_DEST ? 'kptrs' : undefined;
    if (name === undefined) return false;
    const held = this.source(reg, (v) => v.kind === 'value' && !v.nullable && v.map === mapIndex(name) && v.vary === 0);
    if (held === undefined) return false;
    const value = g.value(held);
    this.copy(reg, held);
    const field = g.rng.pick(base === ARG.TIMER ? [8] : [8, 16, 24]);
    g.asm.aluImm(0, reg, field - (value.kind === 'value' ? value.off : 0));
    g.set(reg, { kind: 'none' });
    return true;
  }
}
