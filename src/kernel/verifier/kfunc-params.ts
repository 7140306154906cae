// How the names and types of a kernel function's parameters say what it wants. Rule: is_kfunc_arg_… and
// get_kfunc_ptr_arg_type, verifier.c, 6.18.
import { BTF_KIND, type Btf } from '../../btf/btf.ts';
import { ERRNO } from '../../errno.ts';
import { KF } from '../kfuncs/index.ts';
import type { VerifierEnv } from './env.ts';
import { kindText } from './func-proto.ts';
import type { KfuncMeta } from './kfunc-meta.ts';
import { isProgCtxType } from './prog-ctx-type.ts';
import { regIsNull } from './scalar-marks.ts';
import { baseType, REG, type RegState } from './types.ts';

/** What a pointer parameter takes (`enum kfunc_ptr_arg_type`). */
export type PointerParam =
  | 'ctx'
  | 'alloc-object'
  | 'refcounted'
  | 'dynptr'
  | 'iter'
  | 'list-head'
  | 'list-node'
  | 'btf'
  | 'mem'
  | 'mem-size'
  | 'callback'
  | 'rb-root'
  | 'rb-node'
  | 'null'
  | 'const-str'
  | 'map'
  | 'wq'
  | 'irq-flag'
  | 'res-spin-lock'
  | 'task-work';

/** Kernel struct that a register type stands for. */
export const REG_STRUCTS: Readonly<Record<number, string>> = {
  [REG.SOCKET]: 'sock',
  [REG.SOCK_COMMON]: 'sock_common',
  [REG.TCP_SOCK]: 'tcp_sock',
  [REG.CONST_MAP_PTR]: 'bpf_map',
};

/** Parameters that are known by the struct that they point to. */
const BY_STRUCT = {
  bpf_dynptr: 'dynptr',
  bpf_list_head: 'list-head',
  bpf_list_node: 'list-node',
  bpf_rb_root: 'rb-root',
  bpf_rb_node: 'rb-node',
  bpf_wq: 'wq',
  bpf_task_work: 'task-work',
  bpf_res_spin_lock: 'res-spin-lock',
} as const satisfies Record<string, PointerParam>;

export const isScalarType = (btf: Btf, id: number): boolean => {
  const kind = btf.kind(id);
  return kind === BTF_KIND.INT || kind === BTF_KIND.ENUM;
};
export const isStructType = (btf: Btf, id: number): boolean =>
  btf.kind(id) === BTF_KIND.STRUCT || btf.kind(id) === BTF_KIND.UNION;

/** Does the parameter's name end so, with something before it? */
export function hasSuffix(btf: Btf, proto: number, index: number, suffix: string): boolean {
  const name = btf.paramName(proto, index);
  return name.length > suffix.length && name.endsWith(suffix);
}

const MAX_NESTING = 3;

/** A struct of nothing but numbers and arrays of them. */
export function isScalarStruct(env: VerifierEnv, btf: Btf, id: number, depth = 0): boolean {
  if (!isStructType(btf, id)) return false;
  for (let i = 0; i < btf.vlen(id); i++) {
    let type = btf.skipModsAndTypedefs(btf.memberType(id, i));
    if (isStructType(btf, type)) {
      if (depth >= MAX_NESTING) {
        env.log.write('max struct nesting depth exceeded\n');
        return false;
      }
      if (!isScalarStruct(env, btf, type, depth + 1)) return false;
      continue;
    }
    if (btf.kind(type) === BTF_KIND.ARRAY) {
      if (btf.arrayLength(type) === 0) return false;
      type = btf.skipModsAndTypedefs(btf.arrayElem(type));
    }
    if (!isScalarType(btf, type)) return false;
  }
  return true;
}

/** The parameter is the size of the memory before it: any, or with `__szk` a constant one. */
export const isSizeParam = (btf: Btf, proto: number, index: number, reg: RegState, suffix: '__sz' | '__szk'): boolean =>
  isScalarType(btf, btf.skipModsAndTypedefs(btf.paramType(proto, index))) &&
  reg.type === REG.SCALAR &&
  hasSuffix(btf, proto, index, suffix);

/** Pointer type of a parameter, and what it leads to, both without modifiers. */
export interface Pointee {
  readonly ptr: number;
  readonly id: number;
}

function byStruct(env: VerifierEnv, btf: Btf, pointee: number): PointerParam | undefined {
  const name = btf.name(pointee);
  if (!Object.hasOwn(BY_STRUCT, name)) return undefined;
  const isKernels = btf === env.image.btf() && btf.find(name, BTF_KIND.STRUCT) === pointee;
  return isKernels ? BY_STRUCT[name as keyof typeof BY_STRUCT] : undefined;
}

/** Memory, alone or with its size after it. A negative errno where the type cannot be memory. */
function memoryParam(env: VerifierEnv, meta: KfuncMeta, index: number, pointee: number): PointerParam | number {
  const { btf, proto, params } = meta.facts;
  const size = env.regs[index + 2];
  const sized =
    index + 1 < params &&
    (isSizeParam(btf, proto, index + 1, size, '__sz') || isSizeParam(btf, proto, index + 1, size, '__szk'));
  const fits = isScalarType(btf, pointee) || isScalarStruct(env, btf, pointee) || (sized && pointee === 0);
  if (fits) return sized ? 'mem-size' : 'mem';
  env.log.write(
    `arg#${index} pointer type ${kindText(btf, pointee)} ${btf.name(pointee)} must point to ${sized ? 'void, ' : ''}scalar, or struct with scalar\n`,
  );
  return -ERRNO.EINVAL;
}

/** What the pointer parameter `index` takes, given what is passed. A negative errno with a message: it cannot be. */
export function pointerParam(
  env: VerifierEnv,
  meta: KfuncMeta,
  index: number,
  { ptr, id }: Pointee,
): PointerParam | number {
  const { btf, proto, special, name } = meta.facts;
  const reg = env.regs[index + 1];
  const suffix = (text: string): boolean => hasSuffix(btf, proto, index, text);
  const struct = byStruct(env, btf, id);
  const isIterCall = meta.has(KF.ITER_NEW | KF.ITER_NEXT | KF.ITER_DESTROY);
  if (special === 'bpf_cast_to_kern_ctx') return 'ctx';
  if (isProgCtxType(env.image, btf, ptr, env.progType)) return 'ctx';
  if (suffix('__nullable') && regIsNull(reg)) return 'null';
  if (suffix('__alloc')) return 'alloc-object';
  if (suffix('__refcounted_kptr')) return 'refcounted';
  if (struct === 'dynptr') return struct;
  if (isIterCall ? index === 0 : suffix('__iter')) return 'iter';
  if (struct === 'list-head' || struct === 'list-node' || struct === 'rb-root' || struct === 'rb-node') return struct;
  if (suffix('__str')) return 'const-str';
  if (suffix('__map')) return 'map';
  if (struct === 'wq' || struct === 'task-work') return struct;
  if (suffix('__irq_flag')) return 'irq-flag';
  if (struct === 'res-spin-lock') return struct;
  if (baseType(reg.type) === REG.BTF_ID || REG_STRUCTS[baseType(reg.type)] !== undefined) {
    if (isStructType(btf, id)) return 'btf';
    env.log.write(
      `kernel function ${name} args#${index} pointer type ${kindText(btf, id)} ${btf.name(id)} is not supported\n`,
    );
    return -ERRNO.EINVAL;
  }
  if (btf.kind(id) === BTF_KIND.FUNC_PROTO) return 'callback';
  return memoryParam(env, meta, index, id);
}
