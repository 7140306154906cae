// BPF_PROG_LOAD: what is checked of the attributes before the verifier sees the program, in Linux's order.
import { type ErrnoName, SysError } from '../../errno.ts';
import { INSN_BYTES } from '../../isa/insn.ts';
import { ATTACH_TYPE, type AttachTypeName, PROG_TYPE, PROG_TYPES, type ProgTypeName } from '../../isa/uapi.ts';
import type { ProgLoadAttr } from '../../syscall.ts';
import type { Capabilities, KBtf } from '../objects.ts';
import { PROG_FLAG } from '../verifier/env.ts';
import { checkDevice, checkToken, objectName } from './attr.ts';

/** All prog_flags of 6.18. */
const KNOWN_FLAGS = Object.values(PROG_FLAG).reduce((all, flag) => all | flag, 0);
/** BTF_MAX_TYPE */
const MAX_TYPE = 0xfffff;
const MAX_INSNS = 1_000_000;
const MAX_INSNS_UNPRIVILEGED = 4096;

const types = (...names: ProgTypeName[]): ReadonlySet<number> => new Set(names.map((n) => PROG_TYPE[n]));

const NET_ADMIN = types(
  'sched_cls',
  'sched_act',
  'xdp',
  'lwt_in',
  'lwt_out',
  'lwt_xmit',
  'lwt_seg6local',
  'sk_skb',
  'sk_msg',
  'flow_dissector',
  'cgroup_device',
  'cgroup_sock',
  'cgroup_sock_addr',
  'cgroup_sockopt',
  'cgroup_sysctl',
  'sock_ops',
  'ext',
  'netfilter',
);
const PERFMON = types(
  'kprobe',
  'tracepoint',
  'perf_event',
  'raw_tracepoint',
  'raw_tracepoint_writable',
  'tracing',
  'lsm',
  'struct_ops',
  'ext',
);
const UNPRIVILEGED = types('socket_filter', 'cgroup_skb');
const BTF_ATTACHED = types('tracing', 'lsm', 'struct_ops', 'ext');

const attachTypes = (...names: AttachTypeName[]): ReadonlySet<number> => new Set(names.map((n) => ATTACH_TYPE[n]));

/** Attach types that a program type allows; any where it has no entry. rule: bpf_prog_load_check_attach, 6.18 */
const ALLOWED: Readonly<Record<number, ReadonlySet<number>>> = {
  [PROG_TYPE.cgroup_sock]: attachTypes(
    'cgroup_inet_sock_create',
    'cgroup_inet_sock_release',
    'cgroup_inet4_post_bind',
    'cgroup_inet6_post_bind',
  ),
  [PROG_TYPE.cgroup_sock_addr]: attachTypes(
    'cgroup_inet4_bind',
    'cgroup_inet6_bind',
    'cgroup_inet4_connect',
    'cgroup_inet6_connect',
    'cgroup_unix_connect',
    'cgroup_inet4_getpeername',
    'cgroup_inet6_getpeername',
    'cgroup_unix_getpeername',
    'cgroup_inet4_getsockname',
    'cgroup_inet6_getsockname',
    'cgroup_unix_getsockname',
    'cgroup_udp4_sendmsg',
    'cgroup_udp6_sendmsg',
    'cgroup_unix_sendmsg',
    'cgroup_udp4_recvmsg',
    'cgroup_udp6_recvmsg',
    'cgroup_unix_recvmsg',
  ),
  [PROG_TYPE.cgroup_skb]: attachTypes('cgroup_inet_ingress', 'cgroup_inet_egress'),
  [PROG_TYPE.cgroup_sockopt]: attachTypes('cgroup_setsockopt', 'cgroup_getsockopt'),
  [PROG_TYPE.sk_lookup]: attachTypes('sk_lookup'),
  [PROG_TYPE.sk_reuseport]: attachTypes('sk_reuseport_select', 'sk_reuseport_select_or_migrate'),
  [PROG_TYPE.netfilter]: attachTypes('netfilter'),
  [PROG_TYPE.syscall]: new Set([0]),
  [PROG_TYPE.ext]: new Set([0]),
};

/** Build option that a program type needs, where the kernel can be built without it. rule: bpf_types.h, 6.18 */
const OPTIONS: Readonly<Record<string, ReadonlySet<number>>> = {
  CONFIG_NET: types(
    'socket_filter',
    'sched_cls',
    'sched_act',
    'xdp',
    'lwt_in',
    'lwt_out',
    'lwt_xmit',
    'lwt_seg6local',
    'sock_ops',
    'sk_skb',
    'sk_msg',
    'flow_dissector',
  ),
  CONFIG_CGROUP_BPF: types(
    'cgroup_skb',
    'cgroup_sock',
    'cgroup_sock_addr',
    'cgroup_device',
    'cgroup_sysctl',
    'cgroup_sockopt',
  ),
  CONFIG_BPF_EVENTS: types(
    'kprobe',
    'tracepoint',
    'perf_event',
    'raw_tracepoint',
    'raw_tracepoint_writable',
    'tracing',
  ),
  CONFIG_BPF_LIRC_MODE2: types('lirc_mode2'),
  CONFIG_INET: types('sk_reuseport', 'sk_lookup'),
  CONFIG_BPF_JIT: types('struct_ops', 'ext'),
  CONFIG_BPF_LSM: types('lsm'),
  CONFIG_NETFILTER_BPF_LINK: types('netfilter'),
};

/** Whether a kernel with these options knows the program type. */
function isKnownType(type: number, config: (option: string) => string | undefined): boolean {
  if (type === PROG_TYPE.unspec || PROG_TYPES[type] === undefined) return false;
  return Object.entries(OPTIONS).every(([option, needing]) => !needing.has(type) || config(option) === 'y');
}

/** Licences that count as compatible with the GPL. rule: license_is_gpl_compatible, 6.18 */
const GPL_LICENSES: ReadonlySet<string> = new Set([
  'GPL',
  'GPL v2',
  'GPL and additional rights',
  'Dual BSD/GPL',
  'Dual MIT/GPL',
  'Dual MPL/GPL',
]);
const LICENSE_CHARS = 127;

export const isGplCompatible = (license: string): boolean => GPL_LICENSES.has(license.slice(0, LICENSE_CHARS));

/** The attach type that Linux puts in where none is given. */
export function attachTypeOf(attr: ProgLoadAttr): number {
  const given = attr.expectedAttachType ?? 0;
  if (given !== 0) return given;
  if (attr.type === PROG_TYPE.cgroup_sock) return ATTACH_TYPE.cgroup_inet_sock_create;
  if (attr.type === PROG_TYPE.sk_reuseport) return ATTACH_TYPE.sk_reuseport_select;
  return 0;
}

/** What a tracing program or the like hooks into: the kernel's BTF, or another program. */
export type AttachTo = { btf: KBtf } | { program: number } | undefined;

/** What the checks ask for. */
export interface ProgSurroundings {
  caps: Capabilities;
  unprivilegedDisabled: boolean;
  config(option: string): string | undefined;
  /** Throws EBADF or EINVAL. */
  progByFd(fd: number): number;
  /** Throws EBADF or EINVAL. */
  btfByFd(fd: number): KBtf;
  vmlinux(): KBtf;
}

const refuse = (errno: ErrnoName): never => {
  throw new SysError(errno);
};

/** The first of two looks that succeeds. */
function attempt<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (e) {
    if (e instanceof SysError) return undefined;
    throw e;
  }
}

function attachTo(attr: ProgLoadAttr, around: ProgSurroundings): AttachTo {
  const fd = attr.attachProgFd || attr.attachBtfObjFd;
  if (!fd) return attr.attachBtfId ? { btf: around.vmlinux() } : undefined;
  const program = attempt(() => around.progByFd(fd));
  if (program !== undefined) return { program };
  const btf = attempt(() => around.btfByFd(fd)) ?? refuse('EINVAL');
  return btf.kernel ? { btf } : refuse('ENOTSUPP');
}

/** rule: bpf_prog_load_check_attach, 6.18 */
function checkAttach(attr: ProgLoadAttr, target: AttachTo): void {
  const { type, attachBtfId = 0 } = attr;
  const program = target !== undefined && 'program' in target;
  const btf = target !== undefined && 'btf' in target;
  if (attachBtfId && (attachBtfId > MAX_TYPE || !target || !BTF_ATTACHED.has(type))) refuse('EINVAL');
  if (btf && !attachBtfId) refuse('EINVAL');
  if (program && type !== PROG_TYPE.tracing && type !== PROG_TYPE.ext) refuse('EINVAL');
  const allowed = ALLOWED[type];
  if (allowed && !allowed.has(attachTypeOf(attr))) refuse('EINVAL');
}

/** A program for a device must be of its kind; there are no devices that could take it. rule: bpf_prog_dev_bound_init */
function checkOffload({ type, flags = 0, ifindex = 0 }: ProgLoadAttr): void {
  const only = (flags & PROG_FLAG.XDP_DEV_BOUND_ONLY) !== 0;
  const frags = (flags & PROG_FLAG.XDP_HAS_FRAGS) !== 0;
  if (type !== PROG_TYPE.sched_cls && type !== PROG_TYPE.xdp) refuse('EINVAL');
  if (flags & ~(PROG_FLAG.XDP_DEV_BOUND_ONLY | PROG_FLAG.XDP_HAS_FRAGS)) refuse('EINVAL');
  if ((frags && !only) || (type === PROG_TYPE.sched_cls && only)) refuse('EINVAL');
  checkDevice(ifindex);
}

/** Checks in Linux's order; throws SysError. Gives what the program is to hook into. rule: bpf_prog_load, 6.18 */
export function checkProgAttr(attr: ProgLoadAttr, around: ProgSurroundings): AttachTo {
  const { caps } = around;
  const { type, flags = 0 } = attr;
  if (flags & ~KNOWN_FLAGS) refuse('EINVAL');
  if (flags & PROG_FLAG.TOKEN_FD) checkToken(attr.tokenFd ?? 0);
  if (around.unprivilegedDisabled && !caps.bpf) refuse('EPERM');
  const count = Math.floor(attr.insns.length / INSN_BYTES);
  if (count === 0 || count > (caps.bpf ? MAX_INSNS : MAX_INSNS_UNPRIVILEGED)) refuse('E2BIG');
  if (!UNPRIVILEGED.has(type) && !caps.bpf) refuse('EPERM');
  if (NET_ADMIN.has(type) && !caps.netAdmin) refuse('EPERM');
  if (PERFMON.has(type) && !caps.perfmon) refuse('EPERM');
  const target = attachTo(attr, around);
  checkAttach(attr, target);
  if (attr.ifindex) checkOffload(attr);
  if (!isKnownType(type, around.config)) refuse('EINVAL');
  objectName(attr.name ?? '');
  return target;
}
