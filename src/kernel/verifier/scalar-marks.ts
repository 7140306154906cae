// Sets what is known of a register outright: a constant, nothing, not even initialised. Rule: verifier.c, 6.18.
import type { VerifierEnv } from './env.ts';
import { bitLength, tnumConst, tnumConstSubreg, tnumEqualsConst, tnumSubregIsConst } from './tnum.ts';
import {
  ADD_CONST_MASK,
  REG,
  RegState,
  S32_MAX,
  S32_MIN,
  S64_MAX,
  S64_MIN,
  TNUM_UNKNOWN,
  U32_MAX,
  U64_MAX,
} from './types.ts';

/** Value and bounds become `value` (taken modulo 2^64); type, id and the rest stay (___mark_reg_known). */
export function setKnownValue(reg: RegState, value: bigint): void {
  const u = BigInt.asUintN(64, value);
  const s = BigInt.asIntN(64, value);
  const low = Number(BigInt.asIntN(32, value));
  reg.varOff = tnumConst(u);
  reg.smin = s;
  reg.smax = s;
  reg.umin = u;
  reg.umax = u;
  reg.s32min = low;
  reg.s32max = low;
  reg.u32min = low >>> 0;
  reg.u32max = low >>> 0;
}

/** A constant, or for a pointer its variable offset: clears offset, ids and what the type refers to; type stays. */
export function markRegKnown(reg: RegState, value: bigint): void {
  reg.off = 0;
  reg.clearUnion();
  reg.id = 0;
  reg.refObjId = 0;
  setKnownValue(reg, value);
}

/** Only the low half becomes known. */
export function markReg32Known(reg: RegState, value: number): void {
  reg.varOff = tnumConstSubreg(reg.varOff, BigInt(value >>> 0));
  reg.s32min = value | 0;
  reg.s32max = value | 0;
  reg.u32min = value >>> 0;
  reg.u32max = value >>> 0;
}

/** Offset 0: for registers that get a pointer type. */
export const markRegKnownZero = (_env: VerifierEnv, reg: RegState): void => markRegKnown(reg, 0n);

/** The scalar 0. */
export function markRegConstZero(env: VerifierEnv, reg: RegState): void {
  markRegKnown(reg, 0n);
  reg.type = REG.SCALAR;
  reg.precise = !env.bpfCapable;
}

export function markReg64Unbounded(reg: RegState): void {
  reg.smin = S64_MIN;
  reg.smax = S64_MAX;
  reg.umin = 0n;
  reg.umax = U64_MAX;
}

export function markReg32Unbounded(reg: RegState): void {
  reg.s32min = S32_MIN;
  reg.s32max = S32_MAX;
  reg.u32min = 0;
  reg.u32max = U32_MAX;
}

/** Bounds only; known bits stay. */
export function markRegUnbounded(reg: RegState): void {
  markReg64Unbounded(reg);
  markReg32Unbounded(reg);
}

/** Any number, not precise. `subregDef` stays. */
export function markRegUnknownImprecise(reg: RegState): void {
  reg.type = REG.SCALAR;
  reg.off = 0;
  reg.clearUnion();
  reg.id = 0;
  reg.refObjId = 0;
  reg.varOff = TNUM_UNKNOWN;
  reg.frameno = 0;
  reg.precise = false;
  markRegUnbounded(reg);
}

/** Any number; without CAP_BPF every scalar counts as precise from birth. */
export function markRegUnknown(env: VerifierEnv, reg: RegState): void {
  markRegUnknownImprecise(reg);
  reg.precise = !env.bpfCapable;
}

export function markRegNotInit(env: VerifierEnv, reg: RegState): void {
  markRegUnknown(env, reg);
  reg.type = REG.NOT_INIT;
}

/** What states that are only compared have in place of all that is not initialised. Read only. */
export const NOT_INIT_REG: RegState = new RegState();
markRegUnknownImprecise(NOT_INIT_REG);
NOT_INIT_REG.type = REG.NOT_INIT;
NOT_INIT_REG.frozen = true;

/** A pointer that became unusable: any number for those who may see pointers, else not initialised. */
export function markRegInvalid(env: VerifierEnv, reg: RegState): void {
  if (env.allowPtrLeaks) markRegUnknown(env, reg);
  else markRegNotInit(env, reg);
}

/** The scalar 0 for certain (register_is_null). */
export const regIsNull = (reg: RegState): boolean => reg.type === REG.SCALAR && tnumEqualsConst(reg.varOff, 0n);

/** A scalar of one known value; with `subreg32` only its low half counts. */
export const isRegConst = (reg: RegState, subreg32 = false): boolean =>
  reg.type === REG.SCALAR && (subreg32 ? tnumSubregIsConst(reg.varOff) : reg.varOff.mask === 0n);

/** Its value, unsigned, once isRegConst() has said yes. */
export const regConst = (reg: RegState, subreg32 = false): bigint =>
  subreg32 ? BigInt.asUintN(32, reg.varOff.value) : reg.varOff.value;

/** Bits that its greatest value needs. */
export const regWidth = (reg: RegState): number => bitLength(reg.umax);

/** Ends the tie to other scalars. */
export function clearScalarId(reg: RegState): void {
  reg.id = 0;
  reg.off = 0;
}

/**
 * Before a scalar is copied: gives it an id, so that what is later learned of one copy holds for the other. Constants
 * need none. A register that is already "some other one plus a constant" starts a new group.
 */
export function assignScalarIdBeforeMov(env: VerifierEnv, src: RegState): void {
  if (src.type !== REG.SCALAR) return;
  if ((src.id & ADD_CONST_MASK) !== 0) clearScalarId(src);
  if (src.id === 0 && src.varOff.mask !== 0n) src.id = ++env.idGen;
}
