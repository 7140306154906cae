// Sessions of probes, and what the kernel tests itself with.
import { ATTACH_TYPE } from '../../isa/uapi.ts';
import { KF, type KfuncSet } from './kfunc-set.ts';

/** Rule: kprobe_multi_kfunc_set_ids, bpf_trace.c. */
export const SESSION_KFUNCS: KfuncSet = {
  hooks: ['kprobe'],
  when: (view) =>
    view.expectedAttachType === ATTACH_TYPE.trace_kprobe_session ||
    view.expectedAttachType === ATTACH_TYPE.trace_uprobe_session,
  flags: {
    bpf_session_is_return: 0,
    bpf_session_cookie: 0,
  },
};

/** Rule: test_sk_check_kfunc_ids, test_run.c. */
export const TEST_KFUNCS: KfuncSet = {
  hooks: ['tc', 'tracing', 'syscall'],
  flags: {
    bpf_kfunc_call_test_release: KF.RELEASE,
    bpf_kfunc_call_memb_release: KF.RELEASE,
  },
};
