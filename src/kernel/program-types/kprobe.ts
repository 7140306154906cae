// Kernel and user probes.
import { ATTACH_TYPE } from '../../isa/uapi.ts';
import { TRACING_BASE_HELPERS } from './base-helpers.ts';
import { layoutOf } from './layout.ts';
import type { HelperSet, ProgramType, ProgramView } from './program-type.ts';

const A = ATTACH_TYPE;
const isKprobeMulti = (view: ProgramView): boolean =>
  view.expectedAttachType === A.trace_kprobe_multi || view.expectedAttachType === A.trace_kprobe_session;
const isUprobeMulti = (view: ProgramView): boolean =>
  view.expectedAttachType === A.trace_uprobe_multi || view.expectedAttachType === A.trace_uprobe_session;

/** Rule: kprobe_prog_func_proto. */
const HELPERS: HelperSet = [
  {
    plain: ['perf_event_output', 'get_stackid'],
    variants: {
      get_stack: (view) => (view.sleepable ? 'get_stack_sleepable' : 'get_stack'),
      get_func_ip: (view) => {
        if (isKprobeMulti(view)) return 'get_func_ip_kprobe_multi';
        return isUprobeMulti(view) ? 'get_func_ip_uprobe_multi' : 'get_func_ip_kprobe';
      },
      get_attach_cookie: (view) => {
        if (isKprobeMulti(view)) return 'get_attach_cookie_kprobe_multi';
        return isUprobeMulti(view) ? 'get_attach_cookie_uprobe_multi' : 'get_attach_cookie_trace';
      },
    },
  },
  { when: (view) => view.image.config('CONFIG_BPF_KPROBE_OVERRIDE') === 'y', plain: ['override_return'] },
  ...TRACING_BASE_HELPERS,
];

const SESSIONS: readonly number[] = [A.trace_kprobe_session, A.trace_uprobe_session];

export const kprobe: ProgramType = {
  name: 'kprobe',
  helpers: HELPERS,
  /** Rule: kprobe_prog_is_valid_access; the context is `struct pt_regs`. The kernel of the image refuses to write it. */
  isValidAccess(view, off, size, access) {
    const length = layoutOf(view.image, 'pt_regs').size;
    return access === 'read' && off >= 0 && off % size === 0 && off + size <= length;
  },
  convertsContext: false,
  packet: 'none',
  kfuncHook: 'kprobe',
  returnRange: (view) => (SESSIONS.includes(view.expectedAttachType) ? { min: 0, max: 1 } : undefined),
};
