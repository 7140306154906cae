// Whether a path may stop because one like it has been walked to its end. Rule: states_equal, stacksafe, refsafe,
// verifier.c, 6.18.
import type { VerifierEnv } from './env.ts';
import { checkIds, resetIds } from './id-map.ts';
import { EXACT_LEVEL, regSafe, sameValue } from './regs-equal.ts';
import { markRegUnknownImprecise } from './scalar-marks.ts';
import { isSpilledScalarReg64 } from './slots.ts';
import { frameInsnIdx } from './state-shape.ts';
import {
  type FuncState,
  ITER_STATE,
  MAX_REGS,
  REF,
  RegState,
  SLOT,
  type StackSlot,
  type VerifierState,
} from './types.ts';

/** What a load from plain bytes gives. */
const UNBOUND = new RegState();
markRegUnknownImprecise(UNBOUND);

function isAllMisc(env: VerifierEnv, slot: StackSlot): boolean {
  const { types } = slot;
  for (let i = 0; i < 8; i++) {
    if (types[i] !== SLOT.MISC && !(types[i] === SLOT.INVALID && env.allowUninitStack)) return false;
  }
  return true;
}

/** The scalar that a load of the whole slot gives; undefined where it is no scalar or not of one piece. */
function scalarOf(env: VerifierEnv, slot: StackSlot): RegState | undefined {
  if (isSpilledScalarReg64(slot)) return slot.spilled;
  return isAllMisc(env, slot) ? UNBOUND : undefined;
}

/** Objects that fill whole slots, once both are known to be of the kind `type`. */
function objectSafe(env: VerifierEnv, type: number, old: RegState, cur: RegState, exact: number): boolean {
  switch (type) {
    case SLOT.SPILL:
      return regSafe(env, old, cur, exact);
    case SLOT.DYNPTR:
      return (
        old.dynptrType === cur.dynptrType &&
        old.dynptrFirstSlot === cur.dynptrFirstSlot &&
        checkIds(old.refObjId, cur.refObjId)
      );
    case SLOT.ITER:
      // The depth differs from round to round and means nothing here.
      return (
        old.btf === cur.btf &&
        old.btfId === cur.btfId &&
        old.iterState === cur.iterState &&
        checkIds(old.refObjId, cur.refObjId)
      );
    case SLOT.IRQ_FLAG:
      return checkIds(old.refObjId, cur.refObjId) && old.irqClass === cur.irqClass;
    default:
      return true;
  }
}

function slotSafe(env: VerifierEnv, oldSlot: StackSlot, curSlot: StackSlot | undefined, exact: number): boolean {
  const oldTypes = oldSlot.types;
  const curTypes = curSlot?.types;
  for (let i = 0; i < 8; i++) {
    const old = oldTypes[i];
    if (exact !== EXACT_LEVEL.NOT && (curTypes === undefined || old !== curTypes[i])) return false;
    if (old === SLOT.INVALID) continue;
    if (old === SLOT.MISC && env.allowUninitStack) continue;
    if (curSlot === undefined || curTypes === undefined) return false;
    const oldScalar = scalarOf(env, oldSlot);
    const curScalar = oldScalar === undefined ? undefined : scalarOf(env, curSlot);
    if (oldScalar !== undefined && curScalar !== undefined) return regSafe(env, oldScalar, curScalar, exact);
    if (old === SLOT.MISC && curTypes[i] === SLOT.ZERO) continue;
    if (old !== curTypes[i]) return false;
    if (i === 7 && !objectSafe(env, old, oldSlot.spilled, curSlot.spilled, exact)) return false;
  }
  return true;
}

function stackSafe(env: VerifierEnv, old: FuncState, cur: FuncState, exact: number): boolean {
  const oldStack = old.stack;
  const curStack = cur.stack;
  const loose = exact === EXACT_LEVEL.NOT && env.allowUninitStack;
  for (let i = 0; i < oldStack.length; i++) {
    if (loose && oldStack[i].open) continue;
    if (!slotSafe(env, oldStack[i], i < curStack.length ? curStack[i] : undefined, exact)) return false;
  }
  return true;
}

/** Held references, locks and the like. */
function refsSafe(old: VerifierState, cur: VerifierState): boolean {
  if (
    old.refs.length !== cur.refs.length ||
    old.activeLocks !== cur.activeLocks ||
    old.activePreemptLocks !== cur.activePreemptLocks ||
    old.activeRcuLock !== cur.activeRcuLock ||
    !checkIds(old.activeIrqId, cur.activeIrqId) ||
    !checkIds(old.activeLockId, cur.activeLockId) ||
    old.activeLockPtr !== cur.activeLockPtr
  ) {
    return false;
  }
  for (let i = 0; i < old.refs.length; i++) {
    const a = old.refs[i];
    const b = cur.refs[i];
    if (!checkIds(a.id, b.id) || a.type !== b.type) return false;
    if ((a.type & REF.LOCK_MASK) !== 0 && a.ptr !== b.ptr) return false;
  }
  return true;
}

function framesEqual(env: VerifierEnv, old: FuncState, cur: FuncState, insnIdx: number, exact: number): boolean {
  if (old.callbackDepth > cur.callbackDepth) return false;
  const live = env.aux[insnIdx].liveRegsBefore;
  for (let i = 0; i < MAX_REGS; i++) {
    if ((live & (1 << i)) !== 0 && !regSafe(env, old.regs[i], cur.regs[i], exact)) return false;
  }
  return stackSafe(env, old, cur, exact);
}

/** True if all that can happen from `cur` on can happen from `old` on; `exact` is one of EXACT_LEVEL. */
export function statesEqual(env: VerifierEnv, old: VerifierState, cur: VerifierState, exact: number): boolean {
  if (old.curframe !== cur.curframe) return false;
  resetIds(env);
  // What only wrong-path execution showed proves nothing for the right path.
  if (old.speculative && !cur.speculative) return false;
  if (old.inSleepable !== cur.inSleepable) return false;
  if (!refsSafe(old, cur)) return false;
  for (let f = 0; f <= old.curframe; f++) {
    if (old.frame[f].callsite !== cur.frame[f].callsite) return false;
    if (!framesEqual(env, old.frame[f], cur.frame[f], frameInsnIdx(old, f), exact)) return false;
  }
  return true;
}

/** The registers of the innermost frame did not change at all: a quick test before comparing closely. */
export function statesMaybeLooping(old: VerifierState, cur: VerifierState): boolean {
  if (old.curframe !== cur.curframe) return false;
  const a = old.cur.regs;
  const b = cur.cur.regs;
  for (let i = 0; i < MAX_REGS; i++) {
    if (!sameValue(a[i], b[i]) || a[i].id !== b[i].id || a[i].refObjId !== b[i].refObjId) return false;
  }
  return true;
}

/** An iterator went on between the two states: they are different rounds of its loop. */
export function iterDepthsDiffer(old: VerifierState, cur: VerifierState): boolean {
  for (let f = old.curframe; f >= 0; f--) {
    const { stack } = old.frame[f];
    for (let i = 0; i < stack.length; i++) {
      if (stack[i].types[0] !== SLOT.ITER || stack[i].spilled.iterState !== ITER_STATE.ACTIVE) continue;
      if (cur.frame[f].stack[i].spilled.iterDepth !== stack[i].spilled.iterDepth) return true;
    }
  }
  return false;
}
