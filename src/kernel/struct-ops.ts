// Kernel structs of functions that programs can stand in for. The kernel keeps a stub for each member that can be
// replaced; how stubs are named, and what a struct demands of its values, is all that has to be known here.
// Rule: net/ipv4/bpf_tcp_ca.c, net/bpf/bpf_dummy_struct_ops.c, 6.18.
import { BTF_KIND, type Btf } from '../btf/btf.ts';
import { ERRNO } from '../errno.ts';

/** What a kernel's answer to a registration depends on. */
export interface Registry {
  /** Value of CONFIG_…, undefined where not set. */
  config(name: string): string | undefined;
  /** True where another struct of the type with these bytes in this member is registered. */
  isTaken(member: string, bytes: Uint8Array): boolean;
}

/** A struct that user space has laid out: bytes of a member, and whether a program stands in for one. */
export interface OpsValue {
  bytes(member: string): Uint8Array;
  has(member: string): boolean;
}

export interface StructOps {
  /** Names that the stub of a member may have. */
  stubs(member: string): readonly string[];
  /** Members whose programs may sleep; all may where it is left out. */
  readonly sleepable?: ReadonlySet<string>;
  /** Looks at a member: an errno, 0 where it is taken as it is, undefined where the common rules judge it. */
  takes(member: string, bytes: Uint8Array): number | undefined;
  /** Looks at the whole; an errno or 0. */
  validate(value: OpsValue): number;
  /** Puts it to use; an errno or 0. */
  register(value: OpsValue, registry: Registry): number;
}

/** TCP_CONG_MASK */
const CONGESTION_FLAGS = 0x1f;
const NAME = /^[A-Za-z0-9_.]+$/;

/** Algorithms of congestion control that a kernel has by its build options. */
const ALGORITHMS: Readonly<Record<string, string>> = {
  CONFIG_INET: 'reno',
  CONFIG_TCP_CONG_BIC: 'bic',
  CONFIG_TCP_CONG_CUBIC: 'cubic',
  CONFIG_TCP_CONG_WESTWOOD: 'westwood',
  CONFIG_TCP_CONG_HTCP: 'htcp',
  CONFIG_TCP_CONG_HSTCP: 'highspeed',
  CONFIG_TCP_CONG_HYBLA: 'hybla',
  CONFIG_TCP_CONG_VEGAS: 'vegas',
  CONFIG_TCP_CONG_NV: 'nv',
  CONFIG_TCP_CONG_SCALABLE: 'scalable',
  CONFIG_TCP_CONG_LP: 'lp',
  CONFIG_TCP_CONG_VENO: 'veno',
  CONFIG_TCP_CONG_YEAH: 'yeah',
  CONFIG_TCP_CONG_ILLINOIS: 'illinois',
  CONFIG_TCP_CONG_DCTCP: 'dctcp',
  CONFIG_TCP_CONG_CDG: 'cdg',
  CONFIG_TCP_CONG_BBR: 'bbr',
};

/** The text before the first NUL; undefined where there is no NUL. */
function nameIn(bytes: Uint8Array): string | undefined {
  const end = bytes.indexOf(0);
  return end < 0 ? undefined : new TextDecoder('latin1').decode(bytes.subarray(0, end));
}

const u32 = (bytes: Uint8Array): number =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0, true);

const tcpCongestion: StructOps = {
  stubs: (member) => [`__bpf_tcp_ca_${member}`, `bpf_tcp_ca_${member}`],
  takes(member, bytes) {
    if (member === 'flags') return (u32(bytes) & ~CONGESTION_FLAGS) === 0 ? 0 : ERRNO.EINVAL;
    if (member === 'name') return NAME.test(nameIn(bytes) ?? '') ? 0 : ERRNO.EINVAL;
    return undefined;
  },
  validate: ({ has }) =>
    has('ssthresh') && has('undo_cwnd') && (has('cong_avoid') || has('cong_control')) ? 0 : ERRNO.EINVAL,
  register({ bytes }, registry) {
    const name = nameIn(bytes('name')) ?? '';
    const builtIn = Object.entries(ALGORITHMS).some(([option, own]) => own === name && registry.config(option) === 'y');
    return builtIn || registry.isTaken('name', bytes('name')) ? ERRNO.EEXIST : 0;
  },
};

/** Exists for tests of programs; values of it are never taken. */
const dummy: StructOps = {
  stubs: (member) => [`bpf_dummy_ops__${member}`, `bpf_dummy_${member}`],
  sleepable: new Set(['test_sleepable']),
  takes: () => ERRNO.EOPNOTSUPP,
  validate: () => 0,
  register: () => ERRNO.EOPNOTSUPP,
};

const STRUCT_OPS: Readonly<Record<string, StructOps>> = {
  tcp_congestion_ops: tcpCongestion,
  bpf_dummy_ops: dummy,
};
const VALUE_PREFIX = 'bpf_struct_ops_';

/** What is known of a type of the kernel's BTF; undefined where programs cannot stand in for it. */
export function structOpsOf(btf: Btf, id: number): StructOps | undefined {
  const name = id < btf.count && btf.kind(id) === BTF_KIND.STRUCT ? btf.name(id) : '';
  if (!Object.hasOwn(STRUCT_OPS, name) || btf.find(VALUE_PREFIX + name, BTF_KIND.STRUCT) === 0) return undefined;
  return STRUCT_OPS[name];
}

/** A value of a map: the struct, where it begins in the value, and what is known of it. */
export interface StructOpsValue {
  readonly ops: StructOps;
  readonly struct: number;
  /** Bytes before the struct. */
  readonly offset: number;
  readonly size: number;
}

/** The value type of struct_ops maps with this number; undefined where it is none. rule: bpf_struct_ops_find_value */
export function structOpsValue(btf: Btf, id: number): StructOpsValue | undefined {
  if (id >= btf.count || btf.kind(id) !== BTF_KIND.STRUCT || !btf.name(id).startsWith(VALUE_PREFIX)) return undefined;
  const struct = btf.find(btf.name(id).slice(VALUE_PREFIX.length), BTF_KIND.STRUCT);
  const ops = struct === 0 ? undefined : structOpsOf(btf, struct);
  if (ops === undefined || btf.find(btf.name(id), BTF_KIND.STRUCT) !== id) return undefined;
  for (let i = 0; i < btf.vlen(id); i++) {
    if (btf.memberType(id, i) === struct)
      return { ops, struct, offset: btf.memberBitOffset(id, i) / 8, size: btf.size(id) };
  }
  return undefined;
}

/** The FUNC_PROTO that a member's pointer leads to; 0 where it is no pointer to a function. */
export function functionPointer(btf: Btf, type: number): number {
  const pointer = btf.skipModsAndTypedefs(type);
  if (btf.kind(pointer) !== BTF_KIND.PTR) return 0;
  const proto = btf.skipModsAndTypedefs(btf.type(pointer));
  return btf.kind(proto) === BTF_KIND.FUNC_PROTO ? proto : 0;
}
