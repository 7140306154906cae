// Socket options that a cgroup's tasks get and set.
import { ATTACH_TYPE } from '../../isa/uapi.ts';
import { REG } from '../verifier/types.ts';
import { type ContextRules, judge } from './access-rules.ts';
import { BASE_HELPERS, CGROUP_COMMON } from './base-helpers.ts';
import type { ProgramType, ProgramView } from './program-type.ts';

const isSet = (view: ProgramView): boolean => view.expectedAttachType === ATTACH_TYPE.cgroup_setsockopt;
const isGet = (view: ProgramView): boolean => view.expectedAttachType === ATTACH_TYPE.cgroup_getsockopt;

/** Rule: cg_sockopt_is_valid_access. */
const CONTEXT: ContextRules = {
  struct: 'bpf_sockopt',
  rules: [
    { field: 'sk', read: 8, write: 'no', gives: REG.SOCKET },
    { field: 'optval', read: 8, write: 'no', gives: REG.PACKET },
    { field: 'optval_end', read: 8, write: 'no', gives: REG.PACKET_END },
    { field: 'retval', read: 4, write: 4, when: isGet },
    { field: 'optname', read: 4, write: 4, when: (view, access) => access === 'read' || isSet(view) },
    { field: 'level', read: 4, write: 4, when: (view, access) => access === 'read' || isSet(view) },
    { field: 'optlen', read: 4, write: 4 },
  ],
  otherwise: { read: 4, write: 'no' },
};

export const cgroupSockopt: ProgramType = {
  name: 'cgroup_sockopt',
  /** Rule: cg_sockopt_func_proto. */
  helpers: [
    CGROUP_COMMON,
    {
      plain: ['sk_storage_get', 'sk_storage_delete', 'tcp_sock'],
      variants: {
        get_netns_cookie: 'get_netns_cookie_sockopt',
        setsockopt: (view) => (isSet(view) ? 'sk_setsockopt' : undefined),
        getsockopt: (view) => (isSet(view) ? 'sk_getsockopt' : undefined),
        perf_event_output: 'event_output_data',
      },
    },
    ...BASE_HELPERS,
  ],
  isValidAccess: (view, off, size, access, info) => judge(CONTEXT, view, off, size, access, info),
  convertsContext: true,
  packet: 'sockopt',
  kfuncHook: 'cgroup',
  returnRange: () => ({ min: 0, max: 1 }),
};
