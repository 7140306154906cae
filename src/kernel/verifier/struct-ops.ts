// Programs that stand in for functions of a kernel structure: which members there are, and what their arguments are.
// Rule: check_struct_ops_btf_id, verifier.c; prepare_arg_info, bpf_struct_ops.c, 6.18.
import { BTF_KIND, type Btf } from '../../btf/btf.ts';
import { ERRNO } from '../../errno.ts';
import { functionPointer, type StructOps, structOpsOf } from '../struct-ops.ts';
import type { CtxArgInfo, VerifierEnv } from './env.ts';
import { FLAG, REG } from './types.ts';

function findStub(btf: Btf, ops: StructOps, member: string, proto: number): number {
  for (const name of ops.stubs(member)) {
    const func = btf.find(name, BTF_KIND.FUNC);
    if (func !== 0 && btf.vlen(btf.type(func)) === btf.vlen(proto)) return btf.type(func);
  }
  return 0;
}

/** Arguments whose name in the stub says that they may be NULL or come with a reference. */
function taggedArguments(btf: Btf, proto: number, stub: number): CtxArgInfo[] {
  const out: CtxArgInfo[] = [];
  let offset = 0;
  for (let i = 0; i < btf.vlen(stub); i++) {
    const name = btf.paramName(stub, i);
    const refcounted = name.endsWith('__ref');
    if (refcounted || name.endsWith('__nullable')) {
      const pointer = btf.skipModsAndTypedefs(btf.paramType(proto, i));
      const regType = REG.BTF_ID | FLAG.TRUSTED | (refcounted ? 0 : FLAG.MAYBE_NULL);
      const btfId = btf.skipModsAndTypedefs(btf.type(pointer));
      out.push({ offset, regType, btf, btfId, refObjId: 0, refcounted });
    }
    offset += (Math.max(btf.resolveSize(btf.paramType(proto, i)), 1) + 7) & ~7;
  }
  return out;
}

/** Fills env.attach for the member that expected_attach_type numbers. 0 or a negative errno. */
export function checkStructOps(env: VerifierEnv): number {
  const { log, attach, expectedAttachType: index } = env;
  const { btf, btfId } = attach;
  if (!env.request.gplCompatible) {
    log.write('struct ops programs must have a GPL compatible license\n');
    return -ERRNO.EINVAL;
  }
  if (btfId === 0 || btf === undefined) return -ERRNO.ENOTSUPP;
  const ops = structOpsOf(btf, btfId);
  if (ops === undefined) {
    log.write(`attach_btf_id ${btfId} is not a supported struct\n`);
    return -ERRNO.ENOTSUPP;
  }
  const struct = btf.name(btfId);
  if (index >= btf.vlen(btfId)) {
    log.write(`attach to invalid member idx ${index} of struct ${struct}\n`);
    return -ERRNO.EINVAL;
  }
  const member = btf.memberName(btfId, index);
  const proto = functionPointer(btf, btf.memberType(btfId, index));
  if (proto === 0) {
    log.write(`attach to invalid member ${member}(@idx ${index}) of struct ${struct}\n`);
    return -ERRNO.EINVAL;
  }
  const stub = findStub(btf, ops, member, proto);
  const asleep = env.sleepable && ops.sleepable !== undefined && !ops.sleepable.has(member);
  if (stub === 0 || asleep) {
    log.write(`attach to unsupported member ${member} of struct ${struct}\n`);
    return stub === 0 ? -ERRNO.ENOTSUPP : -ERRNO.EINVAL;
  }
  attach.ctxArgs = taggedArguments(btf, proto, stub);
  if (attach.ctxArgs.some((arg) => arg.refcounted) && env.subprogs.some((s) => s.hasTailCall)) {
    log.write('program with __ref argument cannot tail call\n');
    return -ERRNO.EINVAL;
  }
  attach.structOps = struct;
  attach.memberOffset = btf.memberBitOffset(btfId, index) / 8;
  attach.funcProto = proto;
  attach.funcName = member;
  return 0;
}
