// Walks over the registers of a path.
import { MAX_REGS, type RegState, SLOT, type VerifierState } from './types.ts';

/** Calls `visit` for every register and spilled register of every frame of the path being walked, outermost first. */
export function forEachReg(state: VerifierState, visit: (reg: RegState) => void): void {
  for (let f = 0; f <= state.curframe; f++) {
    const frame = state.frame[f];
    for (let i = 0; i < MAX_REGS; i++) visit(frame.regs[i]);
    for (const slot of frame.stack) if (slot.types[7] === SLOT.SPILL) visit(slot.spilled);
  }
}

/** Calls `change` for those that `wanted` chooses, also in a state that was put aside. */
export function changeRegs(
  state: VerifierState,
  wanted: (reg: RegState) => boolean,
  change: (reg: RegState) => void,
): void {
  for (let f = 0; f <= state.curframe; f++) {
    const frame = state.frame[f];
    const { regs, stack } = frame;
    for (let i = 0; i < MAX_REGS; i++) if (wanted(regs[i])) change(frame.ownReg(i));
    for (let i = 0; i < stack.length; i++) {
      if (stack[i].types[7] === SLOT.SPILL && wanted(stack[i].spilled)) change(frame.ownSpilled(i));
    }
  }
}
