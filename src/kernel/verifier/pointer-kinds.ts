// Questions about what kind of pointer a register holds. Rule: bpf_verifier.h and verifier.c, 6.18.
import type { VerifierEnv } from './env.ts';
import { tnumEqualsConst } from './tnum.ts';
import { baseType, FLAG, mayBeNull, REG, type RegState, typeFlags } from './types.ts';

/** Modifiers that a trusted pointer may carry. */
export const TRUSTED_MODIFIERS = FLAG.ALLOC | FLAG.TRUSTED | FLAG.NON_OWN_REF;

export const isPktPointer = (reg: RegState): boolean => {
  const base = baseType(reg.type);
  return base === REG.PACKET || base === REG.PACKET_META;
};

/** A packet pointer or the packet's end. */
export const isPktPointerAny = (reg: RegState): boolean => isPktPointer(reg) || reg.type === REG.PACKET_END;

/** A slice of a dynptr that may point into a packet. */
export const isDynptrSlicePkt = (reg: RegState): boolean =>
  baseType(reg.type) === REG.MEM && (reg.type & (FLAG.DYNPTR_SKB | FLAG.DYNPTR_XDP | FLAG.DYNPTR_SKB_META)) !== 0;

/** A pointer of that type as the context gave it, never advanced. */
export const isInitPktPointer = (reg: RegState, type: number): boolean =>
  reg.type === type && reg.id === 0 && reg.off === 0 && tnumEqualsConst(reg.varOff, 0n);

/** Memory that the program allocated. */
export const isPtrAllocObj = (type: number): boolean => baseType(type) === REG.BTF_ID && (type & FLAG.ALLOC) !== 0;

export const isNonOwningRef = (type: number): boolean => isPtrAllocObj(type) && (type & FLAG.NON_OWN_REF) !== 0;

export const hasUnsafeModifiers = (type: number): boolean => (typeFlags(type) & ~TRUSTED_MODIFIERS) !== 0;

/** Base types that stand for a kernel struct of their own. */
const KERNEL_OBJECTS: ReadonlySet<number> = new Set([REG.SOCKET, REG.SOCK_COMMON, REG.TCP_SOCK, REG.CONST_MAP_PTR]);

/** The object cannot go away: it is referenced, of a kind that is always trusted, or marked so. */
export function isTrustedReg(reg: RegState): boolean {
  if (reg.refObjId !== 0) return true;
  if (hasUnsafeModifiers(reg.type)) return false;
  return KERNEL_OBJECTS.has(baseType(reg.type)) || (reg.type & TRUSTED_MODIFIERS) !== 0;
}

export const isRcuReg = (reg: RegState): boolean => (reg.type & FLAG.RCU) !== 0;

const NEVER_NULL: ReadonlySet<number> = new Set([
  REG.SOCKET,
  REG.TCP_SOCK,
  REG.MAP_VALUE,
  REG.MAP_KEY,
  REG.SOCK_COMMON,
  REG.CONST_MAP_PTR,
]);

/** A comparison with 0 is decided. */
export function regNotNull(reg: RegState): boolean {
  if (mayBeNull(reg.type)) return false;
  const base = baseType(reg.type);
  if (base === REG.BTF_ID) return isTrustedReg(reg);
  if (base === REG.MEM) return (reg.type & FLAG.UNTRUSTED) === 0;
  return NEVER_NULL.has(base);
}

/** Something other than a number. */
export const isPointer = (reg: RegState): boolean => reg.type !== REG.SCALAR;

/** A pointer that this program must not turn into a number. */
export const isPointerValue = (env: VerifierEnv, regno: number): boolean =>
  !env.allowPtrLeaks && isPointer(env.regs[regno]);
