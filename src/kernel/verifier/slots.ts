// What the eight bytes of a stack slot hold, seen as a whole. Rule: verifier.c, 6.18.
import { REG, SLOT, type StackSlot } from './types.ts';

/** The lowest byte tells what kind of object the slot carries. */
const kind = (slot: StackSlot): number => slot.types[7];

/** A register was spilled here, whole or its low part. */
export const isSpilledReg = (slot: StackSlot): boolean => kind(slot) === SLOT.SPILL;

export const isSpilledScalarReg = (slot: StackSlot): boolean =>
  kind(slot) === SLOT.SPILL && slot.spilled.type === REG.SCALAR;

/** A scalar of all eight bytes. */
export const isSpilledScalarReg64 = (slot: StackSlot): boolean =>
  slot.types[0] === SLOT.SPILL && slot.spilled.type === REG.SCALAR;

/** Holds an object that plain stores must not tear: a spill, dynptr, iterator or irq flag. */
export function isSlotSpecial(slot: StackSlot): boolean {
  const t = kind(slot);
  return t === SLOT.SPILL || t === SLOT.DYNPTR || t === SLOT.ITER || t === SLOT.IRQ_FLAG;
}

/** Byte `i` loses what it held, except that zero stays zero and invalid stays invalid. */
export function markSlotByteMisc(slot: StackSlot, i: number): void {
  const t = slot.types[i];
  if (t !== SLOT.ZERO && t !== SLOT.INVALID) slot.types[i] = SLOT.MISC;
}

/** Byte `i` of a spill that is given up. */
export function scrubSpilledByte(slot: StackSlot, i: number): void {
  if (slot.types[i] !== SLOT.INVALID) slot.types[i] = SLOT.MISC;
}
