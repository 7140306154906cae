// Tracepoints with the record that ftrace would write.
import { TRACING_BASE_HELPERS } from './base-helpers.ts';
import type { HelperSet, ProgramType } from './program-type.ts';

/** Bytes of the longest record (PERF_MAX_TRACE_SIZE). */
const MAX_RECORD = 8192;
/** The pointer to pt_regs that stands before the record. */
const HIDDEN_HEAD = 8;

/** Rule: tp_prog_func_proto. */
const HELPERS: HelperSet = [
  {
    variants: {
      perf_event_output: 'perf_event_output_tp',
      get_stackid: 'get_stackid_tp',
      get_stack: 'get_stack_tp',
      get_attach_cookie: 'get_attach_cookie_trace',
    },
  },
  ...TRACING_BASE_HELPERS,
];

export const tracepoint: ProgramType = {
  name: 'tracepoint',
  helpers: HELPERS,
  /** Rule: tp_prog_is_valid_access, which as an unsigned comparison lets offsets below the context pass. */
  isValidAccess: (_view, off, size, access) =>
    access === 'read' && (off < 0 || off >= HIDDEN_HEAD) && off < MAX_RECORD && off % size === 0,
  convertsContext: false,
  packet: 'none',
  kfuncHook: 'tracing',
};
