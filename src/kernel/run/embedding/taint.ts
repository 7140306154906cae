// Which values of a run are outside of what the verifier's claims are about.
//
// A path that was cut goes on from a kept state, which need not claim the same of it: numbers that nothing depended on
// there (not marked precise) may be any, and so may what nobody reads any more. Such values are tainted, and all that is
// computed from them. A claim holds for what is not tainted. Where the verifier relied on a number, its marks of
// precision must have reached all that the number came from, so that a tainted number that decides about safety shows
// as a claim that fails.

import type { VerifierEnv } from '../../verifier/env.ts';
import { FP, type FuncState, REG, SLOT, type VerifierState } from '../../verifier/types.ts';
import { STACK_BYTES } from '../machine.ts';

/** Of one frame: bits of registers, and a byte for each byte of stack by its distance from the top, less one. */
export interface FrameTaint {
  regs: number;
  readonly stack: Uint8Array;
}

export type Taint = FrameTaint[];

const BYTES_PER_SLOT = 8;

export const newFrameTaint = (regs = 0): FrameTaint => ({ regs, stack: new Uint8Array(STACK_BYTES) });

export const copyTaint = (taint: Taint): Taint =>
  taint.map(({ regs, stack }) => ({ regs, stack: Uint8Array.from(stack) }));

export const sameTaint = (a: Taint, b: Taint): boolean =>
  a.length === b.length && a.every((f, i) => f.regs === b[i].regs && Buffer.compare(f.stack, b[i].stack) === 0);

function cutRegs(frame: FuncState, live: number): number {
  let regs = 0;
  for (let i = 0; i < FP; i++) {
    const reg = frame.regs[i];
    const free = reg.type === REG.NOT_INIT || (reg.type === REG.SCALAR && !reg.precise);
    if (free || (live & (1 << i)) === 0) regs |= 1 << i;
  }
  return regs;
}

function cutStack(frame: FuncState, taint: Uint8Array): void {
  for (let slot = 0; slot * BYTES_PER_SLOT < STACK_BYTES; slot++) {
    const known = frame.stack[slot];
    for (let i = 0; i < BYTES_PER_SLOT; i++) {
      // types[0] is the byte at the highest address.
      const type = known?.types[i] ?? SLOT.INVALID;
      const { spilled } = known ?? { spilled: undefined };
      const loose = type === SLOT.SPILL && spilled?.type === REG.SCALAR && !spilled.precise;
      if (type === SLOT.INVALID || loose) taint[slot * BYTES_PER_SLOT + i] = 1;
    }
  }
}

/** What is tainted once a path has been cut at `insn` in favour of `equal`, besides what was so before. */
export function taintOfCut(env: VerifierEnv, equal: VerifierState, insn: number, before: Taint): Taint {
  return before.map((old, f) => {
    const frame = equal.frame[f];
    const at = f === equal.curframe ? insn : equal.frame[f + 1].callsite;
    const next = newFrameTaint(old.regs | cutRegs(frame, env.aux[at].liveRegsBefore));
    next.stack.set(old.stack);
    cutStack(frame, next.stack);
    return next;
  });
}
