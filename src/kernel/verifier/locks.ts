// Spin locks in map values and allocated objects. Rule: process_spin_lock, verifier.c, 6.18.
import { ERRNO } from '../../errno.ts';
import type { VerifierEnv } from './env.ts';
import { acquireLock, findLock, invalidateNonOwningRefs, releaseLock } from './references.ts';
import { fieldOffset, hasField, regRecord } from './special-fields.ts';
import { REF, REG } from './types.ts';

export interface LockOperation {
  /** Take the lock; else give it back. */
  lock: boolean;
  /** A bpf_res_spin_lock, which reports deadlocks; else a bpf_spin_lock. */
  resilient: boolean;
  /** Interrupts are off while it is held. */
  irq: boolean;
}

const refType = (op: LockOperation): number => {
  if (!op.resilient) return REF.LOCK;
  return op.irq ? REF.RES_LOCK_IRQ : REF.RES_LOCK;
};

/** The lock in the memory behind register `regno` is taken or given back. */
export function processSpinLock(env: VerifierEnv, regno: number, op: LockOperation): number {
  const reg = env.regs[regno];
  const { state, log } = env;
  const name = op.resilient ? 'bpf_res_spin' : 'bpf_spin';
  const refuse = (text: string): number => {
    log.write(`${text}\n`);
    return -ERRNO.EINVAL;
  };
  if (reg.varOff.mask !== 0n) {
    return refuse(`R${regno} doesn't have constant offset. ${name}_lock has to be at the constant offset`);
  }
  const map = reg.type === REG.MAP_VALUE ? reg.map : undefined;
  if (map && map.btf === undefined) {
    return refuse(`map '${map.name}' has to have BTF in order to use ${name}_lock`);
  }
  const record = regRecord(reg);
  const kind = op.resilient ? 'bpf_res_spin_lock' : 'bpf_spin_lock';
  if (!hasField(record, kind)) {
    return refuse(`${map ? 'map' : 'local'} '${map ? map.name : 'kptr'}' has no valid ${name}_lock`);
  }
  const at = BigInt.asIntN(64, reg.varOff.value) + BigInt(reg.off);
  const expected = fieldOffset(record, kind);
  if (at !== BigInt(expected)) return refuse(`off ${at} doesn't point to 'struct ${name}_lock' that is at ${expected}`);

  const owner: unknown = map ?? reg.btf;
  const type = refType(op);
  if (op.lock) {
    if (op.resilient && state.activeLocks !== 0) {
      if (findLock(state, REF.RES_LOCK | REF.RES_LOCK_IRQ, reg.id, owner)) {
        return refuse('Acquiring the same lock again, AA deadlock detected');
      }
    } else if (state.activeLocks !== 0 && findLock(state, REF.LOCK, 0, undefined)) {
      return refuse('Locking two bpf_spin_locks are not allowed');
    }
    acquireLock(env, env.insnIdx, type, reg.id, owner);
    return 0;
  }
  if (state.activeLocks === 0) return refuse(`${name}_unlock without taking a lock`);
  if (!findLock(state, type, reg.id, owner)) return refuse(`${name}_unlock of different lock`);
  if (reg.id !== state.activeLockId || owner !== state.activeLockPtr) {
    return refuse(`${name}_unlock cannot be out of order`);
  }
  if (!releaseLock(state, type, reg.id, owner)) return refuse(`${name}_unlock of different lock`);
  invalidateNonOwningRefs(env);
  return 0;
}
