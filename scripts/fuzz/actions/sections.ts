// Things with a beginning and an end: locks, RCU, interrupts, ring buffer records, sockets, iterators, dynptrs.

import { JMP } from '../../../src/isa/opcode.ts';
import { HELPER, type HelperName } from '../../../src/isa/uapi.ts';
import type { Action } from '../action.ts';
import type { Generator } from '../generator.ts';
import { kernelFunction } from '../kernel-functions.ts';
import { kfuncNamed } from '../kfunc-list.ts';
import { mayOpen, scoped } from '../scope.ts';
import { isNullable, NONE, type StackPart, UNKNOWN, type Value } from '../values.ts';
import { Arguments } from './arguments.ts';
import { holding } from './kfuncs.ts';
import { stableBody } from './loops.ts';
import { sureValue } from './setups.ts';

/** Takes a place of the stack for something special. */
function reserve(g: Generator, size: number): number | undefined {
  const off = g.stackBuffer(size, { init: false, align: 8 });
  if (off === undefined) return undefined;
  for (const part of parts(g, off, size)) {
    part.bytes = 0;
    part.spill = undefined;
    part.special = true;
  }
  return off;
}

const parts = (g: Generator, off: number, size: number): StackPart[] =>
  Array.from({ length: size / 8 }, (_, i) => g.state.partAt(off + 8 * i)).filter((part) => part !== undefined);

function giveBack(g: Generator, off: number, size: number): void {
  for (const part of parts(g, off, size)) {
    part.special = false;
    part.bytes = 0;
    part.spill = undefined;
  }
}

function callNamed(g: Generator, name: string): void {
  g.asm.callKernel(kernelFunction(name));
  g.clobber();
}

/** RCU and preemption. */
function section(g: Generator, actions: readonly Action[]): boolean {
  if (!mayOpen(g)) return false;
  const [begin, end] = g.rng.pick([
    ['bpf_rcu_read_lock', 'bpf_rcu_read_unlock'],
    ['bpf_preempt_disable', 'bpf_preempt_enable'],
  ]);
  callNamed(g, begin);
  const wasSleepable = g.sleepable;
  g.sleepable = false;
  scoped(g, actions, g.rng.between(0, 5), () => {
    if (!g.mistake()) callNamed(g, end);
  });
  g.sleepable = wasSleepable;
  return true;
}

function interrupts(g: Generator, actions: readonly Action[]): boolean {
  if (!mayOpen(g)) return false;
  const off = reserve(g, 8);
  if (off === undefined) return false;
  g.stackAddress(1, off);
  callNamed(g, 'bpf_local_irq_save');
  const wasSleepable = g.sleepable;
  g.sleepable = false;
  scoped(g, actions, g.rng.between(0, 4), () => {
    g.stackAddress(1, off);
    if (!g.mistake()) callNamed(g, 'bpf_local_irq_restore');
  });
  g.sleepable = wasSleepable;
  giveBack(g, off, 8);
  return true;
}

/** A spin lock in a map's value; few things may be done while it is held. */
function locked(g: Generator, quiet: readonly Action[]): boolean {
  const { rng, asm } = g;
  if (!mayOpen(g) || g.kind.helpers.every(({ id }) => id !== HELPER.spin_lock)) return false;
  const held = sureValue(g, rng.pick(['locked', 'lockedHash']));
  if (held === undefined) return false;
  const wasPinned = g.pinned.has(held);
  g.pinned.add(held);
  asm.mov(1, held);
  asm.call(HELPER.spin_lock);
  g.clobber();
  scoped(g, quiet, rng.between(0, 4), () => {
    asm.mov(1, held);
    if (!g.mistake()) asm.call(HELPER.spin_unlock);
    g.clobber();
  });
  if (!wasPinned) g.pinned.delete(held);
  return true;
}

/** A record of the ring buffer: reserved, written, submitted or discarded. */
function record(g: Generator, actions: readonly Action[]): boolean {
  const { rng, asm } = g;
  if (!mayOpen(g) || g.kind.helpers.every(({ id }) => id !== HELPER.ringbuf_reserve)) return false;
  const keep = g.savedReg();
  if (g.pinned.has(keep)) return false;
  const size = rng.pick([1, 8, 16, 24, 64]);
  g.loadMap(1, 'ringbuf');
  asm.movImm(2, size);
  asm.movImm(3, g.mistake() ? 1 : 0);
  asm.call(HELPER.ringbuf_reserve);
  g.clobber();
  g.set(0, { kind: 'mem', size, writable: true, ref: g.newId(), off: 0, vary: 0, nullable: true, id: g.newId() });
  return holding(g, actions, keep, true, () => {
    asm.mov(1, keep);
    asm.movImm(2, rng.below(2));
    asm.call(rng.chance(0.6) ? HELPER.ringbuf_submit : HELPER.ringbuf_discard);
  });
}

const LOOKUPS: readonly HelperName[] = ['sk_lookup_tcp', 'sk_lookup_udp', 'skc_lookup_tcp'];

/** A socket that is looked up and released. */
function socket(g: Generator, actions: readonly Action[]): boolean {
  const { rng, asm } = g;
  const name = rng.pick(LOOKUPS);
  const helper = g.kind.helpers.find(({ id }) => id === HELPER[name]);
  if (!mayOpen(g) || helper === undefined) return false;
  const keep = g.savedReg();
  if (g.pinned.has(keep)) return false;
  const off = g.stackBuffer(36, { init: true, align: 4 });
  const ctx = g.findReg((v, reg) => v.kind === 'ctx' && v.off === 0 && (reg === 1 || reg > 5));
  if (off === undefined || ctx === undefined) return false;
  if (ctx !== 1) asm.mov(1, ctx);
  g.stackAddress(2, off);
  asm.movImm(3, rng.pick([12, 36]));
  asm.movImm(4, -1);
  asm.movImm(5, 0);
  asm.call(helper.id);
  g.clobber();
  const kind = name === 'skc_lookup_tcp' ? 'sock_common' : 'sock';
  g.set(0, { kind: 'other', name: kind, ref: g.newId(), nullable: true, id: g.newId() });
  return holding(g, actions, keep, true, () => {
    asm.mov(1, keep);
    asm.call(HELPER.sk_release);
  });
}

const KPTRS = [
  { off: 8, struct: 'task_struct', release: 'bpf_task_release' },
  { off: 16, struct: 'bpf_cpumask', release: 'bpf_cpumask_release' },
  { off: 24, struct: 'cgroup', release: 'bpf_cgroup_release' },
] as const;

/** Takes a kernel pointer out of a map, and puts it back or releases it. */
function exchange(g: Generator, actions: readonly Action[]): boolean {
  const { rng, asm } = g;
  const slot = rng.pick(KPTRS);
  if (!mayOpen(g) || kfuncNamed(g.kind, slot.release) === undefined) return false;
  const held = sureValue(g, 'kptrs');
  if (held === undefined) return false;
  const value = g.value(held);
  const keep = g.savedReg([held]);
  if (g.pinned.has(keep) || value.kind !== 'value') return false;
  const base = slot.off - value.off;
  const exchangeWith = (source: number | undefined): void => {
    asm.mov(1, held);
    if (base !== 0) asm.aluImm(0, 1, base);
    if (source === undefined) asm.movImm(2, 0);
    else asm.mov(2, source);
    asm.call(HELPER.kptr_xchg);
  };
  const wasPinned = g.pinned.has(held);
  g.pinned.add(held);
  exchangeWith(undefined);
  g.clobber();
  g.set(0, {
    kind: 'object',
    struct: slot.struct,
    trusted: true,
    ref: g.newId(),
    off: 0,
    nullable: true,
    id: g.newId(),
  });
  const back = rng.chance(0.4);
  holding(g, actions, keep, true, () => {
    if (back) {
      exchangeWith(keep);
      // What was there meanwhile has to go, too.
      const done = asm.label();
      asm.jumpImm(JMP.JEQ, 0, 0, done);
      asm.mov(1, 0);
      asm.callKernel(kernelFunction(slot.release));
      asm.place(done);
    } else {
      asm.mov(1, keep);
      asm.callKernel(kernelFunction(slot.release));
    }
  });
  if (!wasPinned) g.pinned.delete(held);
  return true;
}

/** Reads a kernel pointer of a map in place. */
function kptrLoad(g: Generator): boolean {
  const { rng, asm } = g;
  const held = sureValue(g, 'kptrs');
  if (held === undefined) return false;
  const value = g.value(held);
  if (value.kind !== 'value') return false;
  const slot = rng.pick([...KPTRS, { off: 32, struct: 'task_struct' }]);
  const dst = g.freeReg([held]);
  asm.load(8, dst, held, slot.off - value.off);
  g.set(dst, { kind: 'object', struct: slot.struct, trusted: false, ref: 0, off: 0, nullable: true, id: g.newId() });
  return true;
}

interface Iterator {
  name: string;
  size: number;
  /** Fills R2 and R3; false: not possible here. */
  args: (g: Generator) => boolean;
  gives: (g: Generator) => Value;
}

const memory = (g: Generator, size: number): Value => ({
  kind: 'mem',
  size,
  writable: false,
  ref: 0,
  off: 0,
  vary: 0,
  nullable: false,
  id: g.newId(),
});

const ITERATORS: readonly Iterator[] = [
  {
    name: 'num',
    size: 8,
    args: (g) => {
      g.asm.movImm(2, g.rng.between(-2, 4));
      const from = g.rng.chance(0.3) ? g.regs((v, reg) => v.kind === 'scalar' && reg > 2) : [];
      if (from.length) g.asm.mov(3, from[0]);
      else g.asm.movImm(3, g.rng.between(0, 100));
      return true;
    },
    gives: (g) => memory(g, 4),
  },
  {
    name: 'bits',
    size: 16,
    args: (g) => {
      const off = g.stackBuffer(8, { init: true });
      if (off === undefined) return false;
      g.stackAddress(2, off);
      g.asm.movImm(3, 1);
      return true;
    },
    gives: (g) => memory(g, 4),
  },
  {
    name: 'task',
    size: 24,
    args: (g) => {
      const task = g.regs((v, reg) => v.kind === 'object' && v.struct === 'task_struct' && !v.nullable && reg > 1);
      if (task.length) g.asm.mov(2, task[0]);
      else g.asm.movImm(2, 0);
      g.asm.movImm(3, g.rng.below(3));
      return true;
    },
    gives: (g) => ({
      kind: 'object',
      struct: 'task_struct',
      trusted: true,
      ref: 0,
      off: 0,
      nullable: false,
      id: g.newId(),
    }),
  },
  {
    name: 'task_vma',
    size: 8,
    args: (g) => {
      const task = g.regs((v, reg) => v.kind === 'object' && v.struct === 'task_struct' && !v.nullable && reg > 1);
      if (task.length === 0) return false;
      g.asm.mov(2, task[0]);
      g.asm.movImm(3, 0);
      return true;
    },
    gives: (g) => ({
      kind: 'object',
      struct: 'vm_area_struct',
      trusted: true,
      ref: 0,
      off: 0,
      nullable: false,
      id: g.newId(),
    }),
  },
  { name: 'kmem_cache', size: 8, args: () => true, gives: () => NONE },
  {
    name: 'css',
    size: 24,
    args: (g) => {
      const css = g.regs(
        (v, reg) => v.kind === 'object' && v.struct === 'cgroup_subsys_state' && !v.nullable && reg > 1,
      );
      if (css.length === 0) return false;
      g.asm.mov(2, css[0]);
      g.asm.movImm(3, g.rng.below(4));
      return true;
    },
    gives: () => NONE,
  },
];

/** An open-coded iterator: made, asked until it has no more, destroyed. */
function iterate(g: Generator, actions: readonly Action[]): boolean {
  const { rng, asm } = g;
  if (!mayOpen(g) || g.repeats > 8 || (g.caps === 'bpf' && !rng.chance(0.05))) return false;
  const it = rng.weighted([
    [6, ITERATORS[0]],
    [2, ITERATORS[1]],
    [1, ITERATORS[2]],
    [1, ITERATORS[3]],
    [0.5, ITERATORS[4]],
    [0.5, ITERATORS[5]],
  ]);
  if (kfuncNamed(g.kind, `bpf_iter_${it.name}_new`) === undefined) return false;
  const off = reserve(g, it.size);
  if (off === undefined) return false;
  if (!it.args(g)) {
    giveBack(g, off, it.size);
    return false;
  }
  g.stackAddress(1, off);
  callNamed(g, `bpf_iter_${it.name}_new`);
  const exit = { label: asm.label(), states: [g.state.clone()] };
  g.escapes.push(exit);
  g.repeats *= 4;
  g.nesting++;
  const top = asm.here();
  g.stackAddress(1, off);
  callNamed(g, `bpf_iter_${it.name}_next`);
  if (!g.mistake()) asm.jumpImm(JMP.JEQ, 0, 0, exit.label);
  g.set(0, it.gives(g));
  if (rng.chance(0.5)) {
    const keep = g.savedReg();
    if (!g.pinned.has(keep)) {
      asm.mov(keep, 0);
      g.set(keep, g.value(0));
    }
  }
  stableBody(g, actions, rng.between(1, 4));
  asm.jump(top);
  g.nesting--;
  g.repeats /= 4;
  g.escapes.pop();
  asm.place(exit.label);
  for (const state of exit.states) g.state.join(state);
  g.stackAddress(1, off);
  if (!g.mistake()) callNamed(g, `bpf_iter_${it.name}_destroy`);
  giveBack(g, off, it.size);
  return true;
}

const DYNPTR_BYTES = 16;

/** A dynptr over memory, the packet or a ring buffer record. */
function dynptr(g: Generator, actions: readonly Action[]): boolean {
  const { rng, asm } = g;
  if (!mayOpen(g)) return false;
  const form = rng.below(3);
  const has = (name: HelperName): boolean => g.kind.helpers.some(({ id }) => id === HELPER[name]);
  const off = reserve(g, DYNPTR_BYTES);
  if (off === undefined) return false;
  const fail = (): boolean => {
    giveBack(g, off, DYNPTR_BYTES);
    return false;
  };
  let close = (): void => undefined;
  if (form === 0) {
    const value = g.regs(
      (v) =>
        v.kind === 'value' &&
        !isNullable(v) &&
        v.vary === 0 &&
        !g.mapOf(v.map).flags &&
        !g.mapOf(v.map).special &&
        g.mapOf(v.map).value - v.off >= 16,
    );
    if (!has('dynptr_from_mem') || value.length === 0) return fail();
    asm.mov(1, rng.pick(value));
    asm.movImm(2, rng.pick([8, 16]));
    asm.movImm(3, 0);
    g.stackAddress(4, off);
    asm.call(HELPER.dynptr_from_mem);
  } else if (form === 1) {
    const name = g.kind.type === 'xdp' ? 'bpf_dynptr_from_xdp' : 'bpf_dynptr_from_skb';
    const ctx = g.regs((v, reg) => v.kind === 'ctx' && v.off === 0 && (reg === 1 || reg > 3));
    if (kfuncNamed(g.kind, name) === undefined || ctx.length === 0) return fail();
    if (ctx[0] !== 1) asm.mov(1, ctx[0]);
    asm.movImm(2, 0);
    g.stackAddress(3, off);
    asm.callKernel(kernelFunction(name));
  } else {
    if (!has('ringbuf_reserve_dynptr')) return fail();
    g.loadMap(1, 'ringbuf');
    asm.movImm(2, rng.between(8, 64));
    asm.movImm(3, 0);
    g.stackAddress(4, off);
    asm.call(HELPER.ringbuf_reserve_dynptr);
    close = () => {
      g.stackAddress(1, off);
      asm.movImm(2, 0);
      asm.call(rng.chance(0.6) ? HELPER.ringbuf_submit_dynptr : HELPER.ringbuf_discard_dynptr);
    };
  }
  g.clobber();
  g.set(0, UNKNOWN);
  g.dynptrs.push(off);
  const used = [...actions, { weight: 40, run: useDynptr }];
  scoped(g, used, rng.between(1, 5), () => {
    if (!g.mistake()) {
      close();
      g.clobber();
    }
  });
  g.dynptrs.splice(g.dynptrs.indexOf(off), 1);
  giveBack(g, off, DYNPTR_BYTES);
  // Slices of it are void.
  g.state.regs = g.state.regs.map((v) => (v.kind === 'mem' ? NONE : v));
  return true;
}

const DYNPTR_HELPERS: readonly HelperName[] = ['dynptr_read', 'dynptr_write', 'dynptr_data'];

/** A second dynptr to the same thing, for as long as the first one lasts. */
function cloneDynptr(g: Generator): boolean {
  const from = g.rng.pick(g.dynptrs);
  const off = reserve(g, DYNPTR_BYTES);
  if (off === undefined) return false;
  g.stackAddress(1, from);
  g.stackAddress(2, off);
  callNamed(g, 'bpf_dynptr_clone');
  g.set(0, UNKNOWN);
  if (g.rng.chance(0.5)) {
    g.stackAddress(1, off);
    g.asm.movImm(2, g.rng.below(4));
    g.asm.movImm(3, g.rng.between(4, 8));
    callNamed(g, 'bpf_dynptr_adjust');
    g.set(0, UNKNOWN);
  }
  giveBack(g, off, DYNPTR_BYTES);
  return true;
}

function useDynptr(g: Generator): boolean {
  const { rng, asm } = g;
  if (g.dynptrs.length === 0) return false;
  if (rng.chance(0.12)) return cloneDynptr(g);
  if (rng.chance(0.5)) {
    const name = rng.pick(DYNPTR_HELPERS);
    const helper = g.kind.helpers.find(({ id }) => id === HELPER[name]);
    if (helper === undefined) return false;
    const args = new Arguments(g, name, helper.proto);
    if (!args.fillAll()) return false;
    const size = g.value(3);
    asm.call(helper.id);
    g.clobber();
    g.set(0, UNKNOWN);
    if (name === 'dynptr_data' && size.kind === 'scalar') {
      g.set(0, { kind: 'mem', size: size.min, writable: true, ref: 0, off: 0, vary: 0, nullable: true, id: g.newId() });
    }
    return true;
  }
  const off = g.stackBuffer(8, { init: true });
  const name = rng.pick(['bpf_dynptr_slice', 'bpf_dynptr_slice_rdwr']);
  if (off === undefined || kfuncNamed(g.kind, name) === undefined) return false;
  g.stackAddress(1, rng.pick(g.dynptrs));
  asm.movImm(2, rng.below(8));
  const buffer = rng.chance(0.7);
  if (buffer) g.stackAddress(3, off);
  else asm.movImm(3, 0);
  asm.movImm(4, 8);
  asm.callKernel(kernelFunction(name));
  g.clobber();
  g.set(0, {
    kind: 'mem',
    size: 8,
    writable: name.endsWith('rdwr'),
    ref: 0,
    off: 0,
    vary: 0,
    nullable: true,
    id: g.newId(),
  });
  return true;
}

/** `quiet` actions call nothing. */
export const sectionActions = (actions: readonly Action[], quiet: readonly Action[]): readonly Action[] => [
  { weight: 1.5, run: (g) => section(g, actions) },
  { weight: 0.5, run: (g) => interrupts(g, actions) },
  { weight: 3, run: (g) => locked(g, quiet) },
  { weight: 1.5, run: (g) => record(g, actions) },
  { weight: 1.5, run: (g) => socket(g, actions) },
  { weight: 3, run: (g) => exchange(g, actions) },
  { weight: 2, run: kptrLoad },
  { weight: 2, run: (g) => iterate(g, actions) },
  { weight: 2, run: (g) => dynptr(g, actions) },
];
