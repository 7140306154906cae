// Sockets of a cgroup: creation, release, bind.
import { BASE_HELPERS, CGROUP_COMMON } from './base-helpers.ts';
import type { ProgramType } from './program-type.ts';
import { sockFilterAccess } from './socket-access.ts';

export const cgroupSock: ProgramType = {
  name: 'cgroup_sock',
  /** Rule: sock_filter_func_proto. */
  helpers: [
    CGROUP_COMMON,
    {
      plain: ['ktime_get_coarse_ns'],
      variants: {
        get_socket_cookie: 'get_socket_cookie_sock',
        get_netns_cookie: 'get_netns_cookie_sock',
        perf_event_output: 'event_output_data',
        sk_storage_get: 'sk_storage_get_cg_sock',
      },
    },
    ...BASE_HELPERS,
  ],
  isValidAccess: sockFilterAccess,
  convertsContext: true,
  packet: 'none',
  kfuncHook: 'cgroup',
  returnRange: () => ({ min: 0, max: 1 }),
};
