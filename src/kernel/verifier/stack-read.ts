// Loads from the stack. Rule: check_stack_read and its parts, verifier.c, 6.18.
import { ERRNO } from '../../errno.ts';
import type { VerifierEnv } from './env.ts';
import { constOffset, frameOf, slotIndex } from './frames.ts';
import { pushInsnHistory, stackAccessFlags } from './history.ts';
import { markStackSlotScratched, verboseLineInfo } from './print-state.ts';
import { clearScalarId, markRegConstZero, markRegUnknown, regWidth } from './scalar-marks.ts';
import { isSpilledReg } from './slots.ts';
import { markSlotRead } from './stack-liveness.ts';
import { checkStackRangeInitialized } from './stack-range.ts';
import { checkFastcallStack } from './stack-write.ts';
import { tnumStr } from './tnum.ts';
import { type FuncState, REG, SLOT, type StackSlot } from './types.ts';

/** Bytes that no register was spilled to: zero if all are, else anything. */
function markBytesRead(env: VerifierEnv, frame: FuncState, least: number, end: number, dstRegno: number): void {
  let zeros = 0;
  for (let i = least; i < end; i++) {
    const spi = slotIndex(i);
    markStackSlotScratched(env, spi);
    if (frame.stack[spi].types[(-i - 1) & 7] !== SLOT.ZERO) break;
    zeros++;
  }
  const dst = env.regs[dstRegno];
  if (zeros === end - least) markRegConstZero(env, dst);
  else markRegUnknown(env, dst);
}

/** Bytes of the slot, from its lowest address, that belong to the spilled register. */
function spilledBytes(slot: StackSlot): number {
  let n = 1;
  while (n < 8 && slot.types[7 - n] === SLOT.SPILL) n++;
  return n;
}

function invalidRead(env: VerifierEnv, off: number, i: number, size: number): number {
  env.log.write(`invalid read from stack off ${off}+${i} size ${size}\n`);
  return -ERRNO.EACCES;
}

/** Part of a spilled scalar, or bytes beside it: 1 if the slot's history matters, 0 if not, or a negative errno. */
function fillPart(env: VerifierEnv, slot: StackSlot, off: number, size: number, dstRegno: number): number {
  const spilled = slot.spilled;
  const dst = env.regs[dstRegno];
  const spillSize = spilledBytes(slot);
  if (size <= spillSize && off % 8 === 0) {
    const { subregDef } = dst;
    dst.copy(spilled);
    dst.subregDef = subregDef;
    // The low part of a wider value: no longer the same number.
    if (regWidth(spilled) > size * 8) clearScalarId(dst);
    return 1;
  }
  let spills = 0;
  let zeros = 0;
  for (let i = 0; i < size; i++) {
    const type = slot.types[(-off - 1 - i) & 7];
    if (type === SLOT.SPILL) spills++;
    else if (type === SLOT.ZERO) zeros++;
    else if (type !== SLOT.MISC && !(type === SLOT.INVALID && env.allowUninitStack)) {
      return invalidRead(env, off, i, size);
    }
  }
  if (spills === size && spilled.varOff.mask === 0n && spilled.varOff.value === 0n) {
    markRegConstZero(env, dst);
    return 1;
  }
  if (zeros === size) markRegConstZero(env, dst);
  else markRegUnknown(env, dst);
  return 0;
}

/** Like fillPart, for a slot that holds a spilled register. */
function readSpill(env: VerifierEnv, slot: StackSlot, off: number, size: number, dstRegno: number): number {
  const spilled = slot.spilled;
  if (size !== 8 || slot.types[0] !== SLOT.SPILL) {
    if (spilled.type !== REG.SCALAR) {
      verboseLineInfo(env, env.insnIdx, '; ');
      env.log.write('invalid size of register fill\n');
      return -ERRNO.EACCES;
    }
    return dstRegno < 0 ? 0 : fillPart(env, slot, off, size, dstRegno);
  }
  if (dstRegno >= 0) {
    env.regs[dstRegno].copy(spilled);
  } else if (!env.allowPtrLeaks && spilled.type !== REG.SCALAR) {
    env.log.write(`leaking pointer from stack off ${off}\n`);
    return -ERRNO.EACCES;
  }
  return 1;
}

function readFixed(env: VerifierEnv, frame: FuncState, off: number, size: number, dstRegno: number): number {
  const spi = Math.trunc((-off - 1) / 8);
  const slot = frame.stack[spi];
  markStackSlotScratched(env, spi);
  checkFastcallStack(env, env.state.cur, env.insnIdx, off);
  markSlotRead(env, frame.frameno, spi);
  if (isSpilledReg(slot)) {
    const kept = readSpill(env, slot, off, size, dstRegno);
    if (kept <= 0) return kept;
    return pushInsnHistory(env, env.state, stackAccessFlags(frame.frameno, spi));
  }
  for (let i = 0; i < size; i++) {
    const type = slot.types[(-off - 1 - i) & 7];
    if (type === SLOT.MISC || type === SLOT.ZERO || (type === SLOT.INVALID && env.allowUninitStack)) continue;
    return invalidRead(env, off, i, size);
  }
  if (dstRegno >= 0) markBytesRead(env, frame, off, off + size, dstRegno);
  return 0;
}

function readVariable(env: VerifierEnv, ptrRegno: number, off: number, size: number, dstRegno: number): number {
  const ptr = env.regs[ptrRegno];
  const frame = frameOf(env, ptr);
  const err = checkStackRangeInitialized(env, ptrRegno, off, size, false, 'read', undefined);
  if (err !== 0) return err;
  const least = Number(ptr.smin) + off;
  const most = Number(ptr.smax) + off;
  markBytesRead(env, frame, least, most + size, dstRegno);
  checkFastcallStack(env, frame, env.insnIdx, least);
  return 0;
}

/** A load through stack pointer `ptrRegno`, already found to be within bounds; `dstRegno` is -1 for none. */
export function checkStackRead(
  env: VerifierEnv,
  ptrRegno: number,
  off: number,
  size: number,
  dstRegno: number,
): number {
  const ptr = env.regs[ptrRegno];
  if (ptr.varOff.mask === 0n) {
    return readFixed(env, frameOf(env, ptr), off + constOffset(ptr) - ptr.off, size, dstRegno);
  }
  if (dstRegno < 0) {
    env.log.write(
      `variable offset stack pointer cannot be passed into helper function; var_off=${tnumStr(ptr.varOff)} off=${off} size=${size}\n`,
    );
    return -ERRNO.EACCES;
  }
  return readVariable(env, ptrRegno, off, size, dstRegno);
}
