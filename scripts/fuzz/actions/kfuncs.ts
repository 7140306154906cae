// Calls of kernel functions, and what they take and give back.

import { JMP, MODE } from '../../../src/isa/opcode.ts';
import { KF } from '../../../src/kernel/kfuncs/index.ts';
import type { Action } from '../action.ts';
import type { Generator } from '../generator.ts';
import { kernelBtf, kernelFunction } from '../kernel-functions.ts';
import { isPlain, type Kfunc, kfuncsOf, type ParamShape } from '../kfunc-list.ts';
import { mayOpen, scoped } from '../scope.ts';
import { isNullable, NONE, touchStack, UNKNOWN, type Value } from '../values.ts';
import { MAP_NAMES, mapIndex } from '../world.ts';
import { checkNull } from './branches.ts';

/** Functions with actions of their own. */
const ELSEWHERE =
  /_lock|_unlock|preempt|irq_|bpf_wq|list_|rbtree|obj_|percpu_obj|throw|trap|crash|refcount|rdonly_cast|cast_to_kern|xdp_metadata/;

const SIZES = [1, 4, 8, 8, 16] as const;

/** Puts an argument into a register; `size` is that of the memory before. */
function pass(g: Generator, reg: number, param: ParamShape, size: number): number | undefined {
  const { rng, asm } = g;
  const source = (test: (v: Value) => boolean): number | undefined => {
    const list = g.regs((v, r) => (r === 0 || r >= reg) && test(v));
    return list.length ? rng.pick(list) : undefined;
  };
  const copy = (from: number | undefined): number | undefined => {
    if (from === undefined) return undefined;
    if (from !== reg) asm.mov(reg, from);
    g.set(reg, g.value(from));
    return 0;
  };
  switch (param.shape) {
    case 'number':
      if (!param.constant && rng.chance(0.5)) {
        const from = source((v) => v.kind === 'scalar');
        if (from !== undefined) return copy(from);
      }
      g.setNumber(reg, rng.chance(0.7) ? rng.between(0, 8) : g.imm());
      return 0;
    case 'ignored':
      g.setNumber(reg, 0);
      return 0;
    case 'size':
      g.setNumber(reg, g.mistake() ? g.imm() : size);
      return 0;
    case 'memory': {
      const bytes = param.size === 'next' ? rng.pick(SIZES) : param.size;
      if (param.optional && rng.chance(0.3)) {
        g.setNumber(reg, 0);
        return bytes;
      }
      const off = g.stackBuffer(bytes, { init: true, align: 8 });
      if (off === undefined) return undefined;
      g.stackAddress(reg, off);
      touchStack(g.state, off, bytes);
      return bytes;
    }
    case 'string':
      asm.mapValue(reg, mapIndex('constants'), 32);
      g.set(reg, NONE);
      return 0;
    case 'map':
      g.loadMap(reg, rng.pick(MAP_NAMES));
      return 0;
    case 'context':
      if (CONTEXT_OF[param.struct] !== undefined && !CONTEXT_OF[param.struct].includes(g.kind.type) && !g.mistake()) {
        return undefined;
      }
      return copy(source((v) => v.kind === 'ctx' && v.off === 0));
    case 'dynptr':
      if (param.fresh || g.dynptrs.length === 0) return undefined;
      g.stackAddress(reg, rng.pick(g.dynptrs));
      return 0;
    case 'object': {
      const wanted = source((v) => v.kind === 'object' && sameStruct(v.struct, param.struct) && !isNullable(v));
      if (wanted !== undefined) return copy(wanted);
      if (!param.nullable && !g.mistake()) return undefined;
      if (g.mistake()) return copy(source((v) => v.kind !== 'none'));
      g.setNumber(reg, 0);
      return 0;
    }
    default:
      return undefined;
  }
}

const SKB_TYPES = [
  'socket_filter',
  'sched_cls',
  'sched_act',
  'cgroup_skb',
  'lwt_in',
  'lwt_out',
  'lwt_xmit',
  'sk_skb',
  'lwt_seg6local',
];

/** Program types whose context it is. */
const CONTEXT_OF: Readonly<Record<string, readonly string[]>> = {
  __sk_buff: SKB_TYPES,
  xdp_md: ['xdp'],
  bpf_sock_addr_kern: ['cgroup_sock_addr'],
  bpf_sock_ops_kern: ['sock_ops'],
};

/** A BPF cpumask begins with a cpumask. */
const sameStruct = (have: string, want: string): boolean =>
  have === want || (have === 'bpf_cpumask' && want === 'cpumask');

/** Writes the arguments and the call; false where they cannot be had. */
export function callKfunc(g: Generator, f: Kfunc): boolean {
  let size = 0;
  for (const [i, param] of f.params.entries()) {
    const next = pass(g, i + 1, param, size);
    if (next === undefined) return false;
    size = next;
  }
  if (f.params.length > 5) return false;
  g.asm.callKernel(f.id);
  g.clobber();
  g.set(0, NONE);
  if (f.returns === undefined) g.set(0, f.returnsVoid ? NONE : UNKNOWN);
  else if (f.returns !== 'void') {
    const nullable = (f.flags & KF.RET_NULL) !== 0;
    g.set(0, { kind: 'object', struct: f.returns, trusted: true, ref: 0, off: 0, nullable, id: g.newId() });
  }
  return true;
}

function plain(g: Generator): boolean {
  const { rng, asm } = g;
  if (g.mistake()) {
    const f = rng.pick(kfuncsOf(g.kind));
    asm.callKernel(
      rng.chance(0.8) ? f.id : kernelFunction(rng.pick(['bpf_task_release', 'tcp_slow_start', 'vfs_read'])),
    );
    g.clobber();
    g.set(0, UNKNOWN);
    return true;
  }
  const list = kfuncsOf(g.kind).filter(
    (f) => isPlain(f) && !ELSEWHERE.test(f.name) && (g.sleepable || (f.flags & KF.SLEEPABLE) === 0),
  );
  if (list.length === 0) return false;
  // Those that take no objects are always possible; the others deserve their chance when there is one.
  const f = rng.pick(list);
  if (!callKfunc(g, f)) return false;
  if (isNullable(g.value(0)) && rng.chance(0.7)) checkNull(g, 0);
  return true;
}

/** How to give back what is behind a pointer. */
const RELEASE: Readonly<Record<string, string>> = {
  task_struct: 'bpf_task_release',
  cgroup: 'bpf_cgroup_release',
  bpf_cpumask: 'bpf_cpumask_release',
  bpf_key: 'bpf_key_put',
  nf_conn: 'bpf_ct_release',
  nf_conn___init: 'bpf_ct_release',
  xfrm_state: 'bpf_xdp_xfrm_state_release',
  bpf_crypto_ctx: 'bpf_crypto_ctx_release',
};

/** Takes a reference, uses it, gives it back. */
function acquire(g: Generator, actions: readonly Action[]): boolean {
  const { rng, asm } = g;
  if (!mayOpen(g)) return false;
  const list = kfuncsOf(g.kind).filter(
    (f) =>
      (f.flags & KF.ACQUIRE) !== 0 &&
      (f.flags & KF.RELEASE) === 0 &&
      !ELSEWHERE.test(f.name) &&
      f.returns !== undefined &&
      RELEASE[f.returns] &&
      (g.sleepable || (f.flags & KF.SLEEPABLE) === 0),
  );
  if (list.length === 0) return false;
  const f = rng.pick(list);
  const keep = g.savedReg();
  if (g.pinned.has(keep)) return false;
  if (!callKfunc(g, f)) return false;
  return holding(g, actions, keep, (f.flags & KF.RET_NULL) !== 0, () => {
    asm.mov(1, keep);
    if (f.returns === 'nf_conn___init' && rng.chance(0.8)) {
      const none = asm.label();
      asm.callKernel(kernelFunction('bpf_ct_insert_entry'));
      asm.jumpImm(JMP.JEQ, 0, 0, none);
      asm.mov(1, 0);
      asm.callKernel(kernelFunction('bpf_ct_release'));
      asm.place(none);
      return;
    }
    asm.callKernel(kernelFunction(RELEASE[f.returns ?? '']));
  });
}

/** The block in which R0, kept in another register, holds a reference that `release` gives back. */
export function holding(
  g: Generator,
  actions: readonly Action[],
  keep: number,
  nullable: boolean,
  release: () => void,
): boolean {
  const { rng, asm } = g;
  const value = g.value(0);
  const none = asm.label();
  if (rng.chance(0.5) && nullable) asm.jumpImm(JMP.JEQ, 0, 0, none);
  asm.mov(keep, 0);
  g.set(keep, value);
  const before = g.state.clone();
  if (nullable) {
    const checked = asm.insns.at(-2)?.code === 0x15;
    if (!checked && !g.mistake()) asm.jumpImm(JMP.JEQ, rng.chance(0.5) ? 0 : keep, 0, none);
  }
  const sure = { ...value, nullable: false } as Value;
  g.set(keep, sure);
  g.set(0, sure);
  g.pinned.add(keep);
  scoped(g, actions, rng.between(0, 5), () => {
    if (!g.mistake()) {
      release();
      g.clobber();
    }
  });
  g.pinned.delete(keep);
  asm.place(none);
  before.regs[keep] = NONE;
  before.regs[0] = NONE;
  g.state.join(before);
  g.set(keep, NONE);
  g.clobber();
  return true;
}

/** Reads a field of an object of the kernel. */
function walk(g: Generator): boolean {
  const { rng, asm } = g;
  const reg = g.findReg((v) => v.kind === 'object' && !isNullable(v));
  if (reg === undefined) return false;
  const value = g.value(reg);
  if (value.kind !== 'object') return false;
  const field = pickField(g, value.struct);
  if (field === undefined) return false;
  const dst = g.freeReg([reg]);
  const signed = field.size < 8 && rng.chance(0.2);
  asm.load(field.size, dst, reg, field.off - value.off, signed ? MODE.MEMSX : MODE.MEM);
  if (field.struct === undefined) g.set(dst, UNKNOWN);
  else
    g.set(dst, {
      kind: 'object',
      struct: field.struct,
      trusted: false,
      ref: 0,
      off: 0,
      nullable: rng.chance(0.3),
      id: g.newId(),
    });
  return true;
}

interface Field {
  off: number;
  size: number;
  struct: string | undefined;
}

/** A readable member of a struct, of nested ones too. */
function pickField(g: Generator, struct: string): Field | undefined {
  let id = kernelBtf.find(struct, 4);
  let off = 0;
  for (let depth = 0; depth < 5 && id !== 0; depth++) {
    const members = kernelBtf.vlen(id);
    if (members === 0) return undefined;
    const i = g.rng.below(members);
    off += kernelBtf.memberBitOffset(id, i) >> 3;
    const type = kernelBtf.skipModsAndTypedefs(kernelBtf.memberType(id, i));
    const kind = kernelBtf.kind(type);
    if (kind === 4 || kind === 5) {
      id = type;
      continue;
    }
    if (kind === 2) {
      const target = kernelBtf.skipModsAndTypedefs(kernelBtf.type(type));
      return {
        off,
        size: 8,
        struct: target !== 0 && kernelBtf.kind(target) === 4 ? kernelBtf.name(target) : undefined,
      };
    }
    const size = kernelBtf.resolveSize(type);
    if (size === 1 || size === 2 || size === 4 || size === 8) return { off, size, struct: undefined };
    return { off: off + (g.mistake() ? g.rng.below(64) : 0), size: g.rng.pick([1, 4, 8]), struct: undefined };
  }
  return undefined;
}

/** The context as the kernel sees it. */
function castContext(g: Generator): boolean {
  const ctx = g.findReg((v) => v.kind === 'ctx' && v.off === 0);
  const f = kfuncsOf(g.kind).find((k) => k.name === (g.rng.chance(0.7) ? 'bpf_cast_to_kern_ctx' : 'bpf_rdonly_cast'));
  if (ctx === undefined || f === undefined) return false;
  const { asm } = g;
  if (ctx !== 1) asm.mov(1, ctx);
  let struct = KERNEL_CONTEXT[g.kind.type] ?? 'sk_buff';
  if (f.name === 'bpf_rdonly_cast') {
    struct = g.rng.pick(['task_struct', 'sk_buff', 'sock', 'net_device', 'file']);
    asm.movImm(2, kernelBtf.find(struct, 4));
  } else if (KERNEL_CONTEXT[g.kind.type] === undefined && !g.mistake()) return false;
  asm.callKernel(f.id);
  g.clobber();
  g.set(0, {
    kind: 'object',
    struct,
    trusted: f.name !== 'bpf_rdonly_cast',
    ref: 0,
    off: 0,
    nullable: false,
    id: g.newId(),
  });
  const keep = g.savedReg();
  if (!g.pinned.has(keep)) {
    asm.mov(keep, 0);
    g.set(keep, g.value(0));
  }
  return true;
}

const KERNEL_CONTEXT: Readonly<Record<string, string>> = {
  socket_filter: 'sk_buff',
  sched_cls: 'sk_buff',
  sched_act: 'sk_buff',
  cgroup_skb: 'sk_buff',
  xdp: 'xdp_buff',
  lwt_in: 'sk_buff',
  lwt_out: 'sk_buff',
  lwt_xmit: 'sk_buff',
  sk_skb: 'sk_buff',
  sock_ops: 'bpf_sock_ops_kern',
  cgroup_sock_addr: 'bpf_sock_addr_kern',
  cgroup_sock: 'sock',
  sk_msg: 'sk_msg',
};

export const kfuncActions = (actions: readonly Action[]): readonly Action[] => [
  { weight: 4, run: plain },
  { weight: 2, run: (g) => acquire(g, actions) },
  { weight: 2, run: walk },
  { weight: 1, run: castContext },
];
