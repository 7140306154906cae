// Access of a cgroup's tasks to devices.
import { type ContextRules, judge } from './access-rules.ts';
import { BASE_HELPERS, CGROUP_COMMON } from './base-helpers.ts';
import type { ProgramType } from './program-type.ts';

/** Rule: cgroup_dev_is_valid_access. */
const CONTEXT: ContextRules = {
  struct: 'bpf_cgroup_dev_ctx',
  rules: [{ field: 'access_type', read: 'narrow4', write: 'no' }],
  otherwise: { read: 4, write: 'no' },
};

export const cgroupDevice: ProgramType = {
  name: 'cgroup_device',
  helpers: [CGROUP_COMMON, { variants: { perf_event_output: 'event_output_data' } }, ...BASE_HELPERS],
  isValidAccess: (view, off, size, access, info) => judge(CONTEXT, view, off, size, access, info),
  convertsContext: false,
  packet: 'none',
  kfuncHook: 'cgroup',
  returnRange: () => ({ min: 0, max: 1 }),
};
