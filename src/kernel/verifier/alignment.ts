// Alignment of memory accesses. Rule: check_ptr_alignment, verifier.c, 6.18.
import { ERRNO } from '../../errno.ts';
import type { VerifierEnv } from './env.ts';
import { tnumAdd, tnumConst, tnumIsAligned, tnumStr } from './tnum.ts';
import { REG, type RegState, TNUM_ZERO } from './types.ts';

/** Packets begin two bytes off, so that the IP header is aligned. */
const NET_IP_ALIGN = 2;

/** Words that name the pointer in the message. */
const NAMES: Readonly<Record<number, string>> = {
  [REG.FLOW_KEYS]: 'flow keys ',
  [REG.MAP_KEY]: 'key ',
  [REG.MAP_VALUE]: 'value ',
  [REG.CTX]: 'context ',
  [REG.STACK]: 'stack ',
  [REG.SOCKET]: 'sock ',
  [REG.SOCK_COMMON]: 'sock_common ',
  [REG.TCP_SOCK]: 'tcp_sock ',
  [REG.XDP_SOCK]: 'xdp_sock ',
};

/**
 * Checks an access of `size` bytes at `off` from a pointer. Only the stack is always strict; the others are where the
 * program asked for it, or with `strictOnce`.
 */
export function checkPtrAlignment(
  env: VerifierEnv,
  reg: RegState,
  off: number,
  size: number,
  strictOnce: boolean,
): number {
  if (reg.type === REG.ARENA || size === 1) return 0;
  if (!env.strictAlignment && !strictOnce && reg.type !== REG.STACK) return 0;
  const packet = reg.type === REG.PACKET || reg.type === REG.PACKET_META;
  const fixed = (packet ? NET_IP_ALIGN : 0) + reg.off + off;
  // The frame pointer itself and what was moved by constants in the instructions.
  if (reg.varOff === TNUM_ZERO && size !== 0 && fixed % size === 0) return 0;
  if (tnumIsAligned(tnumAdd(reg.varOff, tnumConst(BigInt.asUintN(64, BigInt(fixed)))), size)) return 0;
  const varOff = tnumStr(reg.varOff);
  env.log.write(
    packet
      ? `misaligned packet access off ${NET_IP_ALIGN}+${varOff}+${reg.off}+${off} size ${size}\n`
      : `misaligned ${NAMES[reg.type] ?? ''}access off ${varOff}+${reg.off}+${off} size ${size}\n`,
  );
  return -ERRNO.EACCES;
}
