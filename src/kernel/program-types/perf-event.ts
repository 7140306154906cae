// Samples of perf events.
import { type ContextRules, judge } from './access-rules.ts';
import { TRACING_BASE_HELPERS } from './base-helpers.ts';
import type { HelperSet, ProgramType } from './program-type.ts';

/** Rule: pe_prog_func_proto. */
const HELPERS: HelperSet = [
  {
    plain: ['perf_prog_read_value', 'read_branch_records'],
    variants: {
      perf_event_output: 'perf_event_output_tp',
      get_stackid: 'get_stackid_pe',
      get_stack: 'get_stack_pe',
      get_attach_cookie: 'get_attach_cookie_pe',
    },
  },
  ...TRACING_BASE_HELPERS,
];

/** Rule: pe_prog_is_valid_access. */
const CONTEXT: ContextRules = {
  struct: 'bpf_perf_event_data',
  rules: [
    { field: 'sample_period', read: 'narrow8', write: 'no' },
    { field: 'addr', read: 'narrow8', write: 'no' },
  ],
  otherwise: { read: 8, write: 'no' },
};

export const perfEvent: ProgramType = {
  name: 'perf_event',
  helpers: HELPERS,
  isValidAccess: (view, off, size, access, info) => judge(CONTEXT, view, off, size, access, info),
  convertsContext: true,
  packet: 'none',
  kfuncHook: 'tracing',
};
