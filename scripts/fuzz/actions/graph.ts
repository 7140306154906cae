// Objects of the program in lists and trees, resilient locks, deferred work, exceptions.

import { ALU, JMP } from '../../../src/isa/opcode.ts';
import { HELPER } from '../../../src/isa/uapi.ts';
import type { Action } from '../action.ts';
import { lessCallback, writeCallback } from '../functions.ts';
import type { Generator } from '../generator.ts';
import { kernelFunction } from '../kernel-functions.ts';
import { kfuncNamed } from '../kfunc-list.ts';
import { mayOpen, scoped } from '../scope.ts';
import { NONE, UNKNOWN } from '../values.ts';
import { mapIndex } from '../world.ts';
import { GRAPH, typeIds } from '../world-btf.ts';
import { COMPARISONS } from './branches.ts';
import { sureValue } from './setups.ts';

function call(g: Generator, name: string): void {
  g.asm.callKernel(kernelFunction(name));
  g.clobber();
}

/** Argument register = pointer in another + offset. */
function pass(g: Generator, reg: number, from: number, off: number): void {
  g.asm.mov(reg, from);
  const at = g.mistake() ? off + g.rng.pick([-8, 4, 8]) : off;
  if (at !== 0) g.asm.aluImm(ALU.ADD, reg, at);
}

function drop(g: Generator, node: number, off = 0): void {
  pass(g, 1, node, -off);
  g.asm.movImm(2, 0);
  call(g, 'bpf_obj_drop_impl');
}

/** A new object in a register that survives calls; the block ends where there is none. */
function newNode(g: Generator, avoid: readonly number[]): number | undefined {
  const { asm } = g;
  const keep = g.savedReg([...avoid]);
  if (g.pinned.has(keep) || avoid.includes(keep)) return undefined;
  asm.movImm(1, g.mistake() ? g.rng.below(60) : typeIds.node);
  asm.movImm(2, 0);
  call(g, 'bpf_obj_new_impl');
  const on = asm.label();
  asm.mov(keep, 0);
  asm.jumpImm(JMP.JNE, g.rng.chance(0.5) ? 0 : keep, 0, on);
  g.leave();
  asm.place(on);
  g.set(keep, NONE);
  return keep;
}

/** Loads and stores in an object that is owned or at least there. */
function touch(g: Generator, node: number): void {
  const { rng, asm } = g;
  for (let i = rng.below(3); i > 0; i--) {
    if (rng.chance(0.5)) {
      const dst = g.freeReg([node, ...g.pinned]);
      if (dst === node || g.pinned.has(dst)) continue;
      asm.load(8, dst, node, g.mistake() ? rng.pick([4, 8, 16]) : GRAPH.key);
      g.set(dst, UNKNOWN);
    } else asm.storeImm(8, node, g.mistake() ? rng.pick([8, 64]) : GRAPH.key, rng.below(100));
  }
}

const possible = (g: Generator): boolean => kfuncNamed(g.kind, 'bpf_obj_new_impl') !== undefined && g.withBtf;

/** An object of its own: made, used, counted, dropped. */
function lonely(g: Generator): boolean {
  const { rng, asm } = g;
  if (!possible(g) || !mayOpen(g)) return false;
  const node = newNode(g, []);
  if (node === undefined) return false;
  g.pinned.add(node);
  touch(g, node);
  if (rng.chance(0.4)) {
    asm.mov(1, node);
    asm.movImm(2, 0);
    call(g, 'bpf_refcount_acquire_impl');
    const none = asm.label();
    asm.jumpImm(JMP.JEQ, 0, 0, none);
    drop(g, 0);
    asm.place(none);
  }
  if (!g.mistake()) drop(g, node);
  g.pinned.delete(node);
  g.set(node, NONE);
  return true;
}

function lock(g: Generator, value: number, release: boolean): void {
  pass(g, 1, value, GRAPH.lock);
  if (!g.mistake()) g.asm.call(release ? HELPER.spin_unlock : HELPER.spin_lock);
  g.clobber();
}

/** Puts a new object into the list or the tree. */
function insert(g: Generator): boolean {
  const { rng, asm } = g;
  if (!possible(g) || g.kind.helpers.every(({ id }) => id !== HELPER.spin_lock)) return false;
  const value = sureValue(g, 'graph');
  if (value === undefined) return false;
  const wasPinned = g.pinned.has(value);
  g.pinned.add(value);
  const node = newNode(g, [value]);
  if (node !== undefined) {
    g.pinned.add(node);
    touch(g, node);
    lock(g, value, false);
    const tree = rng.chance(0.5);
    pass(g, 1, value, tree ? GRAPH.root : GRAPH.head);
    pass(g, 2, node, tree ? GRAPH.tree : GRAPH.node);
    if (tree && lessCallback(g, 3)) {
      asm.movImm(4, 0);
      asm.movImm(5, 0);
      call(g, 'bpf_rbtree_add_impl');
    } else {
      if (tree) {
        pass(g, 1, value, GRAPH.head);
        pass(g, 2, node, GRAPH.node);
      }
      asm.movImm(3, 0);
      asm.movImm(4, 0);
      call(g, rng.chance(0.5) ? 'bpf_list_push_front_impl' : 'bpf_list_push_back_impl');
    }
    // Still to be read, until the lock is given up.
    if (rng.chance(0.3)) touch(g, node);
    lock(g, value, true);
    if (g.mistake()) touch(g, node);
    g.pinned.delete(node);
    g.set(node, NONE);
  }
  if (!wasPinned) g.pinned.delete(value);
  return true;
}

/** Takes an object out of the list or the tree, and drops it. */
function remove(g: Generator): boolean {
  const { rng, asm } = g;
  if (!possible(g) || g.kind.helpers.every(({ id }) => id !== HELPER.spin_lock)) return false;
  const value = sureValue(g, 'graph');
  if (value === undefined) return false;
  const keep = g.savedReg([value]);
  if (g.pinned.has(keep) || keep === value) return false;
  const wasPinned = g.pinned.has(value);
  g.pinned.add(value);
  const tree = rng.chance(0.5);
  const none = asm.label();
  const end = asm.label();
  lock(g, value, false);
  pass(g, 1, value, tree ? GRAPH.root : GRAPH.head);
  if (tree) {
    call(g, 'bpf_rbtree_first');
    asm.jumpImm(JMP.JEQ, 0, 0, none);
    if (rng.chance(0.3)) {
      asm.mov(1, 0);
      call(g, rng.chance(0.5) ? 'bpf_rbtree_left' : 'bpf_rbtree_right');
      asm.jumpImm(JMP.JEQ, 0, 0, none);
    }
    pass(g, 1, value, GRAPH.root);
    asm.mov(2, 0);
    call(g, 'bpf_rbtree_remove');
  } else call(g, rng.pick(['bpf_list_pop_front', 'bpf_list_pop_back']));
  asm.mov(keep, 0);
  lock(g, value, true);
  asm.jumpImm(JMP.JEQ, keep, 0, end);
  drop(g, keep, tree ? GRAPH.tree : GRAPH.node);
  asm.jump(end);
  asm.place(none);
  lock(g, value, true);
  asm.place(end);
  g.set(keep, NONE);
  if (!wasPinned) g.pinned.delete(value);
  return true;
}

/** A lock that may fail to be had. */
function resilient(g: Generator, quiet: readonly Action[]): boolean {
  const { rng, asm } = g;
  if (!mayOpen(g) || kfuncNamed(g.kind, 'bpf_res_spin_lock') === undefined) return false;
  const value = sureValue(g, 'resilient');
  if (value === undefined) return false;
  const wasPinned = g.pinned.has(value);
  g.pinned.add(value);
  pass(g, 1, value, 8);
  call(g, 'bpf_res_spin_lock');
  const failed = asm.label();
  if (!g.mistake()) asm.jumpImm(rng.chance(0.8) ? JMP.JNE : JMP.JSLT, 0, 0, failed);
  const before = g.state.clone();
  scoped(g, quiet, rng.between(0, 3), () => {
    pass(g, 1, value, 8);
    if (!g.mistake()) call(g, 'bpf_res_spin_unlock');
  });
  asm.place(failed);
  g.state.join(before);
  if (!wasPinned) g.pinned.delete(value);
  return true;
}

/** Work that runs later, in a function that may sleep. */
function deferred(g: Generator): boolean {
  const { rng, asm } = g;
  if (!g.withBtf || kfuncNamed(g.kind, 'bpf_wq_init') === undefined) return false;
  const value = sureValue(g, 'works');
  if (value === undefined) return false;
  const wasPinned = g.pinned.has(value);
  g.pinned.add(value);
  if (rng.chance(0.8)) {
    pass(g, 1, value, 8);
    asm.map(2, mapIndex('works'));
    asm.movImm(3, 0);
    call(g, 'bpf_wq_init');
  }
  if (rng.chance(0.8) && writeCallback(g, 2, 'timer_set_callback', mapIndex('works'))) {
    pass(g, 1, value, 8);
    asm.movImm(3, 0);
    asm.movImm(4, 0);
    call(g, 'bpf_wq_set_callback_impl');
  }
  if (rng.chance(0.6)) {
    pass(g, 1, value, 8);
    asm.movImm(2, 0);
    call(g, 'bpf_wq_start');
  }
  if (!wasPinned) g.pinned.delete(value);
  return true;
}

/** Ends everything under a condition. */
function throwIt(g: Generator): boolean {
  const { rng, asm } = g;
  if (kfuncNamed(g.kind, 'bpf_throw') === undefined) return false;
  if ((g.escapes.length > 0 || g.current.callback) && !g.mistake()) return false;
  const on = asm.label();
  asm.jumpImm(rng.pick(COMPARISONS), g.scalarReg(), g.imm(), on);
  const { min, max } = g.kind.returns;
  asm.movImm(1, rng.between(min, Math.min(max, min + 8)));
  asm.callKernel(kernelFunction('bpf_throw'));
  // What follows is never reached, unless nothing follows.
  if (rng.chance(0.3)) g.leave();
  asm.place(on);
  return true;
}

export const graphActions = (quiet: readonly Action[]): readonly Action[] => [
  { weight: 1, run: lonely },
  { weight: 1.5, run: insert },
  { weight: 1.5, run: remove },
  { weight: 1, run: (g) => resilient(g, quiet) },
  { weight: 0.7, run: deferred },
  { weight: 0.5, run: throwIt },
];
