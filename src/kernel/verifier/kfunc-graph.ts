// Lists and trees as arguments of kernel functions. Rule: __process_kf_arg_ptr_to_graph_root and …_node, verifier.c,
// 6.18.
import { ERRNO } from '../../errno.ts';
import type { SpecialField, SpecialFieldKind } from '../objects.ts';
import { btfStructsMatch } from './btf-walk.ts';
import type { VerifierEnv } from './env.ts';
import { constOffset } from './frames.ts';
import { inRbtreeCallback } from './graph-refs.ts';
import type { KfuncMeta } from './kfunc-meta.ts';
import { isNonOwningRef } from './pointer-kinds.ts';
import { findLock } from './references.ts';
import { fieldLabel, fieldOffset, regField, regRecord } from './special-fields.ts';
import type { SpecialKfunc } from './special-kfuncs.ts';
import { FLAG, REF, REG, type RegState } from './types.ts';
import { verifierBug } from './verifier-bug.ts';

const OWNED = REG.BTF_ID | FLAG.ALLOC;

const LIST_KFUNCS: ReadonlySet<SpecialKfunc> = new Set<SpecialKfunc>([
  'bpf_list_push_front_impl',
  'bpf_list_push_back_impl',
  'bpf_list_pop_front',
  'bpf_list_pop_back',
  'bpf_list_front',
  'bpf_list_back',
]);
const TREE_KFUNCS: ReadonlySet<SpecialKfunc> = new Set<SpecialKfunc>([
  'bpf_rbtree_add_impl',
  'bpf_rbtree_remove',
  'bpf_rbtree_first',
  'bpf_rbtree_root',
  'bpf_rbtree_left',
  'bpf_rbtree_right',
]);

interface GraphKind {
  readonly root: SpecialFieldKind;
  readonly node: SpecialFieldKind;
  readonly kfuncs: ReadonlySet<SpecialKfunc>;
  readonly nodeKfuncs: ReadonlySet<SpecialKfunc>;
  /** Where the call keeps the root. */
  readonly slot: 'listHead' | 'rbRoot';
}

const LIST: GraphKind = {
  root: 'bpf_list_head',
  node: 'bpf_list_node',
  kfuncs: LIST_KFUNCS,
  nodeKfuncs: new Set<SpecialKfunc>(['bpf_list_push_front_impl', 'bpf_list_push_back_impl']),
  slot: 'listHead',
};
const TREE: GraphKind = {
  root: 'bpf_rb_root',
  node: 'bpf_rb_node',
  kfuncs: TREE_KFUNCS,
  nodeKfuncs: new Set<SpecialKfunc>([
    'bpf_rbtree_remove',
    'bpf_rbtree_add_impl',
    'bpf_rbtree_left',
    'bpf_rbtree_right',
  ]),
  slot: 'rbRoot',
};

const kindOf = (tree: boolean): GraphKind => (tree ? TREE : LIST);

function refuse(env: VerifierEnv, text: string): number {
  env.log.write(`${text}\n`);
  return -ERRNO.EINVAL;
}

/** The lock of the value or object that the register points into must be held. */
function checkAllocationLocked(env: VerifierEnv, reg: RegState): number {
  const { state } = env;
  if (reg.type !== REG.MAP_VALUE && reg.type !== OWNED) return verifierBug(env, 'unknown reg type for lock check');
  if (state.activeLocks === 0) return -ERRNO.EINVAL;
  const owner: unknown = reg.type === REG.MAP_VALUE ? reg.map : reg.btf;
  if (findLock(state, REF.LOCK_MASK, reg.id, owner)) return 0;
  return refuse(env, 'held lock and object are not in the same allocation');
}

/** A root (in the kernel's words a head) or a node: only these kfuncs take it, and at a constant offset. */
function checkGraphArg(
  env: VerifierEnv,
  regno: number,
  label: string,
  role: 'head' | 'node',
  takers: GraphKind['kfuncs'],
  { facts: { special } }: KfuncMeta,
): number {
  if (special === undefined || !takers.has(special)) {
    env.log.write(`verifier internal error: ${label} ${role} arg for unknown kfunc\n`);
    return -ERRNO.EFAULT;
  }
  if (env.regs[regno].varOff.mask === 0n) return 0;
  return refuse(env, `R${regno} doesn't have constant offset. ${label} has to be at the constant offset`);
}

/** Argument `regno` is a list head, or with `tree` a tree root. */
export function processGraphRoot(env: VerifierEnv, regno: number, meta: KfuncMeta, tree: boolean): number {
  const reg = env.regs[regno];
  const kind = kindOf(tree);
  if (reg.type !== REG.MAP_VALUE && reg.type !== OWNED) {
    return refuse(env, `arg#${regno - 1} expected pointer to map value or allocated object`);
  }
  if (reg.type === OWNED && reg.refObjId === 0) return refuse(env, 'allocated object must be referenced');
  const label = fieldLabel(kind.root);
  const err = checkGraphArg(env, regno, label, 'head', kind.kfuncs, meta);
  if (err !== 0) return err;
  const at = constOffset(reg);
  const field = regField(reg, at, kind.root);
  if (field === undefined) return refuse(env, `${label} not found at offset=${at >>> 0}`);
  if (checkAllocationLocked(env, reg) !== 0) {
    const lock = fieldOffset(regRecord(reg), 'bpf_spin_lock');
    return refuse(env, `bpf_spin_lock at off=${lock} must be held for ${label}`);
  }
  if (meta[kind.slot] !== undefined) return verifierBug(env, `repeating ${label} arg`);
  meta[kind.slot] = field;
  return 0;
}

/** Who may hand over which kind of node. */
function checkNodeReg(env: VerifierEnv, regno: number, meta: KfuncMeta, tree: boolean): number {
  const reg = env.regs[regno];
  const { name, special } = meta.facts;
  if (tree && special !== 'bpf_rbtree_add_impl') {
    if (!isNonOwningRef(reg.type) && reg.refObjId === 0) {
      return refuse(env, `${name} can only take non-owning or refcounted bpf_rb_node pointer`);
    }
    return inRbtreeCallback(env) ? refuse(env, `${name} not allowed in rbtree cb`) : 0;
  }
  if (reg.type !== OWNED) return refuse(env, `arg#${regno - 1} expected pointer to allocated object`);
  return reg.refObjId === 0 ? refuse(env, 'allocated object must be referenced') : 0;
}

function checkNodeMatches(
  env: VerifierEnv,
  reg: RegState,
  at: number,
  root: SpecialField,
  kind: GraphKind,
  meta: KfuncMeta,
): number {
  const { btf } = reg;
  const wanted = root.btf;
  if (btf === undefined || wanted === undefined) return verifierBug(env, 'unexpected btf mismatch in kfunc call');
  const wantedId = root.btfId ?? 0;
  const label = fieldLabel(kind.node);
  if (!btfStructsMatch(env.log, btf, reg.btfId, 0, wanted, wantedId, true)) {
    return refuse(
      env,
      `operation on ${fieldLabel(kind.root)} expects arg#1 ${label} at offset=${root.nodeOffset} ` +
        `in struct ${wanted.name(wantedId)}, but arg is at offset=${at} in struct ${btf.name(reg.btfId)}`,
    );
  }
  meta.argBtf = btf;
  meta.argBtfId = reg.btfId;
  if (at === root.nodeOffset) return 0;
  return refuse(
    env,
    `arg#1 offset=${at}, but expected ${label} at offset=${root.nodeOffset} in struct ${wanted.name(wantedId)}`,
  );
}

/** Argument `regno` is a list node, or with `tree` a tree node; the root came before it. */
export function processGraphNode(env: VerifierEnv, regno: number, meta: KfuncMeta, tree: boolean): number {
  const reg = env.regs[regno];
  const kind = kindOf(tree);
  let err = checkNodeReg(env, regno, meta, tree);
  if (err !== 0) return err;
  const label = fieldLabel(kind.node);
  err = checkGraphArg(env, regno, label, 'node', kind.nodeKfuncs, meta);
  if (err !== 0) return err;
  const at = constOffset(reg);
  if (regField(reg, at, kind.node) === undefined) return refuse(env, `${label} not found at offset=${at >>> 0}`);
  const root = meta[kind.slot];
  if (root === undefined) return verifierBug(env, `missing ${fieldLabel(kind.root)} arg`);
  return checkNodeMatches(env, reg, at, root, kind, meta);
}
