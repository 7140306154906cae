// BPF_PROG_LOAD: what is checked of the attributes before the verifier sees the program, in Linux's order.
import { SysError } from '../../errno.ts';
import { ATTACH_TYPE, type AttachTypeName, PROG_TYPE, type ProgTypeName } from '../../isa/uapi.ts';
import type { ProgLoadAttr } from '../../syscall.ts';
import type { Capabilities } from '../objects.ts';

/** All prog_flags of 6.18. */
const KNOWN_FLAGS = 0x100ff;
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

/** Program types of the kernel image that cannot be loaded because they are configured out, by option. */
const OPTION: Readonly<Record<number, string>> = { [PROG_TYPE.lirc_mode2]: 'CONFIG_BPF_LIRC_MODE2' };

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

/** Throws SysError for the first thing wrong. `hasAttachBtf`: attach_btf_id leads into the kernel's BTF. */
export function checkProgAttr(
  attr: ProgLoadAttr,
  caps: Capabilities,
  unprivilegedDisabled: boolean,
  config: (option: string) => string | undefined,
): void {
  if ((attr.flags ?? 0) & ~KNOWN_FLAGS) throw new SysError('EINVAL');
  if (unprivilegedDisabled && !caps.bpf) throw new SysError('EPERM');
  const count = attr.insns.length / 8;
  if (count < 1 || count > (caps.bpf ? MAX_INSNS : MAX_INSNS_UNPRIVILEGED)) throw new SysError('E2BIG');
  const { type } = attr;
  if (!UNPRIVILEGED.has(type) && !caps.bpf) throw new SysError('EPERM');
  if (NET_ADMIN.has(type) && !caps.netAdmin) throw new SysError('EPERM');
  if (PERFMON.has(type) && !caps.perfmon) throw new SysError('EPERM');
  if (attr.attachBtfId && !BTF_ATTACHED.has(type)) throw new SysError('EINVAL');
  const allowed = ALLOWED[type];
  if (allowed && !allowed.has(attachTypeOf(attr))) throw new SysError('EINVAL');
  const option = OPTION[type];
  if (type === 0 || !(type in NAMES) || (option && config(option) !== 'y')) throw new SysError('EINVAL');
}

const NAMES = Object.fromEntries(Object.entries(PROG_TYPE).map(([name, n]) => [n, name]));
