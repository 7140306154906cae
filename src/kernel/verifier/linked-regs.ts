// Scalars that share an id: what a jump teaches about one holds for the others, up to a constant. Rule:
// collect_linked_regs and sync_linked_regs, verifier.c, 6.18.
import { addScalar } from './alu-ranges.ts';
import { zeroExtend32 } from './bounds-cast.ts';
import { regBoundsSync } from './bounds-sync.ts';
import type { VerifierEnv } from './env.ts';
import { MAX_LINKED } from './history.ts';
import { clearScalarId, markRegKnown } from './scalar-marks.ts';
import { isSpilledReg } from './slots.ts';
import {
  ADD_CONST_MASK,
  ADD_CONST32,
  FP,
  type LinkedReg,
  plainId,
  REG,
  RegState,
  type VerifierState,
} from './types.ts';

/** Instruction at which a frame stands: the current one, or its call. */
const frameInsnIdx = (state: VerifierState, frame: number): number =>
  frame === state.curframe ? state.insnIdx : state.frame[frame + 1].callsite;

/**
 * Appends to `linked` the live registers and the spilled scalars that share `id`, innermost frame first. Those that find
 * no room lose their id.
 */
export function collectLinkedRegs(env: VerifierEnv, state: VerifierState, id: number, linked: LinkedReg[]): void {
  const wanted = plainId(id);
  const take = (reg: RegState, frameno: number, isReg: boolean, regno: number): void => {
    if (reg.type !== REG.SCALAR || plainId(reg.id) !== wanted) return;
    if (linked.length < MAX_LINKED) linked.push({ frameno, isReg, regno });
    else clearScalarId(reg);
  };
  for (let f = state.curframe; f >= 0; f--) {
    const live = env.aux[frameInsnIdx(state, f)].liveRegsBefore;
    const { regs, stack } = state.frame[f];
    for (let i = 0; i < FP; i++) {
      if (((live >>> i) & 1) !== 0) take(regs[i], f, true, i);
    }
    for (let i = 0; i < stack.length; i++) {
      if (isSpilledReg(stack[i])) take(stack[i].spilled, f, false, i);
    }
  }
}

const distance = new RegState();

/** `reg` becomes `known` plus the difference of their offsets, and keeps its own id, offset and subregDef. */
function copyWithDistance(reg: RegState, known: RegState): void {
  const { id, off, subregDef } = reg;
  markRegKnown(distance, BigInt(off) - BigInt(known.off));
  distance.type = REG.SCALAR;
  reg.copy(known);
  reg.off = off;
  reg.id = id;
  reg.subregDef = subregDef;
  addScalar(reg, distance);
  if (((id | known.id) & ADD_CONST32) !== 0) zeroExtend32(reg);
  regBoundsSync(reg);
}

/** Gives what is known of `known`, a register of `state`, to those of `linked` that still share its id. */
export function syncLinkedRegs(state: VerifierState, known: RegState, linked: readonly LinkedReg[]): void {
  for (const { frameno, isReg, regno } of linked) {
    const frame = state.frame[frameno];
    const found = isReg ? frame.regs[regno] : frame.stack[regno].spilled;
    if (found.type !== REG.SCALAR || found === known || plainId(found.id) !== plainId(known.id)) continue;
    // A 32-bit and a 64-bit distance cannot be compared.
    if (((found.id ^ known.id) & ADD_CONST_MASK) === (ADD_CONST_MASK | 0)) continue;
    const reg = isReg ? frame.ownReg(regno) : frame.ownSpilled(regno);
    const bothPlain = ((reg.id | known.id) & ADD_CONST_MASK) === 0;
    if (bothPlain || reg.off === known.off) {
      const { subregDef } = reg;
      reg.copy(known);
      reg.subregDef = subregDef;
    } else {
      copyWithDistance(reg, known);
    }
  }
}
