// Lets the ways in which a value is bounded (known bits; signed and unsigned, 64 and 32 bits wide) learn from each
// other. Rule: reg_bounds_sync and its parts, verifier.c, 6.18.
import { ERRNO } from '../../errno.ts';
import {
  deduce,
  giveBounds,
  isConstantAll,
  isUnknown,
  learnBits,
  settleConstant,
  takeBounds,
  update32,
  updateAll,
} from './bounds-words.ts';
import type { VerifierEnv } from './env.ts';
import { markRegUnbounded } from './scalar-marks.ts';
import type { RegState } from './types.ts';

// Splits a 64-bit value into its halves without an allocation.
const wide = new BigInt64Array(1);
const words = new Uint32Array(wide.buffer);

/** Bounds that the known bits imply, low half. */
export function updateReg32Bounds(reg: RegState): void {
  takeBounds(reg);
  update32();
  giveBounds(reg);
}

export function updateRegBounds(reg: RegState): void {
  takeBounds(reg);
  updateAll();
  giveBounds(reg);
}

/** A constant, and all bounds say so. */
export function isConstant(reg: RegState): boolean {
  if (reg.varOff.mask !== 0n) return false;
  takeBounds(reg);
  return isConstantAll();
}

/** Brings all bounds of a register in line with each other. */
export function regBoundsSync(reg: RegState): void {
  takeBounds(reg);
  // The rules below would not change these further.
  if (!settleConstant()) {
    if (isUnknown()) return;
    updateAll();
    // Three rounds, as many as the kernel does: a fixed point may need more, and must not get them.
    if (deduce() && deduce()) deduce();
    learnBits();
    updateAll();
  }
  giveBounds(reg);
}

const hex = (x: bigint | number): string => `0x${x.toString(16)}`;
const hex64 = (x: bigint): string => hex(BigInt.asUintN(64, x));
const hex32 = (x: number): string => hex(x >>> 0);

function contradiction(reg: RegState): string | undefined {
  if (reg.umin > reg.umax || reg.smin > reg.smax || reg.u32min > reg.u32max || reg.s32min > reg.s32max) {
    return 'range bounds violation';
  }
  const { value, mask } = reg.varOff;
  if (mask === 0n) {
    const signed = BigInt.asIntN(64, value);
    if (reg.umin !== value || reg.umax !== value || reg.smin !== signed || reg.smax !== signed) {
      return 'const tnum out of sync with range bounds';
    }
  }
  wide[0] = mask;
  if (words[0] === 0) {
    wide[0] = value;
    const low = words[0];
    if (reg.u32min !== low || reg.u32max !== low || reg.s32min !== (low | 0) || reg.s32max !== (low | 0)) {
      return 'const subreg tnum out of sync with range bounds';
    }
  }
  return undefined;
}

/**
 * After an operation: contradicting bounds are reported and given up, or with BPF_F_TEST_REG_INVARIANTS refused
 * (-EFAULT). `ctx` names the operation in the message.
 */
export function regBoundsSanityCheck(env: VerifierEnv, reg: RegState, ctx: string): number {
  const message = contradiction(reg);
  if (message === undefined) return 0;
  env.log.write(
    `verifier bug: REG INVARIANTS VIOLATION (${ctx}): ${message} u64=[${hex64(reg.umin)}, ${hex64(reg.umax)}] ` +
      `s64=[${hex64(reg.smin)}, ${hex64(reg.smax)}] u32=[${hex32(reg.u32min)}, ${hex32(reg.u32max)}] ` +
      `s32=[${hex32(reg.s32min)}, ${hex32(reg.s32max)}] var_off=(${hex64(reg.varOff.value)}, ${hex64(reg.varOff.mask)})\n`,
  );
  if (env.testRegInvariants) return -ERRNO.EFAULT;
  markRegUnbounded(reg);
  return 0;
}

/** Intersects with a signed 32-bit range that also bounds the whole value (__mark_reg_s32_range). */
export function narrowToS32Range(env: VerifierEnv, reg: RegState, min: number, max: number): number {
  if (min > reg.s32min) reg.s32min = min;
  if (max < reg.s32max) reg.s32max = max;
  const wideMin = BigInt(min);
  const wideMax = BigInt(max);
  if (wideMin > reg.smin) reg.smin = wideMin;
  if (wideMax < reg.smax) reg.smax = wideMax;
  regBoundsSync(reg);
  return regBoundsSanityCheck(env, reg, 's32_range');
}
