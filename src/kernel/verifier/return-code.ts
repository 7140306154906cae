// What a program may return to the kernel. Rule: check_return_code, verifier.c, 6.18.
import { BTF_KIND, type Btf } from '../../btf/btf.ts';
import { ERRNO } from '../../errno.ts';
import { ATTACH_TYPE, PROG_TYPE } from '../../isa/uapi.ts';
import { programType } from '../program-types/index.ts';
import { retvalWithin } from './calls.ts';
import type { VerifierEnv } from './env.ts';
import { checkPtrOffset } from './mem-region.ts';
import { isPointerValue } from './pointer-kinds.ts';
import { markChainPrecision } from './precision.ts';
import { verboseInvalidScalar } from './print-state.ts';
import { checkRegArg } from './reg-access.ts';
import { regTypeStr } from './reg-names.ts';
import { tnumIn, tnumRange } from './tnum.ts';
import { REG, type RetvalRange } from './types.ts';

/** Return values of an egress filter that ask for congestion notification. */
const EGRESS_CN = tnumRange(2n, 3n);

/** Type id that the hook's function returns; 0: void, or no hook. */
function hookReturnType(env: VerifierEnv): number {
  const { btf, funcProto } = env.attach;
  return btf === undefined || funcProto === 0 ? 0 : btf.type(funcProto);
}

/** What a pointer type leads to; -1 where it is no pointer. */
function pointee(btf: Btf, id: number): number {
  const type = btf.skipModsAndTypedefs(id);
  return btf.kind(type) === BTF_KIND.PTR ? btf.skipModsAndTypedefs(btf.type(type)) : -1;
}

const isLsmCgroup = (env: VerifierEnv): boolean =>
  env.progType === PROG_TYPE.lsm && env.expectedAttachType === ATTACH_TYPE.lsm_cgroup;

/** The range for the main function of this program; undefined: anything. */
function mainRange(env: VerifierEnv): RetvalRange | undefined {
  switch (env.progType) {
    case PROG_TYPE.struct_ops: {
      const { btf } = env.attach;
      if (env.state.frame[0].inExceptionCallbackFn || btf === undefined) return undefined;
      return pointee(btf, hookReturnType(env)) >= 0 ? { min: 0, max: 0 } : undefined;
    }
    case PROG_TYPE.lsm:
      if (!isLsmCgroup(env)) return programType(env.progType).returnRange?.(env);
      return hookReturnType(env) === 0 ? { min: 1, max: 1 } : { min: 0, max: 1 };
    default:
      return programType(env.progType).returnRange?.(env);
  }
}

/** A struct_ops member may return a referenced object of the type that its prototype names. */
function returnsHookObject(env: VerifierEnv, regno: number): boolean {
  const reg = env.regs[regno];
  const { btf } = env.attach;
  if (btf === undefined || reg.btf !== btf || reg.refObjId === 0) return false;
  return reg.btfId === pointee(btf, hookReturnType(env));
}

/** Checks the value in `regno` (`name` in messages) at the end of the outermost function. 0 or a negative errno. */
export function checkReturnCode(env: VerifierEnv, regno: number, name: string): number {
  const { log, state } = env;
  const frame = state.frame[0];
  const isSubprog = frame.subprogno !== 0;
  const isMain = !isSubprog || frame.inExceptionCallbackFn;
  if (isMain) {
    const hooked = env.progType === PROG_TYPE.struct_ops || (env.progType === PROG_TYPE.lsm && !isLsmCgroup(env));
    if (hooked && hookReturnType(env) === 0) return 0;
    if (env.progType === PROG_TYPE.struct_ops && !frame.inExceptionCallbackFn && returnsHookObject(env, regno)) {
      return checkPtrOffset(env, env.regs[regno], regno, false);
    }
  }
  let err = checkRegArg(env, regno, 'src');
  if (err !== 0) return err;
  if (isPointerValue(env, regno)) {
    log.write(`R${regno} leaks addr as return value\n`);
    return -ERRNO.EACCES;
  }
  const reg = env.regs[regno];
  if (!frame.inAsyncCallbackFn && !isMain) {
    if (reg.type === REG.SCALAR) return 0;
    log.write(`At subprogram exit the register R${regno} is not a scalar value (${regTypeStr(reg.type)})\n`);
    return -ERRNO.EINVAL;
  }
  const range = frame.inAsyncCallbackFn ? frame.callbackRetRange : mainRange(env);
  if (range === undefined) return 0;
  const context = frame.inAsyncCallbackFn ? 'At async callback return' : 'At program exit';
  if (reg.type !== REG.SCALAR) {
    log.write(`${context} the register R${regno} is not a known value (${regTypeStr(reg.type)})\n`);
    return -ERRNO.EINVAL;
  }
  err = markChainPrecision(env, regno);
  if (err !== 0) return err;
  const low32 = !frame.inAsyncCallbackFn && env.progType === PROG_TYPE.lsm && !isLsmCgroup(env);
  if (!retvalWithin(range, reg, low32)) {
    verboseInvalidScalar(env, reg, range, context, name);
    if (!isSubprog && isLsmCgroup(env) && hookReturnType(env) === 0) {
      log.write("Note, BPF_LSM_CGROUP that attach to void LSM hooks can't modify return value!\n");
    }
    return -ERRNO.EINVAL;
  }
  const egress =
    !frame.inAsyncCallbackFn &&
    env.progType === PROG_TYPE.cgroup_skb &&
    env.expectedAttachType === ATTACH_TYPE.cgroup_inet_egress;
  if (egress && tnumIn(EGRESS_CN, reg.varOff)) env.progFlags.add('enforce_expected_attach_type');
  return 0;
}
