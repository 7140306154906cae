// Addresses that the sockets of a cgroup bind to, connect to, send to and ask for.
import { ATTACH_TYPE } from '../../isa/uapi.ts';
import { REG } from '../verifier/types.ts';
import { type ContextRules, judge } from './access-rules.ts';
import { ADDRESS_ANSWERS, CGROUP_COMMON, SK_BASE_HELPERS } from './base-helpers.ts';
import { layoutOf, rangeOf } from './layout.ts';
import type { ProgramType, ProgramView } from './program-type.ts';

const A = ATTACH_TYPE;

const CONNECT: ReadonlySet<number> = new Set([A.cgroup_inet4_connect, A.cgroup_inet6_connect]);
const SOCKOPT: ReadonlySet<number> = new Set([
  A.cgroup_inet4_bind,
  A.cgroup_inet6_bind,
  A.cgroup_inet4_connect,
  A.cgroup_inet6_connect,
  A.cgroup_unix_connect,
  A.cgroup_udp4_sendmsg,
  A.cgroup_udp6_sendmsg,
  A.cgroup_unix_sendmsg,
  ...ADDRESS_ANSWERS,
]);
const IP4: ReadonlySet<number> = new Set([
  A.cgroup_inet4_bind,
  A.cgroup_inet4_connect,
  A.cgroup_inet4_getpeername,
  A.cgroup_inet4_getsockname,
  A.cgroup_udp4_sendmsg,
  A.cgroup_udp4_recvmsg,
]);
const IP6: ReadonlySet<number> = new Set([
  A.cgroup_inet6_bind,
  A.cgroup_inet6_connect,
  A.cgroup_inet6_getpeername,
  A.cgroup_inet6_getsockname,
  A.cgroup_udp6_sendmsg,
  A.cgroup_udp6_recvmsg,
]);
const at =
  (points: ReadonlySet<number>) =>
  (view: ProgramView): boolean =>
    points.has(view.expectedAttachType);

/** Fields of the user's address; accesses of 8 bytes may take half of an IPv6 address. */
const ADDRESS = { read: 'narrow4', write: 4 } as const;
const FIXED = { read: 4, write: 'no' } as const;

/** Rule: sock_addr_is_valid_access. */
const CONTEXT: ContextRules = {
  struct: 'bpf_sock_addr',
  rules: [
    { field: 'user_ip4', ...ADDRESS, when: at(IP4) },
    { field: 'user_ip6', ...ADDRESS, when: at(IP6) },
    { field: 'msg_src_ip4', ...ADDRESS, when: at(new Set([A.cgroup_udp4_sendmsg])) },
    { field: 'msg_src_ip6', ...ADDRESS, when: at(new Set([A.cgroup_udp6_sendmsg])) },
    { field: 'user_port', ...ADDRESS },
    { field: 'sk', read: 8, write: 'no', gives: REG.SOCKET },
    { field: 'user_family', ...FIXED },
    { field: 'family', ...FIXED },
    { field: 'type', ...FIXED },
    { field: 'protocol', ...FIXED },
  ],
  otherwise: { read: 'no', write: 'no' },
};

const RETURNS_ONE: ReadonlySet<number> = new Set(ADDRESS_ANSWERS);

export const cgroupSockAddr: ProgramType = {
  name: 'cgroup_sock_addr',
  /** Rule: sock_addr_func_proto. */
  helpers: [
    CGROUP_COMMON,
    {
      plain: ['sk_release', 'sk_storage_get', 'sk_storage_delete'],
      variants: {
        bind: (view) => (CONNECT.has(view.expectedAttachType) ? 'bind' : undefined),
        get_socket_cookie: 'get_socket_cookie_sock_addr',
        get_netns_cookie: 'get_netns_cookie_sock_addr',
        perf_event_output: 'event_output_data',
        sk_lookup_tcp: 'sock_addr_sk_lookup_tcp',
        sk_lookup_udp: 'sock_addr_sk_lookup_udp',
        skc_lookup_tcp: 'sock_addr_skc_lookup_tcp',
        setsockopt: (view) => (SOCKOPT.has(view.expectedAttachType) ? 'sock_addr_setsockopt' : undefined),
        getsockopt: (view) => (SOCKOPT.has(view.expectedAttachType) ? 'sock_addr_getsockopt' : undefined),
      },
    },
    ...SK_BASE_HELPERS,
  ],
  isValidAccess(view, off, size, access, info) {
    if (size === 8 && off % 8 === 0) {
      const layout = layoutOf(view.image, 'bpf_sock_addr');
      for (const [field, points] of [
        ['user_ip6', IP6],
        ['msg_src_ip6', new Set<number>([A.cgroup_udp6_sendmsg])],
      ] as const) {
        const range = rangeOf(layout, field);
        if (off < range.off || off + 8 > range.end) continue;
        if (access === 'read') info.ctxFieldSize = 4;
        return points.has(view.expectedAttachType);
      }
    }
    return judge(CONTEXT, view, off, size, access, info);
  },
  convertsContext: true,
  packet: 'none',
  kfuncHook: 'cgroup',
  returnRange(view) {
    if (RETURNS_ONE.has(view.expectedAttachType)) return { min: 1, max: 1 };
    const bind = view.expectedAttachType === A.cgroup_inet4_bind || view.expectedAttachType === A.cgroup_inet6_bind;
    return { min: 0, max: bind ? 3 : 1 };
  },
};
