// Bounds of accesses to memory of a known size, and offsets that pointers may have. Rule: verifier.c, 6.18.
import { ERRNO } from '../../errno.ts';
import type { VerifierEnv } from './env.ts';
import { regTypeStr } from './reg-names.ts';
import { tnumStr } from './tnum.ts';
import { REG, type RegState, S64_MIN } from './types.ts';

/** Greatest variable offset, and size, that is followed (BPF_MAX_VAR_OFF, BPF_MAX_VAR_SIZ). */
export const MAX_VAR_OFF = 1n << 29n;

/** Sum of a bound and an offset as the kernel's int. */
const int = (bound: bigint, off: number): number => Number(BigInt.asIntN(32, bound + BigInt(off)));

/** Is [off, off + size) within `memSize` bytes? The message follows the type of register `regno`. */
export function checkMemWithin(
  env: VerifierEnv,
  regno: number,
  off: number,
  size: number,
  memSize: number,
  zeroSizeAllowed: boolean,
): number {
  const sizeOk = size > 0 || (size === 0 && zeroSizeAllowed);
  if (off >= 0 && sizeOk && off + size <= memSize) return 0;
  const reg = env.regs[regno];
  switch (reg.type) {
    case REG.MAP_KEY:
      env.log.write(`invalid access to map key, key_size=${memSize} off=${off} size=${size}\n`);
      break;
    case REG.MAP_VALUE:
      env.log.write(`invalid access to map value, value_size=${memSize} off=${off} size=${size}\n`);
      break;
    case REG.PACKET:
    case REG.PACKET_META:
    case REG.PACKET_END:
      env.log.write(
        `invalid access to packet, off=${off} size=${size}, R${regno}(id=${reg.id | 0},off=${off},r=${memSize})\n`,
      );
      break;
    default:
      env.log.write(`invalid access to memory, mem_size=${memSize >>> 0} off=${off} size=${size}\n`);
  }
  return -ERRNO.EACCES;
}

export function negativeMinimum(env: VerifierEnv, regno: number): number {
  env.log.write(`R${regno} min value is negative, either use unsigned index or do a if (index >=0) check.\n`);
  return -ERRNO.EACCES;
}

/** Checks an access through a pointer with a variable offset: at its least and at its greatest value. */
export function checkMemRegionAccess(
  env: VerifierEnv,
  regno: number,
  off: number,
  size: number,
  memSize: number,
  zeroSizeAllowed: boolean,
): number {
  const reg = env.regs[regno];
  const least = reg.smin + BigInt(off);
  if (reg.smin < 0n && (reg.smin === S64_MIN || least !== BigInt.asIntN(32, least) || least < 0n)) {
    return negativeMinimum(env, regno);
  }
  let err = checkMemWithin(env, regno, int(reg.smin, off), size, memSize, zeroSizeAllowed);
  if (err !== 0) {
    env.log.write(`R${regno} min value is outside of the allowed memory range\n`);
    return err;
  }
  if (reg.umax >= MAX_VAR_OFF) {
    env.log.write(`R${regno} unbounded memory access, make sure to bounds check any such access\n`);
    return -ERRNO.EACCES;
  }
  err = checkMemWithin(env, regno, int(reg.umax, off), size, memSize, zeroSizeAllowed);
  if (err !== 0) env.log.write(`R${regno} max value is outside of the allowed memory range\n`);
  return err;
}

/** Offsets of pointers that must not be moved; `fixedOffOk` allows a fixed one that is not negative. */
export function checkPtrOffset(env: VerifierEnv, reg: RegState, regno: number, fixedOffOk = false): number {
  if (reg.off < 0) {
    env.log.write(`negative offset ${regTypeStr(reg.type)} ptr R${regno} off=${reg.off} disallowed\n`);
    return -ERRNO.EACCES;
  }
  if (!fixedOffOk && reg.off !== 0) {
    env.log.write(`dereference of modified ${regTypeStr(reg.type)} ptr R${regno} off=${reg.off} disallowed\n`);
    return -ERRNO.EACCES;
  }
  if (reg.varOff.mask !== 0n || reg.varOff.value !== 0n) {
    env.log.write(`variable ${regTypeStr(reg.type)} access var_off=${tnumStr(reg.varOff)} disallowed\n`);
    return -ERRNO.EACCES;
  }
  return 0;
}
