// Loads and stores through pointers to kernel structures and to allocated objects. Rule: check_ptr_to_btf_access and
// check_ptr_to_map_access, verifier.c, 6.18.
import { BTF_KIND, type Btf } from '../../btf/btf.ts';
import { ERRNO } from '../../errno.ts';

import { programType } from '../program-types/index.ts';
import type { Access } from '../program-types/program-type.ts';
import { btfStructAccess, isListedField, WalkResult } from './btf-walk.ts';
import { inRcuCs } from './context-state.ts';
import type { VerifierEnv } from './env.ts';
import { MAP_STRUCTS } from './map-structs.ts';
import { isNonOwningRef, isPtrAllocObj, isRcuReg, isTrustedReg } from './pointer-kinds.ts';
import { markRegKnown, markRegUnknown } from './scalar-marks.ts';
import { tnumStr } from './tnum.ts';
import { FLAG, mayBeNull, REG, RegState } from './types.ts';
import { verifierBug } from './verifier-bug.ts';

/** Flags that say "cannot go away". */
const TRUST = FLAG.ALLOC | FLAG.TRUSTED | FLAG.NON_OWN_REF | FLAG.RCU;

/** A register filled from a structure: a scalar, a pointer to another one, or memory of unknown extent. */
export function markBtfLoadReg(
  env: VerifierEnv,
  reg: RegState,
  regType: number,
  btf: Btf | undefined,
  btfId: number,
  flags: number,
): number {
  switch (regType) {
    case REG.SCALAR:
      markRegUnknown(env, reg);
      return 0;
    case REG.BTF_ID:
      markRegKnown(reg, 0n);
      reg.type = REG.BTF_ID | flags;
      reg.btf = btf;
      reg.btfId = btfId;
      if (mayBeNull(flags)) reg.id = ++env.idGen;
      return 0;
    case REG.MEM:
      markRegKnown(reg, 0n);
      reg.type = REG.MEM | flags;
      reg.memSize = 0;
      return 0;
    default:
      return verifierBug(env, `unexpected reg_type ${regType} in mark_btf_ld_reg\n`);
  }
}

/** What trust a pointer inherits from the structure that it was read from. */
function loadedFlags(env: VerifierEnv, reg: RegState, walked: WalkResult): number {
  const { fieldName, nextId } = walked;
  const btf = reg.btf as Btf;
  const listed = (suffix: string): boolean => isListedField(btf, reg.btfId, suffix, fieldName, nextId);
  let { flags } = walked;
  if ((reg.type & FLAG.UNTRUSTED) !== 0) return FLAG.UNTRUSTED;
  // Without any guarantee on the structure the pointer is read as it is, and its target may be gone.
  if (!isTrustedReg(reg) && !isRcuReg(reg)) return flags & ~TRUST;
  if (listed('__safe_trusted')) return flags | FLAG.TRUSTED;
  if (listed('__safe_trusted_or_null')) return flags | FLAG.TRUSTED | FLAG.MAYBE_NULL;
  if (!inRcuCs(env) || mayBeNull(reg.type)) return FLAG.UNTRUSTED;
  if (listed('__safe_rcu')) return flags | FLAG.RCU;
  const orNull = listed('__safe_rcu_or_null');
  if ((flags & FLAG.RCU) !== 0 || orNull) {
    flags |= FLAG.RCU | FLAG.MAYBE_NULL;
    return orNull ? flags & ~FLAG.UNTRUSTED : flags;
  }
  return (flags & (FLAG.PERCPU | FLAG.USER)) !== 0 ? flags : flags & ~TRUST;
}

/** Loads from, and stores into, the structure behind a BTF pointer; `valueRegno` is -1 for none. */
export function checkPtrToBtfAccess(
  env: VerifierEnv,
  regno: number,
  off: number,
  size: number,
  access: Access,
  valueRegno: number,
): number {
  const reg = env.regs[regno];
  const btf = reg.btf as Btf;
  const kernel = env.image.btf();
  const name = btf.name(reg.btfId);
  const { log } = env;
  const refuse = (text: string, errno: number = ERRNO.EACCES): number => {
    log.write(text);
    return -errno;
  };
  if (!env.allowPtrLeaks) {
    return refuse(`'struct ${name}' access is allowed only to CAP_PERFMON and CAP_SYS_ADMIN\n`, ERRNO.EPERM);
  }
  if (!env.request.gplCompatible && btf === kernel) {
    return refuse(`Cannot access kernel 'struct ${name}' from non-GPL compatible program\n`, ERRNO.EINVAL);
  }
  if (off < 0) return refuse(`R${regno} is ptr_${name} invalid negative access: off=${off}\n`);
  if (reg.varOff.mask !== 0n || reg.varOff.value !== 0n) {
    const varOff = tnumStr(reg.varOff);
    return refuse(`R${regno} is ptr_${name} invalid variable offset: off=${off}, var_off=${varOff}\n`);
  }
  if ((reg.type & FLAG.USER) !== 0) return refuse(`R${regno} is ptr_${name} access user memory: off=${off}\n`);
  if ((reg.type & FLAG.PERCPU) !== 0) return refuse(`R${regno} is ptr_${name} access percpu memory: off=${off}\n`);

  const walked = new WalkResult();
  const allocated = (reg.type & FLAG.ALLOC) !== 0;
  const { structWrite } = programType(env.progType);
  let ret: number;
  if (structWrite && !allocated && access === 'write') {
    if (btf !== kernel) return verifierBug(env, 'reg->btf must be kernel btf');
    ret = structWrite(env, reg, off, size);
  } else {
    if (access === 'write' && !isPtrAllocObj(reg.type)) return refuse('only read is supported\n');
    if (allocated && !isNonOwningRef(reg.type) && !isRcuReg(reg) && reg.refObjId === 0) {
      return verifierBug(env, 'ref_obj_id for allocated object must be non-zero');
    }
    ret = btfStructAccess(log, kernel, reg, off, size, walked);
  }
  if (ret < 0) return ret;
  const flags = ret === REG.BTF_ID ? loadedFlags(env, reg, walked) : walked.flags;
  if (access === 'write' || valueRegno < 0) return 0;
  return markBtfLoadReg(env, env.regs[valueRegno], ret, btf, walked.nextId, flags);
}

/** Loads from a map's own structure, through a pointer to the map. */
export function checkPtrToMapAccess(
  env: VerifierEnv,
  regno: number,
  off: number,
  size: number,
  access: Access,
  valueRegno: number,
): number {
  const { log } = env;
  const type = env.regs[regno].map?.type ?? 0;
  const name = MAP_STRUCTS[type];
  const kernel = env.image.btf();
  const id = name === undefined ? 0 : kernel.find(name, BTF_KIND.STRUCT);
  if (name === undefined || id === 0) {
    log.write(`map_ptr access not supported for map type ${type}\n`);
    return -ERRNO.ENOTSUPP;
  }
  if (!env.allowPtrLeaks) {
    log.write(`'struct ${name}' access is allowed only to CAP_PERFMON and CAP_SYS_ADMIN\n`);
    return -ERRNO.EPERM;
  }
  if (off < 0) {
    log.write(`R${regno} is ${name} invalid negative access: off=${off}\n`);
    return -ERRNO.EACCES;
  }
  if (access === 'write') {
    log.write(`only read from ${name} is supported\n`);
    return -ERRNO.EACCES;
  }
  const asStruct = new RegState();
  markBtfLoadReg(env, asStruct, REG.BTF_ID, kernel, id, 0);
  const walked = new WalkResult();
  const ret = btfStructAccess(log, kernel, asStruct, off, size, walked);
  if (ret < 0 || valueRegno < 0) return Math.min(ret, 0);
  return markBtfLoadReg(env, env.regs[valueRegno], ret, kernel, walked.nextId, walked.flags);
}
