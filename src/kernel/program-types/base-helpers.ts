// Layers of helper functions that several program types share.
import { ATTACH_TYPE, PROG_TYPE } from '../../isa/uapi.ts';
import type { HelperLayer, HelperSet, ProgramView } from './program-type.ts';

/** True of types whose programs may run again while they run (rule: bpf_prog_check_recur). */
export function checksRecursion(view: ProgramView): boolean {
  switch (view.progType) {
    case PROG_TYPE.tracing:
      return view.expectedAttachType !== ATTACH_TYPE.trace_iter;
    case PROG_TYPE.struct_ops:
    case PROG_TYPE.lsm:
    case PROG_TYPE.syscall:
      return false;
    default:
      return true;
  }
}

/** Helpers of every type, by what the loader must be capable of (rule: bpf_base_func_proto). */
export const BASE_HELPERS: HelperSet = [
  {
    plain: [
      'map_lookup_elem',
      'map_update_elem',
      'map_delete_elem',
      'map_push_elem',
      'map_pop_elem',
      'map_peek_elem',
      'map_lookup_percpu_elem',
      'get_prandom_u32',
      'get_numa_node_id',
      'tail_call',
      'ktime_get_ns',
      'ktime_get_boot_ns',
      'ktime_get_tai_ns',
      'ringbuf_output',
      'ringbuf_reserve',
      'ringbuf_submit',
      'ringbuf_discard',
      'ringbuf_query',
      'strncmp',
      'strtol',
      'strtoul',
      'get_current_pid_tgid',
      'get_ns_current_pid_tgid',
      'get_current_uid_gid',
    ],
    variants: { get_smp_processor_id: 'get_raw_smp_processor_id' },
  },
  {
    needs: 'bpf',
    plain: [
      'spin_lock',
      'spin_unlock',
      'jiffies64',
      'per_cpu_ptr',
      'this_cpu_ptr',
      'timer_init',
      'timer_set_callback',
      'timer_start',
      'timer_cancel',
      'kptr_xchg',
      'for_each_map_elem',
      'loop',
      'user_ringbuf_drain',
      'ringbuf_reserve_dynptr',
      'ringbuf_submit_dynptr',
      'ringbuf_discard_dynptr',
      'dynptr_from_mem',
      'dynptr_read',
      'dynptr_write',
      'dynptr_data',
      'cgrp_storage_get',
      'cgrp_storage_delete',
      'get_current_cgroup_id',
      'get_current_ancestor_cgroup_id',
      'current_task_under_cgroup',
    ],
    variants: {
      get_cgroup_classid: 'get_cgroup_classid_curr',
      task_storage_get: (view) => (checksRecursion(view) ? 'task_storage_get_recur' : 'task_storage_get'),
      task_storage_delete: (view) => (checksRecursion(view) ? 'task_storage_delete_recur' : 'task_storage_delete'),
    },
  },
  {
    needs: 'perfmon',
    plain: [
      'trace_printk',
      'get_current_task',
      'get_current_task_btf',
      'get_current_comm',
      'probe_read_user',
      'probe_read_kernel',
      'probe_read_user_str',
      'probe_read_kernel_str',
      'copy_from_user',
      'copy_from_user_task',
      'snprintf_btf',
      'snprintf',
      'task_pt_regs',
      'trace_vprintk',
      'perf_event_read_value',
      'perf_event_read',
      'send_signal',
      'send_signal_thread',
      'get_branch_snapshot',
      'find_vma',
    ],
    variants: { get_task_stack: (view) => (view.sleepable ? 'get_task_stack_sleepable' : 'get_task_stack') },
  },
];

/** Casts of socket pointers. */
export const SOCKET_CASTS = [
  'skc_to_tcp6_sock',
  'skc_to_tcp_sock',
  'skc_to_tcp_timewait_sock',
  'skc_to_tcp_request_sock',
  'skc_to_udp6_sock',
  'skc_to_unix_sock',
  'skc_to_mptcp_sock',
] as const;

/** Networking types (rule: bpf_sk_base_func_proto). */
export const SK_BASE_HELPERS: HelperSet = [
  { needs: 'perfmon', plain: SOCKET_CASTS },
  { plain: ['ktime_get_coarse_ns'] },
  ...BASE_HELPERS,
];

/** Tracing types (rule: bpf_tracing_func_proto). */
export const TRACING_BASE_HELPERS: HelperSet = [
  {
    plain: ['get_smp_processor_id'],
    variants: {
      probe_read: 'probe_read_compat',
      probe_read_str: 'probe_read_compat_str',
      get_func_ip: 'get_func_ip_tracing',
    },
  },
  ...BASE_HELPERS,
  { needs: 'sysAdmin', when: (view) => !isLockedDown(view), plain: ['probe_write_user'] },
];

/** A kernel locked down from its start lets nobody write user memory (rule: security_locked_down). */
function isLockedDown(view: ProgramView): boolean {
  const forced = ['INTEGRITY', 'CONFIDENTIALITY'];
  return forced.some((level) => view.image.config(`CONFIG_LOCK_DOWN_KERNEL_FORCE_${level}`) === 'y');
}

const A = ATTACH_TYPE;

/** Attach points where a program changes the address that a socket call gives, and cannot refuse the call. */
export const ADDRESS_ANSWERS = [
  A.cgroup_udp4_recvmsg,
  A.cgroup_udp6_recvmsg,
  A.cgroup_unix_recvmsg,
  A.cgroup_inet4_getpeername,
  A.cgroup_inet6_getpeername,
  A.cgroup_unix_getpeername,
  A.cgroup_inet4_getsockname,
  A.cgroup_inet6_getsockname,
  A.cgroup_unix_getsockname,
] as const;

/** Attach points where a program cannot see or set what the hook returns. */
const WITHOUT_RETVAL: ReadonlySet<number> = new Set([
  A.cgroup_inet_ingress,
  A.cgroup_inet_egress,
  A.cgroup_sock_ops,
  ...ADDRESS_ANSWERS,
]);

/** Types that attach to cgroups (rule: cgroup_common_func_proto). */
export const CGROUP_COMMON: HelperLayer = {
  plain: ['get_local_storage'],
  variants: {
    get_retval: (view) => (WITHOUT_RETVAL.has(view.expectedAttachType) ? undefined : 'get_retval'),
    set_retval: (view) => (WITHOUT_RETVAL.has(view.expectedAttachType) ? undefined : 'set_retval'),
  },
};
