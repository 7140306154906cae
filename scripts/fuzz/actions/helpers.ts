// Calls of helper functions, whatever the program type has.
import { HELPER, HELPERS, type HelperName } from '../../../src/isa/uapi.ts';
import { PACKET_CHANGING } from '../../../src/kernel/helpers/index.ts';
import { type HelperProto, RET } from '../../../src/kernel/verifier/helper-proto.ts';
import { baseType, FLAG } from '../../../src/kernel/verifier/types.ts';
import type { Action } from '../action.ts';
import { callGlobal, callStatic } from '../functions.ts';
import type { Generator } from '../generator.ts';
import { isKnown, NONE, scalar, UNKNOWN, type Value } from '../values.ts';
import { Arguments } from './arguments.ts';
import { checkNull } from './branches.ts';

/** Helpers that come in pairs or otherwise have actions of their own. */
const ELSEWHERE: ReadonlySet<string> = new Set<HelperName>([
  'spin_lock',
  'spin_unlock',
  'sk_release',
  'sk_lookup_tcp',
  'sk_lookup_udp',
  'skc_lookup_tcp',
  'ringbuf_reserve',
  'ringbuf_submit',
  'ringbuf_discard',
  'ringbuf_reserve_dynptr',
  'ringbuf_submit_dynptr',
  'ringbuf_discard_dynptr',
  'kptr_xchg',
  'dynptr_from_mem',
]);

/** Not for the kinds of programs that are generated, whatever the tables say. */
const UNAVAILABLE = /^get_func_(ip|arg|ret)|override_return/;

/** Packet pointers end with the packet as it was. */
export function dropPackets(g: Generator): void {
  const lost = (value: Value): boolean =>
    value.kind === 'packet' || value.kind === 'meta' || value.kind === 'packet_end';
  g.state.regs = g.state.regs.map((value) => (lost(value) ? NONE : value));
  for (const part of g.state.stack) if (part.spill && lost(part.spill)) part.spill = undefined;
  g.state.packetRange.clear();
}

const SOCKET_NAMES: Readonly<Record<number, string>> = {
  [RET.SOCKET]: 'sock',
  [RET.SOCK_COMMON]: 'sock_common',
  [RET.TCP_SOCK]: 'tcp_sock',
};

/** What R0 holds after the call. */
function resultOf(g: Generator, proto: HelperProto, args: Arguments): Value {
  const { ret } = proto;
  const nullable = (ret.type & FLAG.MAYBE_NULL) !== 0;
  const id = g.newId();
  switch (baseType(ret.type)) {
    case RET.INTEGER:
      return UNKNOWN;
    case RET.MAP_VALUE:
      if (args.map === undefined) return NONE;
      return { kind: 'value', map: args.map, off: 0, vary: 0, nullable, id };
    case RET.SOCKET:
    case RET.TCP_SOCK:
    case RET.SOCK_COMMON:
      return { kind: 'other', name: SOCKET_NAMES[baseType(ret.type)], ref: 0, nullable, id };
    case RET.MEM: {
      const size = g.value(3);
      const bytes = isKnown(size) ? size.min : 0;
      return { kind: 'mem', size: bytes, writable: true, ref: 0, off: 0, vary: 0, nullable, id };
    }
    case RET.BTF_ID:
      if (ret.btf === undefined) return NONE;
      return { kind: 'object', struct: ret.btf, trusted: true, ref: 0, off: 0, nullable, id };
    case RET.MEM_OR_BTF_ID:
      return { kind: 'mem', size: 4, writable: false, ref: 0, off: 0, vary: 0, nullable, id };
    default:
      return NONE;
  }
}

/** Calls a helper; false where its arguments cannot be had. */
export function callHelper(g: Generator, name: HelperName, proto: HelperProto): boolean {
  const args = new Arguments(g, name, proto);
  if (!args.fillAll()) return false;
  const result = resultOf(g, proto, args);
  g.asm.call(HELPER[name]);
  g.clobber();
  g.set(0, result);
  if (PACKET_CHANGING.has(name)) dropPackets(g);
  return true;
}

function anyHelper(g: Generator): boolean {
  const { rng, asm } = g;
  if (g.mistake()) {
    asm.call(rng.below(HELPERS.length + 2));
    g.clobber();
    g.set(0, UNKNOWN);
    return true;
  }
  if (g.kind.helpers.length === 0) return false;
  const { id, proto } = rng.pick(g.kind.helpers);
  if (ELSEWHERE.has(HELPERS[id]) || UNAVAILABLE.test(HELPERS[id]) || (proto.sleeps && !g.sleepable)) return false;
  // Each has the same chance, but those that need something rare mostly fail to get it.
  if (!callHelper(g, HELPERS[id], proto)) return false;
  const value = g.value(0);
  if ('nullable' in value && value.nullable && rng.chance(0.7)) checkNull(g, 0);
  if (value.kind !== 'scalar' && value.kind !== 'none' && rng.chance(0.5)) {
    const keep = g.savedReg();
    if (!g.pinned.has(keep)) {
      asm.mov(keep, 0);
      g.set(keep, g.value(0));
    }
  }
  return true;
}

/** Helpers without arguments, which fast calls may keep registers over. */
function simpleHelper(g: Generator): boolean {
  const simple = g.kind.helpers.filter(({ proto }) => proto.args.length === 0);
  if (simple.length === 0) return false;
  const { id } = g.rng.pick(simple);
  const { rng, asm } = g;
  const fast = id === HELPER.get_smp_processor_id || rng.chance(0.2);
  const spilled: { reg: number; off: number; value: Value }[] = [];
  if (fast && rng.chance(0.5)) {
    // The pattern of compilers: registers are saved around the call.
    for (let reg = 1; reg <= 3; reg++) {
      const off = -(g.current.stackBytes + 8 * reg);
      const value = g.value(reg);
      if (value.kind === 'none' || off < -512) continue;
      asm.store(8, 10, off, reg);
      spilled.push({ reg, off, value });
    }
  }
  asm.call(id);
  g.clobber();
  g.set(0, HELPERS[id] === 'get_current_task_btf' ? task(g) : UNKNOWN);
  for (const { reg, off, value } of rng.chance(0.9) ? spilled.reverse() : spilled) {
    asm.load(8, reg, 10, off);
    g.set(reg, value);
  }
  return true;
}

const task = (g: Generator): Value => ({
  kind: 'object',
  struct: 'task_struct',
  trusted: true,
  ref: 0,
  off: 0,
  nullable: false,
  id: g.newId(),
});

/** A range-limited result as some helpers give. */
function cpuNumber(g: Generator): boolean {
  g.asm.call(HELPER.get_smp_processor_id);
  g.clobber();
  g.set(0, scalar(0, 1));
  return true;
}

function random(g: Generator): boolean {
  g.asm.call(g.rng.chance(0.7) ? HELPER.get_prandom_u32 : HELPER.ktime_get_ns);
  g.clobber();
  g.set(0, UNKNOWN);
  if (g.rng.chance(0.5)) {
    const keep = g.savedReg();
    if (!g.pinned.has(keep)) {
      g.asm.mov(keep, 0);
      g.set(keep, UNKNOWN);
    }
  }
  return true;
}

/** bpf_loop with a constant or unknown count. */
function loop(g: Generator): boolean {
  const proto = g.kind.helpers.find(({ id }) => id === HELPER.loop);
  if (proto === undefined || g.repeats > 8) return false;
  g.repeats *= 4;
  const done = callHelper(g, 'loop', proto.proto);
  g.repeats /= 4;
  return done;
}

function forEach(g: Generator): boolean {
  const proto = g.kind.helpers.find(({ id }) => id === HELPER.for_each_map_elem);
  return proto !== undefined && g.repeats <= 8 && callHelper(g, 'for_each_map_elem', proto.proto);
}

function tailCall(g: Generator): boolean {
  const proto = g.kind.helpers.find(({ id }) => id === HELPER.tail_call);
  return proto !== undefined && callHelper(g, 'tail_call', proto.proto);
}

/** Loads from the packet by the old instructions, which end the program where there is nothing. */
function loadAbsolute(g: Generator): boolean {
  const { rng, asm } = g;
  if (!g.kind.rules.loadsFromSkb && !g.mistake()) return false;
  if (!g.mistake()) {
    if (g.escapes.length > 0 || g.current.depth > 0) return false;
    const ctx = g.findReg((v) => v.kind === 'ctx' && v.off === 0);
    if (ctx === undefined || g.pinned.has(6)) {
      if (g.value(6).kind !== 'ctx') return false;
    } else if (ctx !== 6) {
      asm.mov(6, ctx);
      g.set(6, g.value(ctx));
    }
  }
  const size = rng.pick([0x00, 0x08, 0x10]);
  if (rng.chance(0.6)) asm.raw(0x20 | size, 0, 0, 0, g.imm());
  else asm.raw(0x40 | size, 0, g.scalarReg(), 0, g.imm());
  g.clobber();
  g.set(0, size === 0 ? UNKNOWN : scalar(0, size === 0x08 ? 0xffff : 0xff));
  return true;
}

export const HELPER_ACTIONS: readonly Action[] = [
  { weight: 14, run: anyHelper },
  { weight: 1, run: simpleHelper },
  { weight: 0.5, run: cpuNumber },
  { weight: 3, run: random },
  { weight: 1, run: loop },
  { weight: 1, run: forEach },
  { weight: 0.5, run: tailCall },
  { weight: 1, run: loadAbsolute },
  { weight: 1.5, run: callStatic },
  { weight: 1.5, run: callGlobal },
];
