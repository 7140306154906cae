// Saved interrupt states on the stack. Rule: process_irq_flag and its parts, verifier.c, 6.18.
import { ERRNO } from '../../errno.ts';
import type { VerifierEnv } from './env.ts';
import { frameOf } from './frames.ts';
import type { KfuncMeta } from './kfunc-meta.ts';
import { checkMemAccess } from './mem-access.ts';
import { markStackSlotScratched } from './print-state.ts';
import { acquireIrqState, releaseIrqState } from './references.ts';
import { markRegKnown, markRegNotInit } from './scalar-marks.ts';
import { markSlotWrite } from './stack-liveness.ts';
import { fillSlot, hasAny, isWhole, markObjectRead, objectSlot } from './stack-object.ts';
import { IRQ_CLASS, REG, type RegState, SLOT } from './types.ts';
import { verifierBug } from './verifier-bug.ts';

const irqSlot = (env: VerifierEnv, reg: RegState): number => objectSlot(env, reg, 'irq_flag', 1);

const className = (kind: number): string => (kind === IRQ_CLASS.NATIVE ? 'native' : 'lock');

function save(env: VerifierEnv, regno: number, kind: number): number {
  const reg = env.regs[regno];
  let spi = irqSlot(env, reg);
  const free = spi === -ERRNO.ERANGE || (spi >= 0 && !hasAny(frameOf(env, reg).stack[spi], SLOT.IRQ_FLAG));
  if (!free) {
    env.log.write(`expected uninitialized irq flag as arg#${regno - 1}\n`);
    return -ERRNO.EINVAL;
  }
  const err = checkMemAccess(env, env.insnIdx, regno, 0, 8, 'write', -1, false, false);
  if (err !== 0) return err;
  spi = irqSlot(env, reg);
  if (spi < 0) return spi;
  const id = acquireIrqState(env, env.insnIdx);
  const slot = frameOf(env, reg).stack[spi];
  markSlotWrite(env, reg.frameno, spi);
  markRegKnown(slot.spilled, 0n);
  slot.spilled.type = REG.STACK;
  slot.spilled.refObjId = id;
  slot.spilled.irqClass = kind;
  fillSlot(slot, SLOT.IRQ_FLAG);
  markStackSlotScratched(env, spi);
  return 0;
}

function restore(env: VerifierEnv, regno: number, kind: number): number {
  const reg = env.regs[regno];
  const { state, log } = env;
  const spi = irqSlot(env, reg);
  const slot = spi < 0 ? undefined : frameOf(env, reg).stack[spi];
  if (slot === undefined || slot.spilled.refObjId === 0 || !isWhole(slot, SLOT.IRQ_FLAG)) {
    log.write(`expected an initialized irq flag as arg#${regno - 1}\n`);
    return -ERRNO.EINVAL;
  }
  markObjectRead(env, reg, spi, 1);
  if (slot.spilled.irqClass !== kind) {
    log.write(
      `irq flag acquired by ${className(slot.spilled.irqClass)} kfuncs cannot be restored with ${className(kind)} kfuncs\n`,
    );
    return -ERRNO.EINVAL;
  }
  const err = releaseIrqState(state, slot.spilled.refObjId);
  if (err !== 0) {
    const at = state.refs.find((ref) => ref.id === state.activeIrqId)?.insnIdx ?? 0;
    log.write(`cannot restore irq state out of order, expected id=${state.activeIrqId} acquired at insn_idx=${at}\n`);
    return err;
  }
  markRegNotInit(env, slot.spilled);
  markSlotWrite(env, reg.frameno, spi);
  fillSlot(slot, SLOT.INVALID);
  markStackSlotScratched(env, spi);
  return 0;
}

/** Register `regno` points to where an interrupt state is saved to or restored from. */
export function processIrqFlag(env: VerifierEnv, regno: number, meta: KfuncMeta): number {
  switch (meta.facts.special) {
    case 'bpf_local_irq_save':
      return save(env, regno, IRQ_CLASS.NATIVE);
    case 'bpf_res_spin_lock_irqsave':
      return save(env, regno, IRQ_CLASS.LOCK);
    case 'bpf_local_irq_restore':
      return restore(env, regno, IRQ_CLASS.NATIVE);
    case 'bpf_res_spin_unlock_irqrestore':
      return restore(env, regno, IRQ_CLASS.LOCK);
    default:
      return verifierBug(env, 'unknown irq flags kfunc');
  }
}
