// Pointers to nodes that a list or tree owns. Rule: ref_set_non_owning, verifier.c, 6.18.
import type { VerifierEnv } from './env.ts';
import { hasField, regRecord } from './special-fields.ts';
import { FLAG, type RegState } from './types.ts';
import { verifierBug } from './verifier-bug.ts';

/** The register only borrows its node, for as long as the lock is held. 0 or -EFAULT. */
export function refSetNonOwning(env: VerifierEnv, reg: RegState): number {
  if (env.state.activeLocks === 0) return verifierBug(env, 'ref_set_non_owning w/o active lock');
  if ((reg.type & FLAG.NON_OWN_REF) !== 0) return verifierBug(env, 'NON_OWN_REF already set');
  const record = regRecord(reg);
  reg.type |= FLAG.NON_OWN_REF;
  if (hasField(record, 'bpf_refcount')) reg.type |= FLAG.RCU;
  return 0;
}
