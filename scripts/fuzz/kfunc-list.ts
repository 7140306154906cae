// The kernel functions that a kind of program may call, with what their parameters ask for.
import { BTF_KIND } from '../../src/btf/kinds.ts';
import { KF, KFUNC_SETS, kfuncFlags } from '../../src/kernel/kfuncs/index.ts';
import { kernelBtf as btf, kernelFunction } from './kernel-functions.ts';
import type { ProgramKind } from './program-kinds.ts';

export type ParamShape =
  | { shape: 'number'; constant: boolean }
  /** Any value will do. */
  | { shape: 'ignored' }
  /** Memory whose size is the next parameter, or is known. */
  | { shape: 'memory'; size: number | 'next'; optional: boolean }
  | { shape: 'size'; constant: boolean }
  | { shape: 'string' }
  | { shape: 'map' }
  | { shape: 'context'; struct: string }
  | { shape: 'dynptr'; fresh: boolean }
  | { shape: 'object'; struct: string; nullable: boolean }
  /** Only actions of their own know how to make these. */
  | { shape: 'special'; struct: string };

export interface Kfunc {
  name: string;
  id: number;
  flags: number;
  params: readonly ParamShape[];
  /** Struct that the returned pointer leads to; 'void' for memory, undefined for numbers. */
  returns: string | undefined;
  returnsVoid: boolean;
}

const CONTEXT_STRUCTS: ReadonlySet<string> = new Set([
  '__sk_buff',
  'xdp_md',
  'bpf_sock_addr_kern',
  'bpf_sock_ops_kern',
  'bpf_nf_ctx',
]);
const SPECIAL: ReadonlySet<string> = new Set([
  'bpf_list_head',
  'bpf_list_node',
  'bpf_rb_root',
  'bpf_rb_node',
  'bpf_wq',
  'bpf_task_work',
  'bpf_res_spin_lock',
]);

function onlyNumbers(id: number, depth = 0): boolean {
  if (depth > 3) return false;
  for (let i = 0; i < btf.vlen(id); i++) {
    let type = btf.skipModsAndTypedefs(btf.memberType(id, i));
    while (btf.kind(type) === BTF_KIND.ARRAY) type = btf.skipModsAndTypedefs(btf.arrayElem(type));
    const kind = btf.kind(type);
    if (kind === BTF_KIND.STRUCT || kind === BTF_KIND.UNION) {
      if (!onlyNumbers(type, depth + 1)) return false;
    } else if (kind !== BTF_KIND.INT && kind !== BTF_KIND.ENUM) return false;
  }
  return btf.vlen(id) > 0;
}

function shapeOf(proto: number, i: number): ParamShape {
  const name = btf.paramName(proto, i);
  const type = btf.skipModsAndTypedefs(btf.paramType(proto, i));
  if (name.endsWith('__ign') || name.endsWith('__prog')) return { shape: 'ignored' };
  if (btf.kind(type) !== BTF_KIND.PTR) {
    if (name.endsWith('__sz')) return { shape: 'size', constant: false };
    if (name.endsWith('__szk')) return { shape: 'size', constant: true };
    return { shape: 'number', constant: name.endsWith('__k') };
  }
  if (name.endsWith('__str')) return { shape: 'string' };
  if (name.endsWith('__map')) return { shape: 'map' };
  if (name.endsWith('__irq_flag')) return { shape: 'special', struct: 'irq_flag' };
  const nullable = name.endsWith('__nullable') || name.endsWith('__opt');
  const target = btf.skipModsAndTypedefs(btf.type(type));
  const kind = btf.kind(target);
  const next = i + 1 < btf.vlen(proto) ? btf.paramName(proto, i + 1) : '';
  if (next.endsWith('__sz') || next.endsWith('__szk')) return { shape: 'memory', size: 'next', optional: nullable };
  if (kind !== BTF_KIND.STRUCT && kind !== BTF_KIND.UNION) {
    const size = target === 0 ? -1 : btf.resolveSize(target);
    return size > 0 ? { shape: 'memory', size, optional: nullable } : { shape: 'special', struct: 'void' };
  }
  const struct = btf.name(target);
  if (struct === 'bpf_dynptr') return { shape: 'dynptr', fresh: name.endsWith('__uninit') };
  if (SPECIAL.has(struct) || struct.startsWith('bpf_iter_')) return { shape: 'special', struct };
  if (CONTEXT_STRUCTS.has(struct)) return { shape: 'context', struct };
  if (onlyNumbers(target)) return { shape: 'memory', size: btf.size(target), optional: nullable };
  return { shape: 'object', struct, nullable };
}

function kfuncOf(name: string, flags: number): Kfunc | undefined {
  const id = kernelFunction(name);
  if (id === 0) return undefined;
  const proto = btf.type(id);
  const result = btf.skipModsAndTypedefs(btf.type(proto));
  const target = btf.kind(result) === BTF_KIND.PTR ? btf.skipModsAndTypedefs(btf.type(result)) : -1;
  return {
    name,
    id,
    flags,
    params: Array.from({ length: btf.vlen(proto) }, (_, i) => shapeOf(proto, i)),
    returns: target < 0 ? undefined : btf.name(target) || 'void',
    returnsVoid: result === 0,
  };
}

const lists = new Map<ProgramKind, readonly Kfunc[]>();

export function kfuncsOf(kind: ProgramKind): readonly Kfunc[] {
  let list = lists.get(kind);
  if (list === undefined) {
    const names = new Set(KFUNC_SETS.flatMap((set) => Object.keys(set.flags)));
    list = [...names].flatMap((name) => {
      const flags = kfuncFlags(kind.view, name);
      const found = flags === undefined ? undefined : kfuncOf(name, flags);
      return found ? [found] : [];
    });
    lists.set(kind, list);
  }
  return list;
}

export const kfuncNamed = (kind: ProgramKind, name: string): Kfunc | undefined =>
  kfuncsOf(kind).find((f) => f.name === name);

export const isPlain = (f: Kfunc): boolean =>
  (f.flags & (KF.ACQUIRE | KF.RELEASE | KF.ITER_NEW | KF.ITER_NEXT | KF.ITER_DESTROY)) === 0;
