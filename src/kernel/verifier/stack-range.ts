// Ranges of the stack that helpers read or fill. Rule: check_stack_range_initialized, verifier.c, 6.18.
import { ERRNO } from '../../errno.ts';
import type { Access } from '../program-types/program-type.ts';
import type { CallMeta } from './call-meta.ts';
import type { VerifierEnv } from './env.ts';
import { frameOf, slotIndex } from './frames.ts';
import { markRegUnknown } from './scalar-marks.ts';
import { isSpilledReg, scrubSpilledByte } from './slots.ts';
import { checkStackAccessWithinBounds } from './stack-bounds.ts';
import { markSlotRead } from './stack-liveness.ts';
import { tnumStr } from './tnum.ts';
import { type FuncState, REG, SLOT, type StackSlot } from './types.ts';

/** Notes a range that the call fills: its bytes are written one by one once all arguments have been checked. */
function deferFill(
  env: VerifierEnv,
  frame: FuncState,
  least: number,
  end: number,
  regno: number,
  size: number,
  meta: CallMeta,
): number {
  for (let i = least; i < end; i++) {
    const slot: StackSlot | undefined = frame.stack[slotIndex(i)];
    if (slot?.types[(-i - 1) & 7] === SLOT.DYNPTR) {
      env.log.write(`potential write to dynptr at off=${i} disallowed\n`);
      return -ERRNO.EACCES;
    }
  }
  meta.accessSize = size;
  meta.regno = regno;
  return 0;
}

/** Is the byte readable? If it may be written as well, it becomes anything. */
function touch(env: VerifierEnv, slot: StackSlot, byte: number, clobber: boolean): boolean {
  const type = slot.types[byte];
  if (type === SLOT.MISC) return true;
  if (type === SLOT.ZERO || (type === SLOT.INVALID && env.allowUninitStack)) {
    if (clobber) slot.types[byte] = SLOT.MISC;
    return true;
  }
  if (!isSpilledReg(slot) || (slot.spilled.type !== REG.SCALAR && !env.allowPtrLeaks)) return false;
  if (clobber) {
    markRegUnknown(env, slot.spilled);
    for (let i = 0; i < 8; i++) scrubSpilledByte(slot, i);
  }
  return true;
}

/**
 * Checks that `size` bytes of stack behind register `regno` are initialised; `off` is its fixed offset. With
 * meta.rawMode they need not be, since the call fills them.
 */
export function checkStackRangeInitialized(
  env: VerifierEnv,
  regno: number,
  off: number,
  size: number,
  zeroSizeAllowed: boolean,
  access: Access,
  meta: CallMeta | undefined,
): number {
  const reg = env.regs[regno];
  const frame = frameOf(env, reg);
  const { log } = env;
  if (size === 0 && !zeroSizeAllowed) {
    log.write('invalid zero-sized read\n');
    return -ERRNO.EACCES;
  }
  const err = checkStackAccessWithinBounds(env, regno, off, size, access);
  if (err !== 0) return err;
  const constant = reg.varOff.mask === 0n;
  let least: number;
  let most: number;
  if (constant) {
    least = Number(BigInt.asIntN(64, reg.varOff.value)) + off;
    most = least;
  } else {
    if (!env.bypassSpecV1) {
      log.write(`R${regno} variable offset stack access prohibited for !root, var_off=${tnumStr(reg.varOff)}\n`);
      return -ERRNO.EACCES;
    }
    least = Number(reg.smin) + off;
    most = Number(reg.smax) + off;
  }
  const end = most + size;
  // A range whose place varies is only partly filled, so all of it must be there before.
  if (constant && meta?.rawMode) return deferFill(env, frame, least, end, regno, size, meta);

  for (let i = least; i < end; i++) {
    const spi = slotIndex(i);
    const slot = frame.stack[spi];
    if (slot === undefined) {
      log.write('allocated_stack too small\n');
      return -ERRNO.EFAULT;
    }
    if (!touch(env, slot, (-i - 1) & 7, access === 'write')) {
      log.write(
        constant
          ? `invalid read from stack R${regno} off ${least}+${i - least} size ${size}\n`
          : `invalid read from stack R${regno} var_off ${tnumStr(reg.varOff)}+${i - least} size ${size}\n`,
      );
      return -ERRNO.EACCES;
    }
    markSlotRead(env, reg.frameno, spi);
  }
  return 0;
}
