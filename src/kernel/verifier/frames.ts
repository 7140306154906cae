// The frame that a stack pointer leads into.
import type { VerifierEnv } from './env.ts';
import { type FuncState, type RegState, TNUM_ZERO } from './types.ts';

export const frameOf = (env: VerifierEnv, reg: RegState): FuncState => env.state.frame[reg.frameno];

/** Index of the slot that holds the byte at `off`, a negative distance from the frame's top. */
export const slotIndex = (off: number): number => Math.trunc((-off - 1) / 8);

/** Fixed part and constant variable part of a pointer's offset, signed. */
export const constOffset = (reg: RegState): number =>
  reg.varOff === TNUM_ZERO ? reg.off : reg.off + Number(BigInt.asIntN(64, reg.varOff.value));
