// What iterator programs are called with, by the kernel's object that is iterated over. Rule: the bpf_iter_reg of each
// target, 6.18.
import { BTF_KIND, type Btf } from '../../btf/btf.ts';
import type { CtxArgInfo } from './env.ts';
import { BASE_TYPE_MASK, FLAG, REG } from './types.ts';

const OR_NULL = REG.BTF_ID | FLAG.MAYBE_NULL;
const TRUSTED_OR_NULL = OR_NULL | FLAG.TRUSTED;
const BUFFER = REG.BUF | FLAG.MAYBE_NULL;
const READ_ONLY_BUFFER = BUFFER | FLAG.RDONLY;

/** Members of `struct bpf_iter__TARGET` that are typed pointers, and their register type. */
const TARGETS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  bpf_link: { link: OR_NULL },
  bpf_map: { map: TRUSTED_OR_NULL },
  bpf_map_elem: { key: READ_ONLY_BUFFER, value: BUFFER },
  bpf_prog: { prog: OR_NULL },
  bpf_sk_storage_map: { sk: OR_NULL, value: BUFFER },
  cgroup: { cgroup: TRUSTED_OR_NULL },
  dmabuf: { dmabuf: OR_NULL },
  ipv6_route: { rt: OR_NULL },
  kmem_cache: { s: TRUSTED_OR_NULL },
  ksym: { ksym: OR_NULL },
  netlink: { sk: OR_NULL },
  sockmap: { key: READ_ONLY_BUFFER, sk: OR_NULL },
  task: { task: TRUSTED_OR_NULL },
  task_file: { task: OR_NULL, file: OR_NULL },
  task_vma: { task: OR_NULL, vma: OR_NULL },
  tcp: { sk_common: TRUSTED_OR_NULL },
  udp: { udp_sk: TRUSTED_OR_NULL },
  unix: { unix_sk: OR_NULL },
};

/** Type of a member, looked for in unnamed members as well; 0 without one. */
function memberType(btf: Btf, struct: number, name: string): number {
  for (let i = 0; i < btf.vlen(struct); i++) {
    const type = btf.memberType(struct, i);
    if (btf.memberName(struct, i) === name) return type;
    if (btf.memberName(struct, i) !== '') continue;
    const inner = memberType(btf, btf.skipModsAndTypedefs(type), name);
    if (inner !== 0) return inner;
  }
  return 0;
}

/** Typed arguments of programs that iterate over `target`; undefined where there is no such iterator. */
export function iterArguments(btf: Btf, target: string): CtxArgInfo[] | undefined {
  if (!Object.hasOwn(TARGETS, target)) return undefined;
  const name = `bpf_iter__${target}`;
  const struct = btf.find(name, BTF_KIND.STRUCT);
  if (struct === 0) return undefined;
  return Object.entries(TARGETS[target]).map(([member, regType]) => {
    const pointer = btf.skipModsAndTypedefs(memberType(btf, struct, member));
    const typed = (regType & BASE_TYPE_MASK) === REG.BTF_ID && btf.kind(pointer) === BTF_KIND.PTR;
    return {
      offset: btf.offsetOf(name, member),
      regType,
      btf: typed ? btf : undefined,
      btfId: typed ? btf.skipModsAndTypedefs(btf.type(pointer)) : 0,
      refObjId: 0,
      refcounted: false,
    };
  });
}
