// Programs that stand in for functions of a kernel structure: which structures and members there are. The kernel keeps a
// stub for each member that can be replaced; how stubs are named is all that has to be known here.
// Rule: check_struct_ops_btf_id, verifier.c; prepare_arg_info, bpf_struct_ops.c, 6.18.
import { BTF_KIND, type Btf } from '../../btf/btf.ts';
import { ERRNO } from '../../errno.ts';
import type { CtxArgInfo, VerifierEnv } from './env.ts';
import { FLAG, REG } from './types.ts';

interface StructOps {
  /** Names that the stub of a member may have. */
  stubs(member: string): readonly string[];
  /** Members whose programs may sleep; all may where it is left out. */
  readonly sleepable?: ReadonlySet<string>;
}

const STRUCT_OPS: Readonly<Record<string, StructOps>> = {
  tcp_congestion_ops: { stubs: (member) => [`__bpf_tcp_ca_${member}`, `bpf_tcp_ca_${member}`] },
  bpf_dummy_ops: {
    stubs: (member) => [`bpf_dummy_ops__${member}`, `bpf_dummy_${member}`],
    sleepable: new Set(['test_sleepable']),
  },
};

/** The FUNC_PROTO that a member's pointer leads to; 0 where it is no pointer to a function. */
function functionPointer(btf: Btf, type: number): number {
  const pointer = btf.skipModsAndTypedefs(type);
  if (btf.kind(pointer) !== BTF_KIND.PTR) return 0;
  const proto = btf.skipModsAndTypedefs(btf.type(pointer));
  return btf.kind(proto) === BTF_KIND.FUNC_PROTO ? proto : 0;
}

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
  const struct = btfId < btf.count && btf.kind(btfId) === BTF_KIND.STRUCT ? btf.name(btfId) : '';
  const ops = Object.hasOwn(STRUCT_OPS, struct) ? STRUCT_OPS[struct] : undefined;
  if (ops === undefined || btf.find(`bpf_struct_ops_${struct}`, BTF_KIND.STRUCT) === 0) {
    log.write(`attach_btf_id ${btfId} is not a supported struct\n`);
    return -ERRNO.ENOTSUPP;
  }
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
