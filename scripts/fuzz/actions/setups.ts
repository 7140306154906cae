// Whole situations: everything that a rarer check needs is put in place first.

import { ALU, CLASS, JMP, MODE, SRC } from '../../../src/isa/opcode.ts';
import { HELPER, type HelperName } from '../../../src/isa/uapi.ts';
import type { Action } from '../action.ts';
import { writeCallback } from '../functions.ts';
import { FP, type Generator } from '../generator.ts';
import { isNullable, NONE, scalar, stackWritable, touchStack, UNKNOWN } from '../values.ts';
import { type MapName, mapIndex, WORLD_MAPS } from '../world.ts';
import { COMPARISONS, checkNull } from './branches.ts';
import { mayUse } from './maps.ts';

const has = (g: Generator, name: HelperName): boolean => g.kind.helpers.some(({ id }) => id === HELPER[name]);

/** A number that nothing is known of, in a register. */
function unknownNumber(g: Generator, avoid: readonly number[] = []): number {
  const found = g.regs((v, reg) => v.kind === 'scalar' && v.max > 0xffff && !g.pinned.has(reg) && !avoid.includes(reg));
  if (found.length && g.rng.chance(0.8)) return g.rng.pick(found);
  g.asm.call(HELPER.get_prandom_u32);
  g.clobber();
  g.set(0, UNKNOWN);
  if (!avoid.includes(0) && g.rng.chance(0.5)) return 0;
  const reg = g.freeReg([...avoid, ...g.pinned]);
  g.asm.mov(reg, 0);
  g.set(reg, UNKNOWN);
  return reg;
}

/** Makes the number in a register at most `limit`, by one of many ways, signed and unsigned, wide and narrow. */
function limitNumber(g: Generator, reg: number, limit: number): void {
  const { rng, asm } = g;
  const wide = rng.chance(0.6);
  const way = rng.below(6);
  const on = asm.label();
  if (way === 0) asm.aluImm(ALU.AND, reg, 2 ** Math.floor(Math.log2(limit + 1)) - 1, wide);
  else if (way === 1) {
    asm.aluImm(ALU.MOD, reg, limit + 1, wide);
    if (rng.chance(0.9)) asm.aluImm(ALU.AND, reg, 2 ** Math.floor(Math.log2(limit + 1)) - 1, wide);
  } else if (way === 2) {
    asm.jumpImm(JMP.JLE, reg, limit, on, wide);
    g.leave();
    asm.place(on);
    if (!wide) asm.aluReg(ALU.MOV, reg, reg, false);
  } else if (way === 3) {
    const off = asm.label();
    asm.jumpImm(JMP.JSGT, reg, limit, off, wide);
    asm.jumpImm(JMP.JSGE, reg, 0, on, wide);
    asm.place(off);
    g.leave();
    asm.place(on);
    if (!wide) asm.aluReg(ALU.MOV, reg, reg, false);
  } else if (way === 4) {
    const shift = 64 - Math.max(1, Math.floor(Math.log2(limit + 1)));
    asm.aluImm(ALU.RSH, reg, wide ? shift : Math.min(31, Math.max(0, shift - 32)), wide);
  } else {
    const off = asm.label();
    asm.jumpImm(rng.chance(0.8) ? JMP.JGT : JMP.JSGT, reg, limit, off, wide);
    asm.jump(on);
    asm.place(off);
    asm.movImm(reg, rng.between(0, limit));
    asm.place(on);
    asm.aluImm(ALU.AND, reg, 2 ** Math.floor(Math.log2(limit + 1)) - 1);
  }
  g.set(reg, scalar(0, limit));
}

/** A stretch of stack with spilled numbers, zeros and single bytes, then accesses at an offset that varies. */
function variableStack(g: Generator): boolean {
  const { rng, asm, state } = g;
  const size = rng.pick([16, 24, 32]);
  const start = g.stackBuffer(size, { init: false, align: 8 });
  if (start === undefined || !stackWritable(state, start, size)) return false;
  for (let at = start; at < start + size; at += 8) {
    const what = rng.below(5);
    if (what === 0) asm.storeImm(8, FP, at, 0);
    else if (what === 1) asm.store(8, FP, at, g.scalarReg());
    else if (what === 2) {
      asm.storeImm(4, FP, at, rng.pick([0, 1]));
      asm.storeImm(4, FP, at + 4, 0);
    } else if (what === 3) asm.storeImm(8, FP, at, g.imm());
    else for (let byte = at; byte < at + 8; byte += 2) asm.storeImm(2, FP, byte, rng.pick([0, 0, 7]));
    touchStack(state, at, 8);
  }
  const index = unknownNumber(g);
  if (g.pinned.has(index) || g.value(index).kind !== 'scalar') return true;
  const width = rng.pick([1, 2, 4, 8]);
  limitNumber(g, index, rng.chance(0.1) ? size : size - width);
  if (rng.chance(0.95) && width > 1) asm.aluImm(ALU.AND, index, -width);
  const ptr = g.freeReg([index, ...g.pinned]);
  if (ptr === index) return true;
  asm.mov(ptr, FP);
  if (rng.chance(0.7)) {
    asm.aluImm(ALU.ADD, ptr, start);
    asm.aluReg(ALU.ADD, ptr, index);
  } else {
    asm.aluReg(ALU.ADD, ptr, index);
    asm.aluImm(ALU.ADD, ptr, start);
  }
  g.set(ptr, NONE);
  for (let i = rng.between(1, 3); i > 0; i--) {
    const how = rng.below(4);
    if (how < 2) {
      const dst = g.freeReg([ptr]);
      asm.load(width, dst, ptr, 0, width < 8 && rng.chance(0.2) ? MODE.MEMSX : MODE.MEM);
      g.set(dst, UNKNOWN);
    } else if (how === 2) asm.storeImm(width, ptr, 0, rng.pick([0, 0, 5]));
    else asm.store(width, ptr, 0, g.scalarReg(undefined, [ptr]));
  }
  if (rng.chance(0.3) && has(g, 'map_update_elem')) {
    asm.mov(2, ptr);
    g.loadMap(1, 'percpuHash');
    asm.call(HELPER.map_lookup_elem);
    g.clobber();
  }
  return true;
}

/** A value of the map, for sure, in a register that survives calls; undefined where that cannot be. */
export function sureValue(g: Generator, name: MapName): number | undefined {
  const { asm } = g;
  const held = g.regs(
    (v, reg) =>
      v.kind === 'value' && !isNullable(v) && v.map === mapIndex(name) && v.off === 0 && v.vary === 0 && reg >= 6,
  );
  if (held.length && g.rng.chance(0.7)) return g.rng.pick(held);
  if (!mayUse(g, name)) return undefined;
  const keep = g.savedReg();
  const key = g.stackBuffer(WORLD_MAPS[mapIndex(name)].key, { init: true, align: 8 });
  if (g.pinned.has(keep) || key === undefined) return undefined;
  g.stackAddress(2, key);
  g.loadMap(1, name);
  asm.call(HELPER.map_lookup_elem);
  g.clobber();
  g.set(0, { kind: 'value', map: mapIndex(name), off: 0, vary: 0, nullable: true, id: g.newId() });
  asm.mov(keep, 0);
  g.set(keep, g.value(0));
  checkNull(g, g.rng.chance(0.5) ? 0 : keep);
  return keep;
}

/** A value of a map and an index into it that is checked in some way, then used in another. */
function indexedValue(g: Generator): boolean {
  const { rng, asm } = g;
  const name = rng.pick(['array', 'hash', 'data', 'data', 'percpuHash'] as const);
  const value = sureValue(g, name);
  if (value === undefined) return false;
  const wasPinned = g.pinned.has(value);
  g.pinned.add(value);
  const index = unknownNumber(g, [value]);
  const { value: size } = WORLD_MAPS[mapIndex(name)];
  const width = rng.pick([1, 2, 4, 8]);
  if (!g.pinned.has(index) && g.value(index).kind === 'scalar') {
    const copy = rng.chance(0.4) ? g.freeReg([index, value]) : index;
    if (copy !== index) {
      // What is learnt of one is to be known of the other.
      asm.aluReg(ALU.MOV, copy, index, rng.chance(0.9));
      if (rng.chance(0.4)) asm.aluImm(ALU.ADD, copy, rng.between(-1, 8), rng.chance(0.9));
      g.set(copy, UNKNOWN);
    }
    limitNumber(g, index, Math.max(1, size - width - (rng.chance(0.9) ? 12 : -width)));
    const used = copy !== index && rng.chance(0.4) ? copy : index;
    if (rng.chance(0.1)) asm.aluImm(ALU.LSH, used, rng.below(2));
    const ptr = g.freeReg([used, value, ...g.pinned]);
    if (ptr !== used && ptr !== value) {
      if (rng.chance(0.3)) {
        asm.mov(ptr, used);
        asm.aluReg(ALU.ADD, ptr, value);
      } else {
        asm.mov(ptr, value);
        asm.aluReg(rng.chance(0.97) ? ALU.ADD : ALU.SUB, ptr, used);
      }
      const off = rng.chance(0.8) ? 0 : rng.between(-1, 4);
      if (rng.chance(0.5)) {
        const dst = g.freeReg([value]);
        asm.load(width, dst, ptr, off);
        g.set(dst, UNKNOWN);
      } else asm.store(width, ptr, off, g.scalarReg(undefined, [ptr]));
      if (ptr < FP && g.value(ptr).kind !== 'scalar') g.set(ptr, NONE);
    }
  }
  if (!wasPinned) g.pinned.delete(value);
  return true;
}

/** A timer: made, given a function, started. */
function timer(g: Generator): boolean {
  const { rng, asm } = g;
  if (!has(g, 'timer_init') || !mayUse(g, 'timers') || !g.withBtf) return false;
  const value = sureValue(g, 'timers');
  if (value === undefined) return false;
  const address = (): void => {
    asm.mov(1, value);
    asm.aluImm(ALU.ADD, 1, g.mistake() ? rng.below(24) : 8);
  };
  const wasPinned = g.pinned.has(value);
  g.pinned.add(value);
  if (rng.chance(0.8)) {
    address();
    asm.map(2, mapIndex(g.mistake() ? 'array' : 'timers'));
    asm.movImm(3, rng.pick([0, 1, 7]));
    asm.call(HELPER.timer_init);
    g.clobber();
  }
  if (rng.chance(0.8) && writeCallback(g, 2, 'timer_set_callback', mapIndex('timers'))) {
    address();
    asm.call(HELPER.timer_set_callback);
    g.clobber();
  }
  if (rng.chance(0.6)) {
    address();
    asm.movImm(2, rng.below(1000));
    asm.movImm(3, rng.below(3));
    asm.call(HELPER.timer_start);
    g.clobber();
  }
  if (rng.chance(0.2)) {
    address();
    asm.call(HELPER.timer_cancel);
    g.clobber();
  }
  if (!wasPinned) g.pinned.delete(value);
  g.set(0, NONE);
  return true;
}

const SOCK_BYTES: Readonly<Record<string, number>> = {
  sock: 80,
  sock_common: 80,
  tcp_sock: 120,
  flow_keys: 56,
  xdp_sock: 4,
};

/** Fields of sockets and of the dissected flow. */
function socketField(g: Generator): boolean {
  const { rng, asm } = g;
  const reg = g.findReg((v) => v.kind === 'other' && v.name in SOCK_BYTES && !isNullable(v));
  if (reg === undefined) return false;
  const value = g.value(reg);
  const bytes = value.kind === 'other' ? (SOCK_BYTES[value.name] ?? 8) : 8;
  const flow = value.kind === 'other' && value.name === 'flow_keys';
  const size = flow ? rng.pick([1, 2, 4, 8]) : rng.pick([4, 4, 4, 4, 2, 1, 8]);
  const off = size * rng.below(Math.floor(bytes / size) + (g.mistake() ? 3 : 0));
  if (flow && rng.chance(0.4)) {
    if (rng.chance(0.5)) asm.storeImm(size, reg, off, g.imm());
    else asm.store(size, reg, off, g.scalarReg(undefined, [reg]));
    return true;
  }
  const dst = g.freeReg([reg]);
  asm.load(size, dst, reg, off);
  g.set(dst, UNKNOWN);
  return true;
}

/** A chain of comparisons of one number or of two with each other, which narrows bounds from all sides. */
function narrow(g: Generator): boolean {
  const { rng, asm } = g;
  const a = unknownNumber(g);
  if (g.pinned.has(a)) return false;
  const b = rng.chance(0.4) ? g.scalarReg(undefined, [a]) : undefined;
  for (let i = rng.between(1, 5); i > 0; i--) {
    const on = asm.label();
    const wide = rng.chance(0.5);
    if (b !== undefined && b !== a && rng.chance(0.4)) asm.jumpReg(rng.pick(COMPARISONS), a, b, on, wide);
    else asm.jumpImm(rng.pick(COMPARISONS), b !== undefined && rng.chance(0.3) ? b : a, g.imm(), on, wide);
    const what = rng.below(4);
    if (what === 0) g.leave();
    else if (what === 1)
      asm.aluImm(rng.pick([ALU.ADD, ALU.AND, ALU.OR, ALU.SUB, ALU.XOR, ALU.MUL]), a, g.imm(), rng.chance(0.6));
    else if (what === 2) asm.aluImm(rng.pick([ALU.LSH, ALU.RSH, ALU.ARSH]), a, rng.below(32), rng.chance(0.6));
    else asm.aluReg(ALU.MOV, a, a, rng.chance(0.5), rng.pick([0, 8, 16]));
    asm.place(on);
  }
  g.set(a, UNKNOWN);
  return true;
}

/** Several registers of one origin, spilled, filled and compared: what is learnt of one is learnt of all. */
function family(g: Generator): boolean {
  const { rng, asm, state } = g;
  const first = unknownNumber(g);
  if (g.pinned.has(first)) return false;
  const members = [first];
  for (let i = rng.between(1, 4); i > 0; i--) {
    const next = g.freeReg([...members, ...g.pinned]);
    if (members.includes(next) || g.pinned.has(next)) break;
    asm.aluReg(ALU.MOV, next, rng.pick(members), rng.chance(0.85));
    if (rng.chance(0.4)) asm.aluImm(rng.chance(0.8) ? ALU.ADD : ALU.SUB, next, rng.between(-16, 16), rng.chance(0.8));
    g.set(next, UNKNOWN);
    members.push(next);
  }
  const slot = g.stackBuffer(8, { init: false });
  if (slot !== undefined && stackWritable(state, slot, 8) && rng.chance(0.7)) {
    const size = rng.pick([8, 8, 4]);
    asm.store(size, FP, slot, rng.pick(members));
    touchStack(state, slot, size);
  }
  const on = asm.label();
  asm.jumpImm(rng.pick(COMPARISONS), rng.pick(members), rng.between(-2, 40), on, rng.chance(0.7));
  g.leave();
  asm.place(on);
  if (slot !== undefined && rng.chance(0.6)) {
    const part = state.partAt(slot);
    const whole = part !== undefined && part.bytes === 0xff;
    const dst = g.freeReg([...g.pinned]);
    if (whole) {
      asm.load(rng.pick([8, 8, 4]), dst, FP, slot);
      g.set(dst, UNKNOWN);
    }
  }
  return true;
}

/** Fields of a map, read through a pointer to it. */
function mapField(g: Generator): boolean {
  const { rng, asm } = g;
  const map = g.findReg((v) => v.kind === 'map');
  if (map === undefined) return false;
  const dst = g.freeReg([map]);
  const size = rng.pick([4, 4, 8]);
  asm.load(size, dst, map, size * rng.below(20));
  g.set(dst, size === 4 ? UNKNOWN : NONE);
  return true;
}

/** A move between address spaces: into that of the kernel, and back. */
const CAST = CLASS.ALU64 | ALU.MOV | SRC.X;
const TO_KERNEL = 1;
const TO_USER = 1 << 16;

/** Memory shared with user space: casts, arithmetic, accesses. */
function arena(g: Generator): boolean {
  const { rng, asm } = g;
  if (g.caps !== 'all' || !mayUse(g, 'arena')) return false;
  const ptr = g.freeReg([...g.pinned]);
  if (g.pinned.has(ptr)) return false;
  if (!g.mistake()) asm.map(ptr, mapIndex('arena'));
  if (rng.chance(0.5)) asm.imm64(ptr, BigInt(rng.next()));
  else asm.aluImm(ALU.MOV, ptr, rng.below(16384));
  asm.raw(CAST, ptr, ptr, 1, TO_KERNEL);
  g.set(ptr, NONE);
  for (let i = rng.between(1, 4); i > 0; i--) {
    const size = rng.pick([1, 2, 4, 8]);
    const off = rng.between(-64, 128);
    const what = rng.below(7);
    const dst = g.freeReg([ptr, ...g.pinned]);
    if (what === 0) asm.storeImm(size, ptr, off, g.imm());
    else if (what === 1) asm.store(size, ptr, off, g.scalarReg(undefined, [ptr]));
    else if (what === 2) asm.aluImm(rng.pick([ALU.ADD, ALU.SUB, ALU.AND, ALU.XOR]), ptr, g.imm(), rng.chance(0.7));
    else if (what === 3)
      asm.atomic(rng.pick([4, 8]), ptr, 8 * rng.below(8), g.scalarReg(undefined, [ptr, ...g.pinned]), 0);
    else if (what === 4) {
      if (dst === ptr) continue;
      asm.raw(CAST, dst, ptr, 1, rng.chance(0.8) ? TO_USER : TO_KERNEL);
      g.set(dst, NONE);
    } else {
      if (dst === ptr) continue;
      asm.load(size, dst, ptr, off, size < 8 && rng.chance(0.2) ? MODE.MEMSX : MODE.MEM);
      g.set(dst, UNKNOWN);
    }
  }
  return true;
}

export const SETUP_ACTIONS: readonly Action[] = [
  { weight: 3, run: variableStack },
  { weight: 4, run: indexedValue },
  { weight: 1.5, run: timer },
  { weight: 3, run: socketField },
  { weight: 3, run: narrow },
  { weight: 3, run: family },
  { weight: 0.5, run: mapField },
  { weight: 0.8, run: arena },
];
