// What `feature probe` says, as tables: sysctl sentences, the kernel options it reads, section titles.

/** A numeric file under /proc/sys and the sentence for each of its values; `other` takes the value. */
export interface SysctlText {
  name: string;
  path: string;
  values: Readonly<Record<number, string>>;
  other(value: number): string;
}

export const SYSCTLS: readonly SysctlText[] = [
  {
    name: 'unprivileged_bpf_disabled',
    path: '/proc/sys/kernel/unprivileged_bpf_disabled',
    values: {
      0: 'bpf() syscall for unprivileged users is enabled',
      1: 'bpf() syscall restricted to privileged users (without recovery)',
      2: 'bpf() syscall restricted to privileged users (admin can change)',
      [-1]: 'Unable to retrieve required privileges for bpf() syscall',
    },
    other: (n) => `bpf() syscall restriction has unknown value ${n}`,
  },
  {
    name: 'bpf_jit_enable',
    path: '/proc/sys/net/core/bpf_jit_enable',
    values: {
      0: 'JIT compiler is disabled',
      1: 'JIT compiler is enabled',
      2: 'JIT compiler is enabled with debugging traces in kernel logs',
      [-1]: 'Unable to retrieve JIT-compiler status',
    },
    other: (n) => `JIT-compiler status has unknown value ${n}`,
  },
  {
    name: 'bpf_jit_harden',
    path: '/proc/sys/net/core/bpf_jit_harden',
    values: {
      0: 'JIT compiler hardening is disabled',
      1: 'JIT compiler hardening is enabled for unprivileged users',
      2: 'JIT compiler hardening is enabled for all users',
      [-1]: 'Unable to retrieve JIT hardening status',
    },
    other: (n) => `JIT hardening status has unknown value ${n}`,
  },
  {
    name: 'bpf_jit_kallsyms',
    path: '/proc/sys/net/core/bpf_jit_kallsyms',
    values: {
      0: 'JIT compiler kallsyms exports are disabled',
      1: 'JIT compiler kallsyms exports are enabled for root',
      [-1]: 'Unable to retrieve JIT kallsyms export status',
    },
    other: (n) => `JIT kallsyms exports status has unknown value ${n}`,
  },
  {
    name: 'bpf_jit_limit',
    path: '/proc/sys/net/core/bpf_jit_limit',
    values: { [-1]: 'Unable to retrieve global memory limit for JIT compiler for unprivileged users' },
    other: (n) => `Global memory limit for JIT compiler for unprivileged users is ${n} bytes`,
  },
];

/** Kernel options in the order of the listing; only the last is of use to C macros. */
export const CONFIG_OPTIONS: readonly string[] = (
  'BPF BPF_SYSCALL HAVE_EBPF_JIT BPF_JIT BPF_JIT_ALWAYS_ON DEBUG_INFO_BTF DEBUG_INFO_BTF_MODULES CGROUPS CGROUP_BPF ' +
  'CGROUP_NET_CLASSID SOCK_CGROUP_DATA BPF_EVENTS KPROBE_EVENTS UPROBE_EVENTS TRACING FTRACE_SYSCALLS ' +
  'FUNCTION_ERROR_INJECTION BPF_KPROBE_OVERRIDE NET XDP_SOCKETS LWTUNNEL_BPF NET_ACT_BPF NET_CLS_BPF NET_CLS_ACT ' +
  'NET_SCH_INGRESS XFRM IP_ROUTE_CLASSID IPV6_SEG6_BPF BPF_LIRC_MODE2 BPF_STREAM_PARSER NETFILTER_XT_MATCH_BPF TEST_BPF HZ'
)
  .split(' ')
  .map((name) => `CONFIG_${name}`);

export const MACRO_CONFIG_OPTION = 'CONFIG_HZ';

export const SECTIONS = {
  system_config: ['Scanning system configuration...', '/*** Misc kernel config items ***/'],
  syscall_config: ['Scanning system call availability...', '/*** System call availability ***/'],
  program_types: ['Scanning eBPF program types...', '/*** eBPF program types ***/'],
  map_types: ['Scanning eBPF map types...', '/*** eBPF map types ***/'],
  helpers: ['Scanning eBPF helper functions...', '/*** eBPF helper functions ***/'],
  misc: ['Scanning miscellaneous eBPF features...', '/*** eBPF misc features ***/'],
} as const;

export type SectionName = keyof typeof SECTIONS;

/** The comment that heads the helper macros. */
export const helperMacroComment = (prefix: string): string => `/*
 * Use ${prefix}HAVE_PROG_TYPE_HELPER(prog_type_name, helper_name)
 * to determine if <helper_name> is available for <prog_type_name>,
 * e.g.
 *\t#if ${prefix}HAVE_PROG_TYPE_HELPER(xdp, bpf_redirect)
 *\t\t// do stuff with this helper
 *\t#elif
 *\t\t// use a workaround
 *\t#endif
 */
#define ${prefix}HAVE_PROG_TYPE_HELPER(prog_type, helper)\t\\
\t${prefix}BPF__PROG_TYPE_ ## prog_type ## __HELPER_ ## helper
`;
