// What a path holds and must give back: objects, locks, irq states. Rule: verifier.c, 6.18.
import { ERRNO } from '../../errno.ts';
import { PROG_TYPE } from '../../isa/uapi.ts';
import { forEachReg } from './each-reg.ts';
import type { VerifierEnv } from './env.ts';
import { isNonOwningRef } from './pointer-kinds.ts';
import { markRegInvalid } from './scalar-marks.ts';
import { REF, type RefState, type VerifierState } from './types.ts';

/** Takes a reference to an object at instruction `insnIdx`; gives its id. */
export function acquireReference(env: VerifierEnv, insnIdx: number): number {
  const id = ++env.idGen;
  env.state.refs.push({ type: REF.PTR, id, insnIdx, ptr: undefined });
  return id;
}

export function acquireLock(env: VerifierEnv, insnIdx: number, type: number, id: number, ptr: unknown): void {
  const { state } = env;
  state.refs.push({ type, id, insnIdx, ptr });
  state.activeLocks++;
  state.activeLockId = id;
  state.activeLockPtr = ptr;
}

/** Interrupts are off from here; gives the id of the saved state. */
export function acquireIrqState(env: VerifierEnv, insnIdx: number): number {
  const id = ++env.idGen;
  env.state.refs.push({ type: REF.IRQ, id, insnIdx, ptr: undefined });
  env.state.activeIrqId = id;
  return id;
}

export const findReference = (state: VerifierState, id: number): boolean => state.refs.some((ref) => ref.id === id);

export const findLock = (state: VerifierState, types: number, id: number, ptr: unknown): RefState | undefined =>
  state.refs.find((ref) => (ref.type & types) !== 0 && ref.id === id && ref.ptr === ptr);

/** Gives the lock back; the one taken before it becomes the innermost. False if it is not held. */
export function releaseLock(state: VerifierState, type: number, id: number, ptr: unknown): boolean {
  let previousId = 0;
  let previousPtr: unknown;
  for (const [i, ref] of state.refs.entries()) {
    if (ref.type === type && ref.id === id && ref.ptr === ptr) {
      state.refs.splice(i, 1);
      state.activeLocks--;
      state.activeLockId = previousId;
      state.activeLockPtr = previousPtr;
      return true;
    }
    if ((ref.type & REF.LOCK_MASK) !== 0) {
      previousId = ref.id;
      previousPtr = ref.ptr;
    }
  }
  return false;
}

/** Restores an irq state: 0, -EACCES if it is not the innermost. */
export function releaseIrqState(state: VerifierState, id: number): number {
  if (id !== state.activeIrqId) return -ERRNO.EACCES;
  let previous = 0;
  for (const [i, ref] of state.refs.entries()) {
    if (ref.type !== REF.IRQ) continue;
    if (ref.id === id) {
      state.refs.splice(i, 1);
      state.activeIrqId = previous;
      return 0;
    }
    previous = ref.id;
  }
  return -ERRNO.EINVAL;
}

/** Forgets a reference but leaves the registers that hold it; -EINVAL if there is none. */
export function releaseReferenceNoMark(state: VerifierState, id: number): number {
  const i = state.refs.findIndex((ref) => ref.type === REF.PTR && ref.id === id);
  if (i < 0) return -ERRNO.EINVAL;
  state.refs.splice(i, 1);
  return 0;
}

/** Gives a reference back; all its copies become useless. -EINVAL if it is not held. */
export function releaseReference(env: VerifierEnv, id: number): number {
  const err = releaseReferenceNoMark(env.state, id);
  if (err !== 0) return err;
  forEachReg(env.state, (reg) => {
    if (reg.refObjId === id) markRegInvalid(env, reg);
  });
  return 0;
}

/** Pointers into structures that the lock protected are void once it is given back. */
export function invalidateNonOwningRefs(env: VerifierEnv): void {
  forEachReg(env.state, (reg) => {
    if (isNonOwningRef(reg.type)) markRegInvalid(env, reg);
  });
}

function checkReferenceLeak(env: VerifierEnv, exceptionExit: boolean): number {
  const { state } = env;
  if (!exceptionExit && state.cur.frameno !== 0) return 0;
  let held = false;
  for (const ref of state.refs) {
    if (ref.type !== REF.PTR) continue;
    // A struct_ops member may hand its reference to the kernel.
    if (env.progType === PROG_TYPE.struct_ops && !exceptionExit && env.regs[0].refObjId === ref.id) continue;
    env.log.write(`Unreleased reference id=${ref.id} alloc_insn=${ref.insnIdx}\n`);
    held = true;
  }
  return held ? -ERRNO.EINVAL : 0;
}

/** Refuses what must not happen while the path still holds something; `prefix` names it in the message. */
export function checkResourceLeak(
  env: VerifierEnv,
  exceptionExit: boolean,
  checkLock: boolean,
  prefix: string,
): number {
  const { state, log } = env;
  const inside = (region: string): number => {
    log.write(`${prefix} cannot be used inside ${region}-ed region\n`);
    return -ERRNO.EINVAL;
  };
  if (checkLock && state.activeLocks !== 0) return inside('bpf_spin_lock');
  const err = checkReferenceLeak(env, exceptionExit);
  if (err !== 0) {
    log.write(`${prefix} would lead to reference leak\n`);
    return err;
  }
  if (!checkLock) return 0;
  if (state.activeIrqId !== 0) return inside('bpf_local_irq_save');
  if (state.activeRcuLock) return inside('bpf_rcu_read_lock');
  if (state.activePreemptLocks !== 0) return inside('bpf_preempt_disable');
  return 0;
}
