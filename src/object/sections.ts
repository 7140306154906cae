// Section names of programs: the table of libbpf 1.8, which gives each its program type, attach type and load flags.
import { ATTACH_TYPE, type AttachTypeName, PROG_TYPE, type ProgTypeName } from '../isa/uapi.ts';
import { ObjectError } from './errors.ts';
import type { Messages } from './print.ts';

/** May be attached by BPF_PROG_ATTACH: only of interest for listings. */
const ATTACHABLE = 2;
/** The expected attach type is left out on kernels that do not know it. */
const OPTIONAL = 1;
/** The target is a BTF id, looked up by the name behind the slash. */
const BTF = 4;
const SLEEPABLE = 8;
/** XDP that takes multi-buffer packets. */
const FRAGS = 16;
const USDT = 32;

/** Attach types that libbpf 1.8 knows beyond those of Linux 6.18. */
const NEWER_ATTACH_TYPE = {
  trace_fsession: 58,
  trace_fentry_multi: 59,
  trace_fexit_multi: 60,
  trace_fsession_multi: 61,
} as const;

type AttachName = AttachTypeName | keyof typeof NEWER_ATTACH_TYPE | '';

/**
 * Name, program type, expected attach type, flags; the first match in this order counts. A name that ends in '+' is
 * taken alone or with "/…" behind it, any other exactly. Rule: libbpf 1.8.
 */
const TABLE: readonly (readonly [name: string, type: ProgTypeName, attachType: AttachName, flags?: number])[] = [
  ['socket', 'socket_filter', ''],
  ['sk_reuseport/migrate', 'sk_reuseport', 'sk_reuseport_select_or_migrate', ATTACHABLE],
  ['sk_reuseport', 'sk_reuseport', 'sk_reuseport_select', ATTACHABLE],
  ['kprobe+', 'kprobe', ''],
  ['uprobe+', 'kprobe', ''],
  ['uprobe.s+', 'kprobe', '', SLEEPABLE],
  ['kretprobe+', 'kprobe', ''],
  ['uretprobe+', 'kprobe', ''],
  ['uretprobe.s+', 'kprobe', '', SLEEPABLE],
  ['kprobe.multi+', 'kprobe', 'trace_kprobe_multi'],
  ['kretprobe.multi+', 'kprobe', 'trace_kprobe_multi'],
  ['kprobe.session+', 'kprobe', 'trace_kprobe_session'],
  ['uprobe.multi+', 'kprobe', 'trace_uprobe_multi'],
  ['uretprobe.multi+', 'kprobe', 'trace_uprobe_multi'],
  ['uprobe.session+', 'kprobe', 'trace_uprobe_session'],
  ['uprobe.multi.s+', 'kprobe', 'trace_uprobe_multi', SLEEPABLE],
  ['uretprobe.multi.s+', 'kprobe', 'trace_uprobe_multi', SLEEPABLE],
  ['uprobe.session.s+', 'kprobe', 'trace_uprobe_session', SLEEPABLE],
  ['ksyscall+', 'kprobe', ''],
  ['kretsyscall+', 'kprobe', ''],
  ['usdt+', 'kprobe', '', USDT],
  ['usdt.s+', 'kprobe', '', USDT | SLEEPABLE],
  ['tc/ingress', 'sched_cls', 'tcx_ingress'],
  ['tc/egress', 'sched_cls', 'tcx_egress'],
  ['tcx/ingress', 'sched_cls', 'tcx_ingress'],
  ['tcx/egress', 'sched_cls', 'tcx_egress'],
  ['tc', 'sched_cls', ''],
  ['classifier', 'sched_cls', ''],
  ['action', 'sched_act', ''],
  ['netkit/primary', 'sched_cls', 'netkit_primary'],
  ['netkit/peer', 'sched_cls', 'netkit_peer'],
  ['tracepoint+', 'tracepoint', ''],
  ['tp+', 'tracepoint', ''],
  ['tracepoint.s+', 'tracepoint', '', SLEEPABLE],
  ['tp.s+', 'tracepoint', '', SLEEPABLE],
  ['raw_tracepoint+', 'raw_tracepoint', ''],
  ['raw_tp+', 'raw_tracepoint', ''],
  ['raw_tracepoint.s+', 'raw_tracepoint', '', SLEEPABLE],
  ['raw_tp.s+', 'raw_tracepoint', '', SLEEPABLE],
  ['raw_tracepoint.w+', 'raw_tracepoint_writable', ''],
  ['raw_tp.w+', 'raw_tracepoint_writable', ''],
  ['tp_btf+', 'tracing', 'trace_raw_tp', BTF],
  ['tp_btf.s+', 'tracing', 'trace_raw_tp', BTF | SLEEPABLE],
  ['fentry+', 'tracing', 'trace_fentry', BTF],
  ['fmod_ret+', 'tracing', 'modify_return', BTF],
  ['fexit+', 'tracing', 'trace_fexit', BTF],
  ['fentry.s+', 'tracing', 'trace_fentry', BTF | SLEEPABLE],
  ['fmod_ret.s+', 'tracing', 'modify_return', BTF | SLEEPABLE],
  ['fexit.s+', 'tracing', 'trace_fexit', BTF | SLEEPABLE],
  ['fsession+', 'tracing', 'trace_fsession', BTF],
  ['fsession.s+', 'tracing', 'trace_fsession', BTF | SLEEPABLE],
  ['fsession.multi+', 'tracing', 'trace_fsession_multi'],
  ['fsession.multi.s+', 'tracing', 'trace_fsession_multi', SLEEPABLE],
  ['fentry.multi+', 'tracing', 'trace_fentry_multi'],
  ['fexit.multi+', 'tracing', 'trace_fexit_multi'],
  ['fentry.multi.s+', 'tracing', 'trace_fentry_multi', SLEEPABLE],
  ['fexit.multi.s+', 'tracing', 'trace_fexit_multi', SLEEPABLE],
  ['freplace+', 'ext', '', BTF],
  ['lsm+', 'lsm', 'lsm_mac', BTF],
  ['lsm.s+', 'lsm', 'lsm_mac', BTF | SLEEPABLE],
  ['lsm_cgroup+', 'lsm', 'lsm_cgroup', BTF],
  ['iter+', 'tracing', 'trace_iter', BTF],
  ['iter.s+', 'tracing', 'trace_iter', BTF | SLEEPABLE],
  ['syscall', 'syscall', '', SLEEPABLE],
  ['xdp.frags/devmap', 'xdp', 'xdp_devmap', FRAGS],
  ['xdp/devmap', 'xdp', 'xdp_devmap', ATTACHABLE],
  ['xdp.frags/cpumap', 'xdp', 'xdp_cpumap', FRAGS],
  ['xdp/cpumap', 'xdp', 'xdp_cpumap', ATTACHABLE],
  ['xdp.frags', 'xdp', 'xdp', FRAGS],
  ['xdp', 'xdp', 'xdp', ATTACHABLE | OPTIONAL],
  ['perf_event', 'perf_event', ''],
  ['lwt_in', 'lwt_in', ''],
  ['lwt_out', 'lwt_out', ''],
  ['lwt_xmit', 'lwt_xmit', ''],
  ['lwt_seg6local', 'lwt_seg6local', ''],
  ['sockops', 'sock_ops', 'cgroup_sock_ops', ATTACHABLE | OPTIONAL],
  ['sk_skb/stream_parser', 'sk_skb', 'sk_skb_stream_parser', ATTACHABLE | OPTIONAL],
  ['sk_skb/stream_verdict', 'sk_skb', 'sk_skb_stream_verdict', ATTACHABLE | OPTIONAL],
  ['sk_skb/verdict', 'sk_skb', 'sk_skb_verdict', ATTACHABLE | OPTIONAL],
  ['sk_skb', 'sk_skb', ''],
  ['sk_msg', 'sk_msg', 'sk_msg_verdict', ATTACHABLE | OPTIONAL],
  ['lirc_mode2', 'lirc_mode2', 'lirc_mode2', ATTACHABLE | OPTIONAL],
  ['flow_dissector', 'flow_dissector', 'flow_dissector', ATTACHABLE | OPTIONAL],
  ['cgroup_skb/ingress', 'cgroup_skb', 'cgroup_inet_ingress', ATTACHABLE | OPTIONAL],
  ['cgroup_skb/egress', 'cgroup_skb', 'cgroup_inet_egress', ATTACHABLE | OPTIONAL],
  ['cgroup/skb', 'cgroup_skb', ''],
  ['cgroup/sock_create', 'cgroup_sock', 'cgroup_inet_sock_create', ATTACHABLE],
  ['cgroup/sock_release', 'cgroup_sock', 'cgroup_inet_sock_release', ATTACHABLE],
  ['cgroup/sock', 'cgroup_sock', 'cgroup_inet_sock_create', ATTACHABLE | OPTIONAL],
  ['cgroup/post_bind4', 'cgroup_sock', 'cgroup_inet4_post_bind', ATTACHABLE],
  ['cgroup/post_bind6', 'cgroup_sock', 'cgroup_inet6_post_bind', ATTACHABLE],
  ['cgroup/bind4', 'cgroup_sock_addr', 'cgroup_inet4_bind', ATTACHABLE],
  ['cgroup/bind6', 'cgroup_sock_addr', 'cgroup_inet6_bind', ATTACHABLE],
  ['cgroup/connect4', 'cgroup_sock_addr', 'cgroup_inet4_connect', ATTACHABLE],
  ['cgroup/connect6', 'cgroup_sock_addr', 'cgroup_inet6_connect', ATTACHABLE],
  ['cgroup/connect_unix', 'cgroup_sock_addr', 'cgroup_unix_connect', ATTACHABLE],
  ['cgroup/sendmsg4', 'cgroup_sock_addr', 'cgroup_udp4_sendmsg', ATTACHABLE],
  ['cgroup/sendmsg6', 'cgroup_sock_addr', 'cgroup_udp6_sendmsg', ATTACHABLE],
  ['cgroup/sendmsg_unix', 'cgroup_sock_addr', 'cgroup_unix_sendmsg', ATTACHABLE],
  ['cgroup/recvmsg4', 'cgroup_sock_addr', 'cgroup_udp4_recvmsg', ATTACHABLE],
  ['cgroup/recvmsg6', 'cgroup_sock_addr', 'cgroup_udp6_recvmsg', ATTACHABLE],
  ['cgroup/recvmsg_unix', 'cgroup_sock_addr', 'cgroup_unix_recvmsg', ATTACHABLE],
  ['cgroup/getpeername4', 'cgroup_sock_addr', 'cgroup_inet4_getpeername', ATTACHABLE],
  ['cgroup/getpeername6', 'cgroup_sock_addr', 'cgroup_inet6_getpeername', ATTACHABLE],
  ['cgroup/getpeername_unix', 'cgroup_sock_addr', 'cgroup_unix_getpeername', ATTACHABLE],
  ['cgroup/getsockname4', 'cgroup_sock_addr', 'cgroup_inet4_getsockname', ATTACHABLE],
  ['cgroup/getsockname6', 'cgroup_sock_addr', 'cgroup_inet6_getsockname', ATTACHABLE],
  ['cgroup/getsockname_unix', 'cgroup_sock_addr', 'cgroup_unix_getsockname', ATTACHABLE],
  ['cgroup/sysctl', 'cgroup_sysctl', 'cgroup_sysctl', ATTACHABLE],
  ['cgroup/getsockopt', 'cgroup_sockopt', 'cgroup_getsockopt', ATTACHABLE],
  ['cgroup/setsockopt', 'cgroup_sockopt', 'cgroup_setsockopt', ATTACHABLE],
  ['cgroup/dev', 'cgroup_device', 'cgroup_device', ATTACHABLE | OPTIONAL],
  ['struct_ops+', 'struct_ops', ''],
  ['struct_ops.s+', 'struct_ops', '', SLEEPABLE],
  ['sk_lookup', 'sk_lookup', 'sk_lookup', ATTACHABLE],
  ['netfilter', 'netfilter', 'netfilter'],
];

/** What a section name says of the programs in it. */
export interface SectionRule {
  /** As in the table, with a '+' at the end where more may follow. */
  name: string;
  progType: number;
  expectedAttachType: number;
  optionalAttachType: boolean;
  attachable: boolean;
  attachBtf: boolean;
  sleepable: boolean;
  xdpFrags: boolean;
  usdt: boolean;
}

const attachNumber = (name: AttachName): number => {
  if (name === '') return 0;
  return name in NEWER_ATTACH_TYPE
    ? NEWER_ATTACH_TYPE[name as keyof typeof NEWER_ATTACH_TYPE]
    : ATTACH_TYPE[name as AttachTypeName];
};

export const SECTION_RULES: readonly SectionRule[] = TABLE.map(([name, type, attachType, flags = 0]) => ({
  name,
  progType: PROG_TYPE[type],
  expectedAttachType: attachNumber(attachType),
  optionalAttachType: (flags & OPTIONAL) !== 0,
  attachable: (flags & ATTACHABLE) !== 0,
  attachBtf: (flags & BTF) !== 0,
  sleepable: (flags & SLEEPABLE) !== 0,
  xdpFrags: (flags & FRAGS) !== 0,
  usdt: (flags & USDT) !== 0,
}));

function matches(rule: string, section: string): boolean {
  if (!rule.endsWith('+')) return section === rule;
  const stem = rule.slice(0, -1);
  return section === stem || section.startsWith(`${stem}/`);
}

/** The rule for a section name (without a leading '?'); undefined when libbpf does not know it. */
export const findSection = (section: string): SectionRule | undefined =>
  SECTION_RULES.find((rule) => matches(rule.name, section));

/** Program and attach type of a section name, as `libbpf_prog_type_by_name` gives them; throws ObjectError ESRCH. */
export function progTypeByName(section: string, messages: Messages): SectionRule {
  const rule = findSection(section);
  if (rule !== undefined) return rule;
  messages.debug(() => `failed to guess program type from ELF section '${section}'`);
  messages.debug(() => `supported section(type) names are:${SECTION_RULES.map((r) => ` ${r.name}`).join('')}`);
  throw new ObjectError('ESRCH');
}
