// Accesses to the context, to sockets, flow keys and buffers. Rule: verifier.c, 6.18.
import { ERRNO } from '../../errno.ts';
import { programType } from '../program-types/index.ts';
import { layoutOf } from '../program-types/layout.ts';
import { type Access, AccessInfo } from '../program-types/program-type.ts';
import { socketPointerAccess } from '../program-types/socket-access.ts';
import type { VerifierEnv } from './env.ts';
import { negativeMinimum } from './mem-region.ts';
import { findReference } from './references.ts';
import { regTypeStr } from './reg-names.ts';
import { tnumStr } from './tnum.ts';
import { baseType, FLAG, REG, type RegState } from './types.ts';

/** Asks the program type, and notes what the rewriting of the access needs to know. */
export function checkCtxAccess(
  env: VerifierEnv,
  insnIdx: number,
  off: number,
  size: number,
  access: Access,
  info: AccessInfo,
): number {
  if (programType(env.progType).isValidAccess(env, off, size, access, info)) {
    if (baseType(info.regType) === REG.BTF_ID) {
      if (info.refObjId !== 0 && !findReference(env.state, info.refObjId)) {
        env.log.write(`invalid bpf_context access off=${off}. Reference may already be released\n`);
        return -ERRNO.EACCES;
      }
    } else {
      env.aux[insnIdx].ctxFieldSize = info.ctxFieldSize;
    }
    if (env.maxCtxOffset < off + size) env.maxCtxOffset = off + size;
    return 0;
  }
  env.log.write(`invalid bpf_context access off=${off} size=${size}\n`);
  return -ERRNO.EACCES;
}

export function checkFlowKeysAccess(env: VerifierEnv, off: number, size: number): number {
  if (size >= 0 && off >= 0 && off + size <= layoutOf(env.image, 'bpf_flow_keys').size) return 0;
  env.log.write(`invalid access to flow keys off=${off} size=${size}\n`);
  return -ERRNO.EACCES;
}

/** Access to one of the socket structures that hide the kernel's own. */
export function checkSockAccess(
  env: VerifierEnv,
  insnIdx: number,
  regno: number,
  off: number,
  size: number,
  access: Access,
): number {
  const reg = env.regs[regno];
  if (reg.smin < 0n) return negativeMinimum(env, regno);
  const info = new AccessInfo(false);
  if (socketPointerAccess(reg.type, env, off, size, access, info)) {
    env.aux[insnIdx].ctxFieldSize = info.ctxFieldSize;
    return 0;
  }
  env.log.write(`R${regno} invalid ${regTypeStr(reg.type)} access off=${off} size=${size}\n`);
  return -ERRNO.EACCES;
}

function checkBufferOffset(
  env: VerifierEnv,
  name: string,
  reg: RegState,
  regno: number,
  off: number,
  size: number,
): number {
  if (off < 0) {
    env.log.write(`R${regno} invalid ${name} buffer access: off=${off}, size=${size}\n`);
    return -ERRNO.EACCES;
  }
  if (reg.varOff.mask !== 0n || reg.varOff.value !== 0n) {
    env.log.write(`R${regno} invalid variable buffer offset: off=${off}, var_off=${tnumStr(reg.varOff)}\n`);
    return -ERRNO.EACCES;
  }
  return 0;
}

/** The buffer of a writable raw tracepoint: its size is only known where the program attaches. */
export function checkTpBufferAccess(env: VerifierEnv, reg: RegState, regno: number, off: number, size: number): number {
  const err = checkBufferOffset(env, 'tracepoint', reg, regno, off, size);
  if (err === 0 && off + size > env.maxTpAccess) env.maxTpAccess = off + size;
  return err;
}

/** Key or value buffer of a map iterator: the same, apart for buffers that may be written and others. */
export function checkBufferAccess(env: VerifierEnv, reg: RegState, regno: number, off: number, size: number): number {
  const rdonly = (reg.type & FLAG.RDONLY) !== 0;
  const err = checkBufferOffset(env, rdonly ? 'rdonly' : 'rdwr', reg, regno, off, size);
  if (err !== 0) return err;
  if (rdonly) env.maxRdonlyAccess = Math.max(env.maxRdonlyAccess, off + size);
  else env.maxRdwrAccess = Math.max(env.maxRdwrAccess, off + size);
  return 0;
}
