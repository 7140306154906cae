// Direct access to packet data. Rule: verifier.c, 6.18.
import { ERRNO } from '../../errno.ts';
import { programType } from '../program-types/index.ts';
import type { Access } from '../program-types/program-type.ts';
import type { CallMeta } from './call-meta.ts';
import type { VerifierEnv } from './env.ts';
import { checkMemWithin, negativeMinimum } from './mem-region.ts';

/**
 * May packet data be read or written here? For a helper's argument (`meta`) its prototype decides; a direct write is
 * remembered, since the program then begins with code that makes the packet writable.
 */
export function mayAccessDirectPktData(env: VerifierEnv, meta: CallMeta | undefined, access: Access): boolean {
  switch (programType(env.progType).packet) {
    case 'read':
      if (access === 'write') return false;
      break;
    case 'write':
      break;
    case 'sockopt':
      if (access === 'write') env.seenDirectWrite = true;
      return true;
    default:
      return false;
  }
  if (meta) return meta.pktAccess;
  env.seenDirectWrite = true;
  return true;
}

/** Checks an access against what comparisons with the packet's end have shown to be there. */
export function checkPacketAccess(
  env: VerifierEnv,
  regno: number,
  off: number,
  size: number,
  zeroSizeAllowed: boolean,
): number {
  const reg = env.regs[regno];
  if (reg.smin < 0n) return negativeMinimum(env, regno);
  const err = reg.range < 0 ? -ERRNO.EINVAL : checkMemWithin(env, regno, off, size, reg.range, zeroSizeAllowed);
  if (err !== 0) {
    env.log.write(`R${regno} offset is outside of the packet\n`);
    return err;
  }
  const last = Number(BigInt.asUintN(32, BigInt(off) + reg.umax + BigInt(size) - 1n));
  if (last > env.maxPktOffset) env.maxPktOffset = last;
  return 0;
}
