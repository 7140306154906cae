// Programs that make system calls.
import type { ProgramType } from './program-type.ts';
import { TRACING_HELPERS } from './tracing.ts';

const MAX_CONTEXT = 0xffff;

export const syscall: ProgramType = {
  name: 'syscall',
  /** Rule: syscall_prog_func_proto. */
  helpers: [
    { needs: 'perfmon', plain: ['sys_bpf'] },
    { plain: ['btf_find_by_name_kind', 'sys_close', 'kallsyms_lookup_name'] },
    ...TRACING_HELPERS,
  ],
  isValidAccess: (_view, off, size) => off >= 0 && off < MAX_CONTEXT && off % size === 0,
  convertsContext: false,
  packet: 'none',
  kfuncHook: 'syscall',
};
