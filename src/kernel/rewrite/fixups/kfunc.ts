// Calls of kernel functions: the distance of the function, and arguments that the verifier knows better.

import { ERRNO } from '../../../errno.ts';
import type { Insn } from '../../../isa/insn.ts';
import type { VerifierEnv } from '../../verifier/env.ts';
import { findKfuncDesc } from '../../verifier/kfunc-table.ts';
import { type SpecialKfunc, specialKfunc } from '../../verifier/special-kfuncs.ts';
import type { InsnAux } from '../../verifier/types.ts';
import { verifierBug } from '../../verifier/verifier-bug.ts';
import { PROG_AUX_ADDRESS, structMetaAddress } from '../address.ts';
import { loadImm64, movImm, movReg } from '../build.ts';

const metaOf = (aux: InsnAux): bigint => structMetaAddress(aux.kptrStructMeta?.btfId);

/** The node's place and its type's description, for functions that put it into a list or tree. */
const insertion =
  (metaReg: number, offsetReg: number) =>
  (insn: Insn, aux: InsnAux): Insn[] => [...loadImm64(metaReg, metaOf(aux)), movImm(offsetReg, aux.insertOff), insn];

const allocation = (insn: Insn, aux: InsnAux): Insn[] => [
  movImm(1, aux.objNewSize),
  ...loadImm64(2, metaOf(aux)),
  insn,
];
const described = (insn: Insn, aux: InsnAux): Insn[] => [...loadImm64(2, metaOf(aux)), insn];
const cast = (): Insn[] => [movReg(0, 1)];

/** `meta`: the description must be there, or must not. */
interface SpecialCall {
  meta?: 'needed' | 'none';
  expand(insn: Insn, aux: InsnAux): Insn[];
}

/** rule: fixup_kfunc_call, 6.18 */
const SPECIAL: Readonly<Partial<Record<SpecialKfunc, SpecialCall>>> = {
  bpf_obj_new_impl: { expand: allocation },
  bpf_percpu_obj_new_impl: { meta: 'none', expand: allocation },
  bpf_obj_drop_impl: { expand: described },
  bpf_percpu_obj_drop_impl: { meta: 'none', expand: described },
  bpf_refcount_acquire_impl: { meta: 'needed', expand: described },
  bpf_list_push_front_impl: { meta: 'needed', expand: insertion(3, 4) },
  bpf_list_push_back_impl: { meta: 'needed', expand: insertion(3, 4) },
  bpf_rbtree_add_impl: { meta: 'needed', expand: insertion(4, 5) },
  bpf_cast_to_kern_ctx: { expand: cast },
  bpf_rdonly_cast: { expand: cast },
};

/** The call as it will be, at most with some instructions before it; or a negative errno. `i`: its index. */
export function fixKfuncCall(env: VerifierEnv, insn: Insn, aux: InsnAux, i: number): Insn[] | number {
  if (insn.imm === 0) {
    env.log.write('invalid kernel function call not eliminated in verifier pass\n');
    return -ERRNO.EINVAL;
  }
  const desc = findKfuncDesc(env, insn.imm, insn.off);
  if (desc === undefined) {
    return verifierBug(env, `kernel function descriptor not found for func_id ${insn.imm >>> 0}`);
  }
  const name = insn.off === 0 ? specialKfunc(env.image, desc.funcId) : undefined;
  insn.imm = desc.imm;
  const special = name === undefined ? undefined : SPECIAL[name];
  const patch: Insn[] = [];
  if (special !== undefined) {
    const known = aux.kptrStructMeta !== undefined;
    if (special.meta === 'none' && known) {
      return verifierBug(env, `NULL kptr_struct_meta expected at insn_idx ${i}`);
    }
    if (special.meta === 'needed' && !known) {
      return verifierBug(env, `kptr_struct_meta expected at insn_idx ${i}`);
    }
    patch.push(...special.expand(insn, aux));
  }
  if (aux.argProg !== 0 && insn.off === 0) patch.push(...loadImm64(aux.argProg, PROG_AUX_ADDRESS), insn);
  return patch.length === 0 ? [insn] : patch;
}
