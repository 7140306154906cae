// The kernel functions that a program calls: found, given an address and kept in a table before verification begins.
// Rule: add_kfunc_call, verifier.c, 6.18.
import { BTF_KIND } from '../../btf/btf.ts';
import { ERRNO, SysError } from '../../errno.ts';
import { programType } from '../program-types/index.ts';
import type { VerifierEnv } from './env.ts';
import { distillFuncProto, type FuncModel } from './func-proto.ts';
import { specialKfunc } from './special-kfuncs.ts';

const MAX_KFUNCS = 256;

/** `struct bpf_kfunc_desc`. */
export interface KfuncDesc {
  funcId: number;
  /** `off` of the calls: index in fd_array of a module's BTF, 0 for vmlinux. */
  offset: number;
  name: string;
  address: bigint;
  /** Distance of the address from __bpf_call_base: what calls carry once they are rewritten. */
  imm: number;
  model: FuncModel;
}

/** The entry for a call's `imm` and `off`. */
export const findKfuncDesc = (env: VerifierEnv, funcId: number, offset: number): KfuncDesc | undefined =>
  env.kfuncs?.find((desc) => desc.funcId === funcId && desc.offset === offset);

/** No image has modules, so a descriptor in fd_array can only be wrong. Gives a negative errno. */
function moduleBtfError(env: VerifierEnv, offset: number): number {
  const { log, request } = env;
  if (offset < 0) {
    log.write('negative offset disallowed for kernel module function call\n');
    return -ERRNO.EINVAL;
  }
  if (request.fdArray === undefined) {
    log.write('kfunc offset > 0 without fd_array is invalid\n');
    return -ERRNO.EPROTO;
  }
  if (offset >= request.fdArray.length) return -ERRNO.EFAULT;
  try {
    request.btfByFd(request.fdArray[offset]);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    log.write('invalid module BTF fd specified\n');
    return -error.errno;
  }
  log.write('BTF fd for kfunc is not a module BTF\n');
  return -ERRNO.EINVAL;
}

/** Another function may stand in for the one called: for programs that may not write to the packet. */
function specializedName(env: VerifierEnv, name: string): string {
  if (name !== 'bpf_dynptr_from_skb') return name;
  const { packet } = programType(env.progType);
  return packet === 'write' || packet === 'sockopt' ? name : 'bpf_dynptr_from_skb_rdonly';
}

/** Notes the kernel function that a call names. 0 or a negative errno. */
export function addKfuncCall(env: VerifierEnv, funcId: number, offset: number): number {
  const { log, image } = env;
  if (env.kfuncs === undefined) {
    if (!env.request.gplCompatible) {
      log.write('cannot call kernel function from non-GPL compatible program\n');
      return -ERRNO.EINVAL;
    }
    env.kfuncs = [];
  }
  // Such a call is only an error if it is still there once dead code has gone.
  if (funcId === 0 && offset === 0) return 0;
  if (offset !== 0) {
    const err = moduleBtfError(env, offset);
    log.write('failed to find BTF for kernel function\n');
    return err;
  }
  if (findKfuncDesc(env, funcId, offset) !== undefined) return 0;
  if (env.kfuncs.length === MAX_KFUNCS) {
    log.write('too many different kernel function calls\n');
    return -ERRNO.E2BIG;
  }

  const btf = image.btf();
  if (funcId < 0 || funcId >= btf.count || btf.kind(funcId) !== BTF_KIND.FUNC) {
    log.write(`kernel btf_id ${funcId >>> 0} is not a function\n`);
    return -ERRNO.EINVAL;
  }
  const name = btf.name(funcId);
  const proto = btf.type(funcId);
  if (btf.kind(proto) !== BTF_KIND.FUNC_PROTO) {
    log.write(`kernel function btf_id ${funcId} does not have a valid func_proto\n`);
    return -ERRNO.EINVAL;
  }
  if (image.symbolAddress(name) === undefined) {
    log.write(`cannot find address for kernel function ${name}\n`);
    return -ERRNO.EINVAL;
  }
  const special = specialKfunc(image, funcId);
  const address = image.symbolAddress(special === undefined ? name : specializedName(env, special)) ?? 0n;
  const imm = BigInt.asIntN(64, address - (image.symbolAddress('__bpf_call_base') ?? 0n));
  if (imm !== BigInt.asIntN(32, imm)) {
    log.write(`address of kernel function ${name} is out of range\n`);
    return -ERRNO.EINVAL;
  }
  if (special?.startsWith('bpf_xdp_metadata_')) {
    log.write('metadata kfuncs require device-bound program\n');
    return -ERRNO.EINVAL;
  }
  const model = distillFuncProto(log, btf, proto, name);
  if (typeof model === 'number') return model;
  env.kfuncs.push({ funcId, offset, name, address, imm: Number(imm), model });
  env.kfuncs.sort((a, b) => a.funcId - b.funcId || a.offset - b.offset);
  return 0;
}
