// Walks over the registers of a path.
import { MAX_REGS, type RegState, SLOT, type VerifierState } from './types.ts';

/** Calls `visit` for every register and spilled register of every frame, outermost frame first. */
export function forEachReg(state: VerifierState, visit: (reg: RegState) => void): void {
  for (let f = 0; f <= state.curframe; f++) {
    const frame = state.frame[f];
    for (let i = 0; i < MAX_REGS; i++) visit(frame.regs[i]);
    for (const slot of frame.stack) if (slot.types[7] === SLOT.SPILL) visit(slot.spilled);
  }
}
