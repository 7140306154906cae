// From a seed to a program.
import { decodeInsns, encodeInsns, LDIMM64 } from '../../src/isa/insn.ts';
import { PSEUDO } from '../../src/isa/opcode.ts';
import { ATTACH_TYPE } from '../../src/isa/uapi.ts';
import { PROG_FLAG } from '../../src/kernel/verifier/env.ts';
import { type Action, writeBlock } from './action.ts';
import { ALU_ACTIONS } from './actions/alu.ts';
import { branchActions } from './actions/branches.ts';
import { CONTEXT_ACTIONS } from './actions/context.ts';
import { graphActions } from './actions/graph.ts';
import { HELPER_ACTIONS } from './actions/helpers.ts';
import { kfuncActions } from './actions/kfuncs.ts';
import { loopActions } from './actions/loops.ts';
import { MAP_ACTIONS } from './actions/maps.ts';
import { MEMORY_ACTIONS } from './actions/memory.ts';
import { sectionActions } from './actions/sections.ts';
import { SETUP_ACTIONS } from './actions/setups.ts';
import { STACK_ACTIONS } from './actions/stack.ts';
import { beginHandler } from './functions.ts';
import { Generator, type PendingFunction } from './generator.ts';
import { mutate } from './mutate.ts';
import type { Caps, FuzzProgram } from './program.ts';
import { KINDS } from './program-kinds.ts';
import { Rng } from './rng.ts';
import { State } from './values.ts';
import { MAIN_WORLD, WORLD_MAPS } from './world.ts';
import { lineStrings, THROWING_MAIN, typeIds } from './world-btf.ts';

/** Actions without calls. */
const QUIET: readonly Action[] = [...ALU_ACTIONS, ...STACK_ACTIONS, ...MEMORY_ACTIONS, ...CONTEXT_ACTIONS];

/**
 * What a program can do. Each leans to some actions and hardly has others; a tangled one has many paths.
 */
function repertoire(rng: Rng, tangled: boolean): Action[] {
  const all: Action[] = [];
  const add = (actions: readonly Action[], factor = 1): void => {
    const some = factor * rng.pick([0.3, 1, 1, 2]);
    for (const { weight, run } of actions) all.push({ weight: weight * some * rng.pick([0.1, 0.5, 1, 1, 2]), run });
  };
  add(ALU_ACTIONS);
  add(STACK_ACTIONS);
  add(MEMORY_ACTIONS);
  add(CONTEXT_ACTIONS);
  add(MAP_ACTIONS);
  add(HELPER_ACTIONS);
  add(SETUP_ACTIONS);
  add(branchActions(all), tangled ? 4 : 1);
  add(loopActions(all), tangled ? 3 : 1);
  add(kfuncActions(all));
  add(sectionActions(all, QUIET));
  add(graphActions(QUIET));
  return all;
}

/** Keeps the context where calls do not clobber it. */
function keepContext(g: Generator): void {
  const { rng, asm } = g;
  if (rng.chance(0.05)) return;
  const reg = rng.between(6, 9);
  asm.mov(reg, 1);
  g.set(reg, g.value(1));
  g.pinned.add(reg);
}

function writeFunction(g: Generator, actions: readonly Action[]): void {
  const { rng } = g;
  if (g.current.args.length > 0 && g.value(1).kind === 'ctx') keepContext(g);
  writeBlock(g, actions, g.current.depth === 0 ? rng.between(3, 80) : rng.between(1, 12));
  finish(g);
}

/** Ends the function with what the registers hold, where that fits. */
function finish(g: Generator): void {
  const { min, max } = g.current.returns ?? { min: 0, max: Number.POSITIVE_INFINITY };
  const value = g.value(0);
  const fits = value.kind === 'scalar' && value.min >= min && value.max <= max;
  if ((fits && g.rng.chance(0.7)) || g.mistake()) g.asm.exit();
  else g.leave();
}

/** Line records for some instructions, and for the first of each function as Linux demands. */
function lineRecords(rng: Rng, g: Generator): Uint8Array {
  const words: number[] = [];
  const starts = new Set(g.functions.map((f) => g.asm.placeOf(f.label)));
  const { insns } = g.asm;
  let line = 1;
  for (let i = 0; i < insns.length; i++) {
    if (!starts.has(i) && (insns[i].code === 0 || !rng.chance(0.4))) continue;
    line = Math.max(1, line + rng.between(-2, 3));
    words.push(i, lineStrings.file, rng.pick(lineStrings.texts), (line << 10) | rng.below(40));
  }
  return new Uint8Array(Uint32Array.from(words).buffer);
}

/** Maps named by their place in an array of descriptors. */
function throughArray(wire: Uint8Array): { insns: Uint8Array; fdArray: number[] } {
  const insns = decodeInsns(wire);
  const fdArray: number[] = [];
  for (let i = 0; i < insns.length; i++) {
    const x = insns[i];
    if (x.code !== LDIMM64) continue;
    i++;
    if (x.src !== PSEUDO.MAP_FD && x.src !== PSEUDO.MAP_VALUE) continue;
    if (!WORLD_MAPS[x.imm - 1]) continue;
    if (!fdArray.includes(x.imm)) fdArray.push(x.imm);
    x.src = x.src === PSEUDO.MAP_FD ? PSEUDO.MAP_IDX : PSEUDO.MAP_IDX_VALUE;
    x.imm = fdArray.indexOf(x.imm);
  }
  return { insns: encodeInsns(insns), fdArray };
}

/** How often programs of types that may sleep are loaded as such that do. */
const SLEEPING: Readonly<Record<string, number>> = { syscall: 1, tracing: 0.3, kprobe: 0.1 };

/** Part of the programs that are damaged in the end. */
const DAMAGED = 0.1;

/** Types that are also loaded without CAP_PERFMON. */
const UNTRUSTED: readonly string[] = ['socket_filter', 'xdp', 'sched_cls', 'cgroup_skb'];

const MISTAKES = [0, 0, 0, 0.001, 0.005, 0.02] as const;

export function generate(seed: number): FuzzProgram {
  const rng = new Rng(seed);
  const kind = rng.weighted(KINDS);
  const withBtf = rng.chance(0.4);
  const sleepable = rng.chance(SLEEPING[kind.type] ?? 0) && kind.attachType !== ATTACH_TYPE.trace_raw_tp;
  const main: PendingFunction = {
    label: 0,
    name: 'main',
    args: [{ kind: 'ctx', off: 0, vary: 0 }],
    returns: kind.returns,
    depth: 0,
    stackBytes: rng.pick([32, 64, 64, 128, 256, 512]),
    global: false,
    callback: false,
  };
  const state = State.fresh(main.stackBytes);
  state.regs[1] = main.args[0];
  const caps: Caps = rng.chance(0.2) && UNTRUSTED.includes(kind.type) ? 'bpf' : 'all';
  const tangled = rng.chance(0.15);
  const budget = tangled ? 600 : rng.pick([15, 40, 80, 150, 250, 400]);
  const g = new Generator(rng, kind, main, state, { mistakes: rng.pick(MISTAKES), budget, withBtf, sleepable, caps });
  let flags = sleepable ? PROG_FLAG.SLEEPABLE : 0;
  if (rng.chance(0.05)) flags |= PROG_FLAG.STRICT_ALIGNMENT;
  if (rng.chance(0.05)) flags |= PROG_FLAG.ANY_ALIGNMENT;
  if (rng.chance(0.25)) flags |= PROG_FLAG.TEST_STATE_FREQ;
  if (rng.chance(0.1)) flags |= PROG_FLAG.TEST_REG_INVARIANTS;
  if (rng.chance(0.02)) flags |= PROG_FLAG.TEST_RND_HI32;
  if (kind.type === 'xdp' && rng.chance(0.15)) flags |= PROG_FLAG.XDP_HAS_FRAGS;
  if (rng.chance(0.003)) flags |= PROG_FLAG.SLEEPABLE;
  main.label = g.asm.here();
  if (withBtf && rng.chance(0.1)) {
    main.name = THROWING_MAIN;
    beginHandler(g);
  }
  const actions = repertoire(rng, tangled);
  writeFunction(g, actions);
  for (let next = g.queue.shift(); next !== undefined; next = g.queue.shift()) {
    g.enter(next);
    writeFunction(g, actions);
  }
  const whole = g.asm.finish();
  const lines = withBtf && rng.chance(0.3) ? lineRecords(rng, g) : undefined;
  const insns = rng.chance(DAMAGED) ? mutate(rng, whole, 2) : whole;
  const byIndex = rng.chance(0.04) ? throughArray(insns) : undefined;
  return {
    seed,
    type: kind.type,
    attachType: kind.attachType,
    attachBtfId: kind.attachBtfId,
    flags,
    caps,
    license: rng.chance(0.985) ? 'GPL' : 'Proprietary',
    insns: byIndex?.insns ?? insns,
    ...(byIndex ? { fdArray: byIndex.fdArray, fdArrayBinds: rng.chance(0.4) } : {}),
    world: MAIN_WORLD,
    ...(lines ? { lines } : {}),
    ...(withBtf ? { funcs: g.functions.map((f) => [g.asm.placeOf(f.label), typeIds[f.name]] as const) } : {}),
  };
}
