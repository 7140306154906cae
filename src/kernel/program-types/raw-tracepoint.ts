// Raw tracepoints: the context is the array of the tracepoint's arguments.
import { REG } from '../verifier/types.ts';
import { TRACING_BASE_HELPERS } from './base-helpers.ts';
import type { Access, HelperSet, ProgramType } from './program-type.ts';

/** Arguments that a traced function may have (MAX_BPF_FUNC_ARGS), 8 bytes each. */
const MAX_ARGS = 12;

/** Rule: raw_tp_prog_func_proto. */
export const RAW_TRACEPOINT_HELPERS: HelperSet = [
  {
    variants: {
      perf_event_output: 'perf_event_output_raw_tp',
      get_stackid: 'get_stackid_raw_tp',
      get_stack: 'get_stack_raw_tp',
      get_attach_cookie: 'get_attach_cookie_tracing',
    },
  },
  ...TRACING_BASE_HELPERS,
];

/** Rule: bpf_tracing_ctx_access. */
export const argumentsAccess = (off: number, size: number, access: Access): boolean =>
  access === 'read' && off >= 0 && off < 8 * MAX_ARGS && off % size === 0;

export const rawTracepoint: ProgramType = {
  name: 'raw_tracepoint',
  helpers: RAW_TRACEPOINT_HELPERS,
  isValidAccess: (_view, off, size, access) => argumentsAccess(off, size, access),
  convertsContext: false,
  packet: 'none',
};

export const rawTracepointWritable: ProgramType = {
  name: 'raw_tracepoint_writable',
  helpers: RAW_TRACEPOINT_HELPERS,
  /** Rule: raw_tp_writable_prog_is_valid_access; the first argument is the buffer that may be written. */
  isValidAccess(_view, off, size, access, info) {
    if (off === 0) {
      if (size !== 8 || access !== 'read') return false;
      info.regType = REG.TP_BUFFER;
    }
    return argumentsAccess(off, size, access);
  },
  convertsContext: false,
  packet: 'none',
};
