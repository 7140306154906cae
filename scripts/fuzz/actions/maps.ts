// Map elements: looking up, changing, and addresses of values that are constants.
import { HELPER } from '../../../src/isa/uapi.ts';
import type { Action } from '../action.ts';
import { FP, type Generator } from '../generator.ts';
import { touchStack } from '../values.ts';
import { MAP_NAMES, MAPS, type MapName, mapIndex, WORLD_MAPS } from '../world.ts';
import { checkNull } from './branches.ts';

const LOOKED_UP: readonly MapName[] = [
  'array',
  'array',
  'hash',
  'hash',
  'data',
  'percpuArray',
  'lruHash',
  'percpuHash',
  'lruPercpuHash',
  'constants',
  'readOnly',
  'locked',
  'lockedHash',
  'timers',
  'kptrs',
  'trie',
  'outerArray',
  'outerHash',
];

const TRACING: readonly string[] = ['kprobe', 'tracepoint', 'perf_event', 'raw_tracepoint', 'raw_tracepoint_writable'];

/** Maps with special fields, and maps of maps, are not for all. */
export function mayUse(g: Generator, name: MapName): boolean {
  const { type } = g.kind;
  const locks = name === 'locked' || name === 'lockedHash' || name === 'graph' || name === 'resilient';
  if (locks && (TRACING.includes(type) || type === 'socket_filter')) return false;
  if ((name === 'timers' || name === 'works') && TRACING.includes(type)) return false;
  return true;
}

/** Puts a map into R1, a key on the stack into R2. */
function mapAndKey(g: Generator, name: MapName): boolean {
  const { rng, asm, state } = g;
  const map = WORLD_MAPS[mapIndex(name)];
  const off = g.stackBuffer(map.key, { init: !g.mistake(), align: map.key >= 8 ? 8 : 4 });
  if (off === undefined) return false;
  // Constant keys let Linux compute the address of the element.
  if (rng.chance(0.4) && map.key === 4) {
    asm.storeImm(4, FP, off, rng.between(0, map.max));
    touchStack(state, off, 4);
  }
  if (rng.chance(0.5)) {
    g.loadMap(1, name);
    g.stackAddress(2, off);
  } else {
    g.stackAddress(2, off);
    g.loadMap(1, name);
  }
  return true;
}

function lookup(g: Generator): boolean {
  const { rng, asm } = g;
  const name = g.mistake() ? rng.pick(MAP_NAMES) : rng.pick(LOOKED_UP);
  if (!mayUse(g, name) && !g.mistake()) return false;
  if (!mapAndKey(g, name)) return false;
  asm.call(HELPER.map_lookup_elem);
  g.clobber();
  const inner = WORLD_MAPS[mapIndex(name)].inner;
  if (inner !== undefined) {
    // An inner map: keep it in a register where a later look-up may find it.
    const on = asm.label();
    asm.jumpImm(0x50, 0, 0, on);
    g.leave();
    asm.place(on);
    g.set(0, { kind: 'map', map: inner });
    return true;
  }
  g.set(0, { kind: 'value', map: mapIndex(name), off: 0, vary: 0, nullable: true, id: g.newId() });
  if (rng.chance(0.5)) {
    const keep = g.savedReg();
    if (!g.pinned.has(keep)) {
      asm.mov(keep, 0);
      g.set(keep, g.value(0));
    }
  }
  if (rng.chance(0.7)) checkNull(g, 0);
  return true;
}

function change(g: Generator): boolean {
  const { rng, asm } = g;
  const name = g.mistake()
    ? rng.pick(MAP_NAMES)
    : rng.pick(['array', 'hash', 'lruHash', 'percpuHash', 'trie', 'data'] as const);
  const map = WORLD_MAPS[mapIndex(name)];
  const value = g.stackBuffer(Math.min(map.value, 64), { init: true });
  if (!mapAndKey(g, name)) return false;
  if (rng.chance(0.3)) {
    asm.call(HELPER.map_delete_elem);
  } else {
    const from = g.findReg(
      (v) => v.kind === 'value' && !v.nullable && g.mapOf(v.map).value - v.off - v.vary >= map.value,
    );
    if (from !== undefined && rng.chance(0.5)) asm.mov(3, from);
    else if (value !== undefined && map.value <= 64) g.stackAddress(3, value);
    else return false;
    asm.movImm(4, rng.below(g.mistake() ? 9 : 3));
    asm.call(HELPER.map_update_elem);
  }
  g.clobber();
  g.set(0, { kind: 'scalar', min: 0, max: Number.POSITIVE_INFINITY });
  return true;
}

/** The address of a value as a constant. */
function direct(g: Generator): boolean {
  const { rng, asm } = g;
  const name = g.mistake() ? rng.pick(MAP_NAMES) : rng.pick(['data', 'data', 'constants'] as const);
  const off = g.mistake() ? g.imm() : rng.below(MAPS.constants.value);
  const dst = g.freeReg();
  asm.mapValue(dst, mapIndex(name), off);
  g.set(dst, { kind: 'value', map: mapIndex(name), off, vary: 0, nullable: false, id: 0 });
  return true;
}

/** A map in a register, to be picked up by others. */
function mapPointer(g: Generator): boolean {
  const name = g.rng.pick(MAP_NAMES);
  if (!mayUse(g, name) && !g.mistake()) return false;
  const dst = g.freeReg();
  g.loadMap(dst, name);
  return true;
}

/** Looking up in the map that a register holds. */
function lookupHeld(g: Generator): boolean {
  const { asm } = g;
  const reg = g.findReg((v) => v.kind === 'map');
  if (reg === undefined) return false;
  const value = g.value(reg);
  const index = value.kind === 'map' ? value.map : 0;
  const map = WORLD_MAPS[index];
  if (!LOOKED_UP.includes(MAP_NAMES[index]) && !g.mistake()) return false;
  if (map.inner !== undefined && !g.mistake()) return false;
  const off = g.stackBuffer(map.key || 4, { init: true });
  if (off === undefined || reg === 2) return false;
  if (reg !== 1) asm.mov(1, reg);
  g.stackAddress(2, off);
  asm.call(HELPER.map_lookup_elem);
  g.clobber();
  g.set(0, { kind: 'value', map: index, off: 0, vary: 0, nullable: true, id: g.newId() });
  return true;
}

export const MAP_ACTIONS: readonly Action[] = [
  { weight: 5, run: lookup },
  { weight: 2, run: change },
  { weight: 3, run: direct },
  { weight: 0.3, run: mapPointer },
  { weight: 1, run: lookupHeld },
];
