// Dynptrs: two stack slots that stand for memory of a size known only when the program runs. Rule: verifier.c, 6.18.
import { ERRNO } from '../../errno.ts';
import { forEachReg } from './each-reg.ts';
import type { VerifierEnv } from './env.ts';
import { frameOf, slotIndex } from './frames.ts';
import { ARG, DYNPTR_FLAG_MASK } from './helper-proto.ts';
import { checkMemAccess } from './mem-access.ts';
import { markStackSlotScratched } from './print-state.ts';
import { acquireReference, releaseReference } from './references.ts';
import { dynptrTypeStr } from './reg-names.ts';
import { markRegInvalid, markRegKnown, markRegNotInit } from './scalar-marks.ts';
import { markSlotWrite } from './stack-liveness.ts';
import { fillSlot, isDynptrSlot, isWhole, markObjectRead, objectSlot } from './stack-object.ts';
import { baseType, DYNPTR, FLAG, type FuncState, REG, type RegState, SLOT } from './types.ts';
import { verifierBug } from './verifier-bug.ts';

/** Slots that a dynptr takes, and bytes. */
const SLOTS = 2;
const BYTES = 16;

const KINDS: readonly (readonly [flag: number, type: number])[] = [
  [FLAG.DYNPTR_LOCAL, DYNPTR.LOCAL],
  [FLAG.DYNPTR_RINGBUF, DYNPTR.RINGBUF],
  [FLAG.DYNPTR_SKB, DYNPTR.SKB],
  [FLAG.DYNPTR_XDP, DYNPTR.XDP],
  [FLAG.DYNPTR_SKB_META, DYNPTR.SKB_META],
];

/** Kind of dynptr that an argument's flags ask for. */
export const dynptrTypeOfArg = (argType: number): number =>
  KINDS.find(([flag]) => (argType & DYNPTR_FLAG_MASK) === flag)?.[1] ?? DYNPTR.INVALID;

/** The flag of a kind of dynptr, 0 if it has none. */
export const dynptrFlag = (type: number): number => KINDS.find(([, kind]) => kind === type)?.[0] ?? 0;

/** Dynptrs whose memory has to be given back. */
export const dynptrIsRefcounted = (type: number): boolean => type === DYNPTR.RINGBUF;

export const isDynptrArg = (argType: number): boolean => baseType(argType) === ARG.DYNPTR;

function markWritten(env: VerifierEnv, frame: FuncState, spi: number): void {
  markSlotWrite(env, frame.frameno, spi - 1);
  markSlotWrite(env, frame.frameno, spi);
}

const dynptrSlot = (env: VerifierEnv, reg: RegState): number => objectSlot(env, reg, 'dynptr', SLOTS);

/** Makes a register, or the register of a slot, a dynptr. */
export function markDynptrReg(reg: RegState, type: number, firstSlot: boolean, id: number): void {
  markRegKnown(reg, 0n);
  reg.type = REG.CONST_DYNPTR;
  reg.id = id;
  reg.dynptrType = type;
  reg.dynptrFirstSlot = firstSlot;
}

/** The argument of a callback that is handed a dynptr. */
export const markDynptrCallbackReg = (env: VerifierEnv, reg: RegState, type: number): void =>
  markDynptrReg(reg, type, true, ++env.idGen);

function clearSlots(env: VerifierEnv, frame: FuncState, spi: number): void {
  for (const slot of [frame.stack[spi], frame.stack[spi - 1]]) {
    fillSlot(slot, SLOT.INVALID);
    markRegNotInit(env, slot.spilled);
  }
  markWritten(env, frame, spi);
}

/**
 * Before slot `spi` is overwritten: a dynptr in it ceases to be, with its slices. One that holds a reference must not
 * be overwritten.
 */
export function destroyIfDynptrSlot(env: VerifierEnv, frame: FuncState, spi: number): number {
  if (!isDynptrSlot(frame, spi)) return 0;
  const top = frame.stack[spi].spilled.dynptrFirstSlot ? spi : spi + 1;
  const dynptr = frame.stack[top].spilled;
  if (dynptrIsRefcounted(dynptr.dynptrType)) {
    env.log.write('cannot overwrite referenced dynptr\n');
    return -ERRNO.EINVAL;
  }
  markStackSlotScratched(env, top);
  markStackSlotScratched(env, top - 1);
  fillSlot(frame.stack[top], SLOT.INVALID);
  fillSlot(frame.stack[top - 1], SLOT.INVALID);
  const { id } = dynptr;
  forEachReg(env.state, (reg) => {
    if (reg.type !== REG.MEM && reg.type !== (REG.MEM | FLAG.MAYBE_NULL)) return;
    if (reg.dynptrId === id) markRegInvalid(env, reg);
  });
  clearSlots(env, frame, top);
  return 0;
}

function createDynptr(
  env: VerifierEnv,
  reg: RegState,
  argType: number,
  insnIdx: number,
  cloneRefObjId: number,
): number {
  const frame = frameOf(env, reg);
  const spi = dynptrSlot(env, reg);
  if (spi < 0) return spi;
  const err = destroyIfDynptrSlot(env, frame, spi) || destroyIfDynptrSlot(env, frame, spi - 1);
  if (err !== 0) return err;
  const high = frame.stack[spi];
  const low = frame.stack[spi - 1];
  fillSlot(high, SLOT.DYNPTR);
  fillSlot(low, SLOT.DYNPTR);
  const type = dynptrTypeOfArg(argType);
  if (type === DYNPTR.INVALID) return -ERRNO.EINVAL;
  const id = ++env.idGen;
  markDynptrReg(high.spilled, type, true, id);
  markDynptrReg(low.spilled, type, false, id);
  if (dynptrIsRefcounted(type)) {
    const ref = cloneRefObjId || acquireReference(env, insnIdx);
    high.spilled.refObjId = ref;
    low.spilled.refObjId = ref;
  }
  markWritten(env, frame, spi);
  return 0;
}

/** Gives back the memory of the dynptr that a register leads to; it and its clones are gone then. */
export function releaseDynptr(env: VerifierEnv, reg: RegState): number {
  const frame = frameOf(env, reg);
  const spi = dynptrSlot(env, reg);
  if (spi < 0) return spi;
  const { dynptrType, refObjId } = frame.stack[spi].spilled;
  if (!dynptrIsRefcounted(dynptrType)) {
    clearSlots(env, frame, spi);
    return 0;
  }
  releaseReference(env, refObjId);
  for (let i = 1; i < frame.stack.length; i++) {
    if (frame.stack[i].spilled.refObjId !== refObjId) continue;
    if (!isDynptrSlot(frame, i)) return verifierBug(env, 'misconfigured ref_obj_id');
    if (frame.stack[i].spilled.dynptrFirstSlot) clearSlots(env, frame, i);
  }
  return 0;
}

function mayBecomeDynptr(env: VerifierEnv, reg: RegState): boolean {
  if (reg.type === REG.CONST_DYNPTR) return false;
  const spi = dynptrSlot(env, reg);
  return spi >= 0 || spi === -ERRNO.ERANGE;
}

function isDynptr(env: VerifierEnv, reg: RegState): boolean {
  if (reg.type === REG.CONST_DYNPTR) return true;
  const spi = dynptrSlot(env, reg);
  if (spi < 0) return false;
  const { stack } = frameOf(env, reg);
  return stack[spi].spilled.dynptrFirstSlot && isWhole(stack[spi], SLOT.DYNPTR) && isWhole(stack[spi - 1], SLOT.DYNPTR);
}

function hasExpectedType(env: VerifierEnv, reg: RegState, argType: number): boolean {
  if (argType === ARG.DYNPTR) return true;
  const type = dynptrTypeOfArg(argType);
  if (reg.type === REG.CONST_DYNPTR) return reg.dynptrType === type;
  const spi = dynptrSlot(env, reg);
  return spi >= 0 && frameOf(env, reg).stack[spi].spilled.dynptrType === type;
}

/** An argument that is, or is to become, a dynptr (process_dynptr_func). */
export function processDynptrArg(
  env: VerifierEnv,
  regno: number,
  insnIdx: number,
  argType: number,
  cloneRefObjId: number,
): number {
  const reg = env.regs[regno];
  const { log } = env;
  if (reg.type !== REG.STACK && reg.type !== REG.CONST_DYNPTR) {
    log.write(`arg#${regno - 1} expected pointer to stack or const struct bpf_dynptr\n`);
    return -ERRNO.EINVAL;
  }
  const both = FLAG.UNINIT | FLAG.RDONLY;
  if ((argType & both) === both) return verifierBug(env, 'misconfigured dynptr helper type flags');
  if ((argType & FLAG.UNINIT) !== 0) {
    if (!mayBecomeDynptr(env, reg)) {
      log.write('Dynptr has to be an uninitialized dynptr\n');
      return -ERRNO.EINVAL;
    }
    for (let i = 0; i < BYTES; i += 8) {
      const err = checkMemAccess(env, insnIdx, regno, i, 8, 'write', -1, false, false);
      if (err !== 0) return err;
    }
    return createDynptr(env, reg, argType, insnIdx, cloneRefObjId);
  }
  if (reg.type === REG.CONST_DYNPTR && (argType & FLAG.RDONLY) === 0) {
    log.write('cannot pass pointer to const bpf_dynptr, the helper mutates it\n');
    return -ERRNO.EINVAL;
  }
  if (!isDynptr(env, reg)) {
    log.write(`Expected an initialized dynptr as arg #${regno - 1}\n`);
    return -ERRNO.EINVAL;
  }
  if (!hasExpectedType(env, reg, argType & ~FLAG.RDONLY)) {
    log.write(`Expected a dynptr of type ${dynptrTypeStr(dynptrTypeOfArg(argType))} as arg #${regno - 1}\n`);
    return -ERRNO.EINVAL;
  }
  if (reg.type === REG.CONST_DYNPTR) return 0;
  const spi = dynptrSlot(env, reg);
  if (spi < 0) return spi;
  markObjectRead(env, reg, spi, SLOTS);
  return 0;
}

/** The register that describes a dynptr argument: itself, or that of its slot. Negative: an errno. */
function described(env: VerifierEnv, reg: RegState): RegState | number {
  if (reg.type === REG.CONST_DYNPTR) return reg;
  const spi = dynptrSlot(env, reg);
  return spi < 0 ? spi : frameOf(env, reg).stack[spi].spilled;
}

/** Id of a dynptr argument, or a negative errno. */
export function dynptrId(env: VerifierEnv, reg: RegState): number {
  const found = described(env, reg);
  return typeof found === 'number' ? found : found.id;
}

/** Reference that a dynptr argument holds (0: none), or a negative errno. */
export function dynptrRefObjId(env: VerifierEnv, reg: RegState): number {
  const found = described(env, reg);
  return typeof found === 'number' ? found : found.refObjId;
}

/** Kind of a dynptr argument. */
export function dynptrTypeOf(env: VerifierEnv, reg: RegState): number {
  if (reg.type === REG.CONST_DYNPTR) return reg.dynptrType;
  const spi = slotIndex(reg.off);
  if (spi < 0) {
    env.log.write('verifier internal error: invalid spi when querying dynptr type\n');
    return DYNPTR.INVALID;
  }
  return frameOf(env, reg).stack[spi].spilled.dynptrType;
}

/** The argument that is a dynptr in the stack holds a reference. */
export function holdsReference(env: VerifierEnv, reg: RegState): boolean {
  const spi = dynptrSlot(env, reg);
  return spi >= 0 && frameOf(env, reg).stack[spi].spilled.refObjId !== 0;
}
