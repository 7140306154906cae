// Borrowed pointers into lists and trees. Rule: ref_set_non_owning and its neighbours, verifier.c, 6.18.
import { CALL_KIND } from '../../isa/opcode.ts';
import { forEachReg } from './each-reg.ts';
import type { VerifierEnv } from './env.ts';
import { hasField, regRecord } from './special-fields.ts';
import { specialKfunc } from './special-kfuncs.ts';
import { FLAG, type RegState } from './types.ts';
import { verifierBug } from './verifier-bug.ts';

/** The register's object belongs to a list or tree: it may be used while the lock is held. */
export function refSetNonOwning(env: VerifierEnv, reg: RegState): number {
  if (env.state.activeLocks === 0) return verifierBug(env, 'ref_set_non_owning w/o active lock');
  if ((reg.type & FLAG.NON_OWN_REF) !== 0) return verifierBug(env, 'NON_OWN_REF already set');
  reg.type |= FLAG.NON_OWN_REF;
  if (hasField(regRecord(reg), 'bpf_refcount')) reg.type |= FLAG.RCU;
  return 0;
}

/** All copies of an owned object become borrowed ones, since a list or tree takes it over. */
export function refConvertToNonOwning(env: VerifierEnv, refObjId: number): number {
  if (refObjId === 0) return verifierBug(env, 'ref_obj_id is zero for owning -> non-owning conversion');
  if (!env.state.refs.some((ref) => ref.id === refObjId)) {
    return verifierBug(env, 'ref state missing for ref_obj_id');
  }
  forEachReg(env.state, (reg) => {
    if (reg.refObjId !== refObjId) return;
    reg.refObjId = 0;
    refSetNonOwning(env, reg);
  });
  return 0;
}

const RBTREE_KFUNCS: ReadonlySet<string> = new Set([
  'bpf_rbtree_add_impl',
  'bpf_rbtree_remove',
  'bpf_rbtree_first',
  'bpf_rbtree_root',
  'bpf_rbtree_left',
  'bpf_rbtree_right',
]);

/** The current function compares nodes for a tree, whose lock is held around it. */
export function inRbtreeCallback(env: VerifierEnv): boolean {
  const { state } = env;
  if (state.curframe === 0 || !state.cur.inCallbackFn) return false;
  const call = env.insns[state.cur.callsite];
  const name = call.src === CALL_KIND.HELPER ? undefined : specialKfunc(env.image, call.imm);
  return name !== undefined && RBTREE_KFUNCS.has(name);
}
