// Objects that the verifier itself keeps on the stack: dynptrs, iterators, saved irq states.
import { ERRNO } from '../../errno.ts';
import type { VerifierEnv } from './env.ts';
import { constOffset, frameOf, slotIndex } from './frames.ts';
import { markStackSlotScratched } from './print-state.ts';
import { markSlotRead } from './stack-liveness.ts';
import { type FuncState, type RegState, SLOT, type StackSlot } from './types.ts';

/**
 * Index of the highest slot of an object of `slots` slots that a stack pointer leads to. -EINVAL (with a message)
 * where no such object can be, -ERANGE where the frame's stack does not reach yet.
 */
export function objectSlot(env: VerifierEnv, reg: RegState, kind: string, slots: number): number {
  if (reg.varOff.mask !== 0n) {
    env.log.write(`${kind} has to be at a constant offset\n`);
    return -ERRNO.EINVAL;
  }
  const off = constOffset(reg);
  const spi = slotIndex(off);
  if (off % 8 !== 0 || spi + 1 < slots) {
    env.log.write(`cannot pass in ${kind} at an offset=${off}\n`);
    return -ERRNO.EINVAL;
  }
  if (spi - slots + 1 < 0 || spi >= frameOf(env, reg).stack.length) return -ERRNO.ERANGE;
  return spi;
}

export const fillSlot = (slot: StackSlot, type: number): void => {
  slot.types.fill(type);
};

/** All eight bytes are of that type. */
export const isWhole = (slot: StackSlot, type: number): boolean => slot.types.every((t) => t === type);

/** Some byte is of that type. */
export const hasAny = (slot: StackSlot, type: number): boolean => slot.types.includes(type);

/** Marks an object's slots as read by the current instruction. */
export function markObjectRead(env: VerifierEnv, reg: RegState, spi: number, slots: number): void {
  for (let i = 0; i < slots; i++) {
    markSlotRead(env, reg.frameno, spi - i);
    markStackSlotScratched(env, spi - i);
  }
}

/** The dynptr in a slot, if one begins or ends there. */
export const isDynptrSlot = (frame: FuncState, spi: number): boolean => frame.stack[spi].types[0] === SLOT.DYNPTR;
