// Kernel settings that a cgroup's tasks read and write.
import { type ContextRules, judge } from './access-rules.ts';
import { BASE_HELPERS, CGROUP_COMMON } from './base-helpers.ts';
import type { ProgramType } from './program-type.ts';

/** Rule: sysctl_is_valid_access. */
const CONTEXT: ContextRules = {
  struct: 'bpf_sysctl',
  rules: [
    { field: 'write', read: 'narrow4', write: 'no' },
    { field: 'file_pos', read: 'narrow4', write: 4 },
  ],
  otherwise: { read: 'no', write: 'no' },
};

export const cgroupSysctl: ProgramType = {
  name: 'cgroup_sysctl',
  /** Rule: sysctl_func_proto. */
  helpers: [
    CGROUP_COMMON,
    {
      plain: [
        'sysctl_get_name',
        'sysctl_get_current_value',
        'sysctl_get_new_value',
        'sysctl_set_new_value',
        'ktime_get_coarse_ns',
      ],
      variants: { perf_event_output: 'event_output_data' },
    },
    ...BASE_HELPERS,
  ],
  isValidAccess: (view, off, size, access, info) => judge(CONTEXT, view, off, size, access, info),
  convertsContext: true,
  packet: 'none',
  kfuncHook: 'cgroup',
  returnRange: () => ({ min: 0, max: 1 }),
};
