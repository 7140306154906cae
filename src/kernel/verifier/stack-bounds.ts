// How far accesses to the stack may reach. Rule: verifier.c, 6.18.
import { ERRNO } from '../../errno.ts';
import type { Access } from '../program-types/program-type.ts';
import type { VerifierEnv } from './env.ts';
import { frameOf } from './frames.ts';
import { MAX_VAR_OFF } from './mem-region.ts';
import { tnumStr } from './tnum.ts';
import { type FuncState, MAX_STACK, StackSlot, TNUM_ZERO } from './types.ts';

/** Describes the frame down to `bytes` below its top. */
function growStack(env: VerifierEnv, frame: FuncState, bytes: number): void {
  const size = Math.ceil(bytes / 8) * 8;
  if (frame.allocatedStack >= size) return;
  while (frame.allocatedStack < size) frame.stack.push(new StackSlot());
  const subprog = env.subprogs[frame.subprogno];
  if (subprog.stackDepth < size) subprog.stackDepth = size;
}

/** Checks [off, off + size) relative to register `regno`; `off` includes its fixed offset. Grows the frame's stack. */
export function checkStackAccessWithinBounds(
  env: VerifierEnv,
  regno: number,
  off: number,
  size: number,
  access: Access,
): number {
  const reg = env.regs[regno];
  const frame = frameOf(env, reg);
  const what = access === 'read' ? ' read from' : ' write to';
  const constant = reg.varOff.mask === 0n;
  if (constant && reg.varOff === TNUM_ZERO && off < 0 && off + size <= 0 && size >= 0 && off >= -frame.allocatedStack) {
    return 0;
  }
  let least: bigint;
  let end: bigint;
  if (constant) {
    least = BigInt.asIntN(64, reg.varOff.value) + BigInt(off);
    end = least + BigInt(size);
  } else {
    if (reg.smax >= MAX_VAR_OFF || reg.smin <= -MAX_VAR_OFF) {
      env.log.write(`invalid unbounded variable-offset${what} stack R${regno}\n`);
      return -ERRNO.EACCES;
    }
    least = reg.smin + BigInt(off);
    end = reg.smax + BigInt(off) + BigInt(size);
  }
  const limit = access === 'write' || env.allowUninitStack ? MAX_STACK : frame.allocatedStack;
  let err = 0;
  if (least < -BigInt(limit) || least > -1n) err = -ERRNO.EACCES;
  else if (end > 0n) err = -ERRNO.EINVAL;
  else if (size < 0) err = -ERRNO.EFAULT;
  if (err !== 0) {
    env.log.write(
      constant
        ? `invalid${what} stack R${regno} off=${off} size=${size}\n`
        : `invalid variable-offset${what} stack R${regno} var_off=${tnumStr(reg.varOff)} off=${off} size=${size}\n`,
    );
    return err;
  }
  growStack(env, frame, -Number(least));
  return 0;
}
