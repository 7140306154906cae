// Strings that helpers read while the program is verified: constants in a read-only map. Rule: check_reg_const_str,
// check_bpf_snprintf_call, verifier.c, 6.18.
import { ERRNO } from '../../errno.ts';
import type { KMap } from '../objects.ts';
import type { VerifierEnv } from './env.ts';
import { constOffset } from './frames.ts';
import { checkMapAccess, hasDirectValues, isMapReadOnly, readOnlyBytes } from './map-value.ts';
import { isValidFormat } from './printf-format.ts';
import { REG } from './types.ts';

/** Bytes from where a constant pointer leads to the end of the value; a negative errno without them. */
function bytesBehind(map: KMap, off: number): Uint8Array | number {
  return readOnlyBytes(map, off, map.valueSize - off) ?? -ERRNO.ENOTSUPP;
}

/** Register `regno` must point to a string that is known and ends. */
export function checkConstString(env: VerifierEnv, regno: number): number {
  const reg = env.regs[regno];
  const { log } = env;
  if (reg.type !== REG.MAP_VALUE) return -ERRNO.EINVAL;
  const map = reg.map as KMap;
  const refuse = (text: string): number => {
    log.write(`${text}\n`);
    return -ERRNO.EACCES;
  };
  if (!isMapReadOnly(map)) return refuse(`R${regno} does not point to a readonly map'`);
  if (reg.varOff.mask !== 0n) return refuse(`R${regno} is not a constant address'`);
  if (!hasDirectValues(map)) return refuse('no direct value access support for this map type');
  const err = checkMapAccess(env, regno, reg.off, map.valueSize - reg.off, false, 'helper');
  if (err !== 0) return err;
  const bytes = bytesBehind(map, constOffset(reg));
  if (typeof bytes === 'number') {
    log.write('direct value access on string failed\n');
    return bytes;
  }
  if (bytes.includes(0)) return 0;
  log.write('string is not zero-terminated\n');
  return -ERRNO.EINVAL;
}

/** bpf_snprintf: the format in R3 must suit the number of arguments in R5, eight bytes each. */
export function checkSnprintf(env: VerifierEnv): number {
  const length = env.regs[5].varOff.value;
  if (length % 8n !== 0n) return -ERRNO.EINVAL;
  const format = env.regs[3];
  const bytes = bytesBehind(format.map as KMap, constOffset(format));
  if (typeof bytes === 'number') {
    env.log.write('failed to retrieve map value address\n');
    return -ERRNO.EFAULT;
  }
  if (isValidFormat(bytes, Number(length / 8n))) return 0;
  env.log.write('Invalid format string\n');
  return -ERRNO.EINVAL;
}
