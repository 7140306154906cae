// Memory that calls are handed: a pointer and the bytes behind it. Rule: check_helper_mem_access and its callers,
// verifier.c, 6.18.
import { ERRNO } from '../../errno.ts';
import { programType } from '../program-types/index.ts';
import type { Access } from '../program-types/program-type.ts';
import { checkPtrToBtfAccess } from './btf-access.ts';
import { CallMeta } from './call-meta.ts';
import { checkBufferAccess } from './ctx-access.ts';
import type { VerifierEnv } from './env.ts';
import { checkMapAccess, checkMapAccessType } from './map-value.ts';
import { checkMemAccess } from './mem-access.ts';
import { checkMemRegionAccess, MAX_VAR_OFF } from './mem-region.ts';
import { markPtrNotNull } from './null-check.ts';
import { checkPacketAccess } from './packet-access.ts';
import { markChainPrecision } from './precision.ts';
import { regTypeStr } from './reg-names.ts';
import { regIsNull } from './scalar-marks.ts';
import { checkStackRangeInitialized } from './stack-access.ts';
import { baseType, FLAG, mayBeNull, REG, type RegState } from './types.ts';

function unexpectedType(env: VerifierEnv, regno: number, size: number, zeroSizeAllowed: boolean): number {
  const reg = env.regs[regno];
  if (zeroSizeAllowed && size === 0 && regIsNull(reg)) return 0;
  env.log.append(`R${regno} type=${regTypeStr(reg.type)} `);
  env.log.append(`expected=${regTypeStr(REG.STACK)}\n`);
  return -ERRNO.EACCES;
}

/** Checks `size` bytes behind register `regno`. Without `meta` the memory is not what the call fills. */
export function checkHelperMemAccess(
  env: VerifierEnv,
  regno: number,
  size: number,
  access: Access,
  zeroSizeAllowed: boolean,
  meta: CallMeta | undefined,
): number {
  const reg = env.regs[regno];
  const rdonly = (reg.type & FLAG.RDONLY) !== 0;
  const cannotWrite = (): number => {
    env.log.write(`R${regno} cannot write into ${regTypeStr(reg.type)}\n`);
    return -ERRNO.EACCES;
  };
  switch (baseType(reg.type)) {
    case REG.PACKET:
    case REG.PACKET_META:
      return checkPacketAccess(env, regno, reg.off, size, zeroSizeAllowed);
    case REG.MAP_KEY:
      if (access === 'write') return cannotWrite();
      return checkMemRegionAccess(env, regno, reg.off, size, reg.map?.keySize ?? 0, false);
    case REG.MAP_VALUE:
      if (checkMapAccessType(env, regno, reg.off, size, access) !== 0) return -ERRNO.EACCES;
      return checkMapAccess(env, regno, reg.off, size, zeroSizeAllowed, 'helper');
    case REG.MEM:
      if (rdonly && access === 'write') return cannotWrite();
      return checkMemRegionAccess(env, regno, reg.off, size, reg.memSize, zeroSizeAllowed);
    case REG.BUF:
      if (rdonly && access === 'write') return cannotWrite();
      return checkBufferAccess(env, reg, regno, reg.off, size);
    case REG.STACK:
      return checkStackRangeInitialized(env, regno, reg.off, size, zeroSizeAllowed, access, meta);
    case REG.BTF_ID:
      return checkPtrToBtfAccess(env, regno, reg.off, size, 'read', -1);
    case REG.CTX:
      // A context that is the kernel's own structure may be passed as memory.
      if (programType(env.progType).convertsContext) return unexpectedType(env, regno, size, zeroSizeAllowed);
      if (size === 0) return zeroSizeAllowed ? 0 : -ERRNO.EACCES;
      return checkMemAccess(env, env.insnIdx, regno, size - 1, 1, access, -1, false, false);
    default:
      return unexpectedType(env, regno, size, zeroSizeAllowed);
  }
}

/** Register `regno` is the size of the memory in the register before it. */
export function checkMemSizeReg(
  env: VerifierEnv,
  regno: number,
  access: Access,
  zeroSizeAllowed: boolean,
  meta: CallMeta,
): number {
  const reg = env.regs[regno];
  const refuse = (text: string): number => {
    env.log.write(`R${regno} ${text}\n`);
    return -ERRNO.EACCES;
  };
  meta.msizeMaxValue = reg.umax;
  if (reg.smin < 0n) return refuse("min value is negative, either use unsigned or 'var &= const'");
  if (reg.umin === 0n && !zeroSizeAllowed) {
    const max = BigInt.asIntN(64, reg.umax);
    return refuse(`invalid zero-sized read: u64=[${reg.umin},${max}]`);
  }
  if (reg.umax >= MAX_VAR_OFF) {
    return refuse("unbounded memory access, use 'var &= const' or 'if (var < const)'");
  }
  // Only memory of a known size can be taken as filled afterwards.
  const filled = reg.varOff.mask === 0n ? meta : undefined;
  const err = checkHelperMemAccess(env, regno - 1, Number(reg.umax), access, zeroSizeAllowed, filled);
  return err !== 0 ? err : markChainPrecision(env, regno);
}

/** Runs `check` while a pointer that may be NULL counts as one that is not. */
function asNotNull(reg: RegState, check: () => number): number {
  if (!mayBeNull(reg.type)) return check();
  const saved = reg.clone();
  markPtrNotNull(reg);
  const err = check();
  reg.copy(saved);
  return err;
}

/** Memory of `size` bytes that a function of the program, or the kernel, may read and write. NULL is fine. */
export function checkMemReg(env: VerifierEnv, reg: RegState, regno: number, size: number): number {
  if (regIsNull(reg)) return 0;
  return asNotNull(
    reg,
    () =>
      checkHelperMemAccess(env, regno, size, 'read', true, undefined) ||
      checkHelperMemAccess(env, regno, size, 'write', true, undefined),
  );
}

/** The same for a kernel function with a size argument in register `regno`, the memory being in the one before. */
export function checkKfuncMemSizeReg(env: VerifierEnv, regno: number): number {
  const meta = new CallMeta();
  return asNotNull(
    env.regs[regno - 1],
    () => checkMemSizeReg(env, regno, 'read', true, meta) || checkMemSizeReg(env, regno, 'write', true, meta),
  );
}
