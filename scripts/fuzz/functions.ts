// Functions of a program besides the main one: callbacks, static and global subprograms.
import type { HelperName } from '../../src/isa/uapi.ts';
import type { Generator, PendingFunction } from './generator.ts';
import { isNullable, NONE, scalar, UNKNOWN, type Value } from './values.ts';
import { mapIndex, WORLD_MAPS } from './world.ts';
import { GLOBAL_SIGNATURES, HANDLER, type ParamKind, STATIC_NAMES } from './world-btf.ts';

const MAX_FUNCTIONS = 6;
const MAX_CALLS = 3;
const STACK_CHOICES = [0, 16, 32, 64, 96] as const;

function begin(
  g: Generator,
  name: string,
  args: readonly Value[],
  returns: PendingFunction['returns'],
  kind: 'static' | 'global' | 'callback',
): PendingFunction {
  const made: PendingFunction = {
    label: g.asm.label(),
    name,
    args,
    returns,
    depth: g.current.depth + 1,
    stackBytes: g.rng.pick(STACK_CHOICES),
    global: kind === 'global',
    callback: kind === 'callback',
  };
  g.functions.push(made);
  g.queue.push(made);
  return made;
}

const staticName = (g: Generator): string | undefined =>
  STATIC_NAMES.find((name) => !g.functions.some((f) => f.name === name));

const mayBegin = (g: Generator): boolean => g.functions.length < MAX_FUNCTIONS && g.current.depth < MAX_CALLS;

/** Memory of a map's value as a callback gets it. */
function elementOf(g: Generator, map: number): Value {
  return { kind: 'value', map, off: 0, vary: 0, nullable: false, id: g.newId() };
}

const memory = (g: Generator, size: number, writable: boolean): Value => ({
  kind: 'mem',
  size,
  writable,
  ref: 0,
  off: 0,
  vary: 0,
  nullable: false,
  id: g.newId(),
});

/** Puts the address of a new callback for a helper into a register. */
export function writeCallback(g: Generator, reg: number, helper: HelperName, map: number | undefined): boolean {
  const name = staticName(g);
  if ((!g.withBtf && !g.mistake()) || name === undefined || !mayBegin(g)) return false;
  const context = memory(g, 8, true);
  let args: Value[];
  let returns = { min: 0, max: 1 };
  if (helper === 'loop') args = [UNKNOWN, context];
  else if (helper === 'for_each_map_elem' && map !== undefined) {
    args = [{ kind: 'map', map }, memory(g, WORLD_MAPS[map].key, false), elementOf(g, map), context];
  } else if (helper === 'timer_set_callback') {
    const timers = mapIndex('timers');
    args = [{ kind: 'map', map: timers }, memory(g, 4, false), elementOf(g, timers)];
    returns = { min: 0, max: 0 };
  } else if (helper === 'find_vma') {
    const object = (struct: string): Value => ({
      kind: 'object',
      struct,
      trusted: false,
      ref: 0,
      off: 0,
      nullable: false,
      id: 0,
    });
    args = [object('task_struct'), object('vm_area_struct'), context];
  } else if (helper === 'user_ringbuf_drain') {
    args = [{ kind: 'other', name: 'dynptr', ref: 0, nullable: false, id: g.newId() }, context];
  } else return false;
  const made = begin(g, name, args, returns, 'callback');
  g.asm.func(reg, made.label);
  g.set(reg, NONE);
  return true;
}

/** Begins the function that the program names as its handler of exceptions; nothing calls it. */
export function beginHandler(g: Generator): void {
  begin(g, HANDLER, [UNKNOWN], g.kind.returns, 'global');
}

/** Puts the address of a new comparison of two nodes of a tree into a register. */
export function lessCallback(g: Generator, reg: number): boolean {
  const name = staticName(g);
  if (!g.withBtf || name === undefined || !mayBegin(g)) return false;
  const node: Value = { kind: 'none' };
  const made = begin(g, name, [node, node], { min: 0, max: 1 }, 'callback');
  g.asm.func(reg, made.label);
  g.set(reg, NONE);
  return true;
}

/** May it be passed on to a function of the program? */
const passable = (value: Value): boolean =>
  value.kind !== 'none' && value.kind !== 'stack' && !isNullable(value) && !('ref' in value && value.ref !== 0);

/** Calls a static function that is written later, with what R1–R5 hold. */
export function callStatic(g: Generator): boolean {
  const { rng, asm } = g;
  const again = g.functions.find(
    (f) =>
      !f.global &&
      !f.callback &&
      f !== g.current &&
      f.depth > g.current.depth &&
      f.args.every((v, i) => v.kind === 'scalar' && g.value(i + 1).kind === 'scalar'),
  );
  if (again && rng.chance(0.3)) {
    asm.callLocal(again.label);
    g.clobber();
    g.set(0, UNKNOWN);
    return true;
  }
  const name = staticName(g);
  if (name === undefined || !mayBegin(g)) return false;
  const args: Value[] = [];
  for (let reg = 1; reg <= rng.below(5); reg++) {
    if (rng.chance(0.5)) {
      const from = g.regs((v, r) => (r === 0 || r >= reg) && passable(v));
      if (from.length) {
        const source = rng.pick(from);
        if (source !== reg) asm.mov(reg, source);
        g.set(reg, g.value(source));
      }
    }
    if (!passable(g.value(reg))) {
      const buffer = rng.chance(0.4) ? g.stackBuffer(16, { init: true }) : undefined;
      if (buffer === undefined) g.setNumber(reg, g.imm());
      else {
        g.stackAddress(reg, buffer);
        g.set(reg, memory(g, 16, true));
      }
    }
    args.push(g.value(reg));
  }
  // What lies on the stack of the caller is bytes for the callee.
  for (const part of g.state.stack) if (part.spill && args.some((v) => v.kind === 'mem')) part.spill = undefined;
  const made = begin(g, name, args, undefined, 'static');
  asm.callLocal(made.label);
  g.clobber();
  g.set(0, UNKNOWN);
  return true;
}

/** What a parameter of a global function looks like inside. */
function paramValue(g: Generator, kind: ParamKind): Value {
  if (kind === 'int' || kind === 'long') return UNKNOWN;
  if (kind === 'ctx') return { kind: 'ctx', off: 0, vary: 0 };
  if (kind === 'dynptr') return NONE;
  if (kind === 'task' || kind === 'taskNullable') {
    return {
      kind: 'object',
      struct: 'task_struct',
      trusted: true,
      ref: 0,
      off: 0,
      nullable: kind !== 'task',
      id: g.newId(),
    };
  }
  return { kind: 'mem', size: 16, writable: true, ref: 0, off: 0, vary: 0, nullable: kind === 'pair', id: g.newId() };
}

/** Fills a register with an argument for a global function. */
function passParam(g: Generator, reg: number, kind: ParamKind): boolean {
  const { asm, rng } = g;
  if (kind === 'int' || kind === 'long') {
    const from = g.regs((v, r) => (r === 0 || r >= reg) && v.kind === 'scalar');
    if (from.length && rng.chance(0.6)) {
      const source = rng.pick(from);
      asm.mov(reg, source);
      g.set(reg, g.value(source));
    } else g.setNumber(reg, g.imm());
    return true;
  }
  if (kind === 'ctx') {
    const from = g.regs((v, r) => (r === 0 || r >= reg) && v.kind === 'ctx' && v.off === 0);
    if (from.length === 0) return false;
    asm.mov(reg, from[0]);
    g.set(reg, g.value(from[0]));
    return true;
  }
  if (kind === 'dynptr') {
    if (g.dynptrs.length === 0) return false;
    g.stackAddress(reg, rng.pick(g.dynptrs));
    return true;
  }
  if (kind === 'task' || kind === 'taskNullable') {
    const from = g.regs(
      (v, r) =>
        (r === 0 || r >= reg) && v.kind === 'object' && v.struct === 'task_struct' && (!v.nullable || kind !== 'task'),
    );
    if (from.length === 0 && kind === 'task') return false;
    if (from.length) asm.mov(reg, from[0]);
    else asm.movImm(reg, 0);
    g.set(reg, NONE);
    return true;
  }
  if (kind === 'pair' && rng.chance(0.2)) {
    g.setNumber(reg, 0);
    return true;
  }
  const value = g.regs(
    (v, r) =>
      (r === 0 || r >= reg) &&
      v.kind === 'value' &&
      !v.nullable &&
      v.vary === 0 &&
      !g.mapOf(v.map).flags &&
      !g.mapOf(v.map).special &&
      g.mapOf(v.map).value - v.off >= 16,
  );
  if (value.length && rng.chance(0.5)) {
    asm.mov(reg, value[0]);
    g.set(reg, g.value(value[0]));
    return true;
  }
  const off = g.stackBuffer(16, { init: true });
  if (off === undefined) return false;
  g.stackAddress(reg, off);
  return true;
}

/** Calls a global function, which is verified by itself. */
export function callGlobal(g: Generator): boolean {
  const { rng, asm } = g;
  if (!g.withBtf) return false;
  const names = Object.keys(GLOBAL_SIGNATURES);
  const name = rng.pick(names);
  let target = g.functions.find((f) => f.name === name);
  if (target !== undefined && (target === g.current || target.depth <= g.current.depth)) return false;
  if (target === undefined && !mayBegin(g)) return false;
  const params = GLOBAL_SIGNATURES[name];
  if (!params.every((kind, i) => passParam(g, i + 1, kind))) return false;
  target ??= begin(
    g,
    name,
    params.map((kind) => paramValue(g, kind)),
    undefined,
    'global',
  );
  asm.callLocal(target.label);
  g.clobber();
  g.set(0, scalar(0, Number.POSITIVE_INFINITY));
  return true;
}
