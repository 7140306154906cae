// Choice of a socket among those that share a port.
import { REG } from '../verifier/types.ts';
import { type ContextRules, judge, OR_NULL } from './access-rules.ts';
import { BASE_HELPERS } from './base-helpers.ts';
import type { ProgramType } from './program-type.ts';

/** Rule: sk_reuseport_is_valid_access. */
const CONTEXT: ContextRules = {
  struct: 'sk_reuseport_md',
  rules: [
    { field: 'data', start: true, read: 8, write: 'no', gives: REG.PACKET },
    { field: 'data_end', start: true, read: 8, write: 'no', gives: REG.PACKET_END },
    { field: 'hash', start: true, read: 4, write: 'no' },
    { field: 'sk', start: true, read: 8, write: 'no', gives: REG.SOCKET },
    { field: 'migrating_sk', start: true, read: 8, write: 'no', gives: OR_NULL.sockCommon },
    { field: 'eth_protocol', read: 'narrow4', write: 'no', when: (_view, _access, size) => size >= 2 },
    { field: 'ip_protocol', read: 'narrow4', write: 'no' },
    { field: 'bind_inany', read: 'narrow4', write: 'no' },
    { field: 'len', read: 'narrow4', write: 'no' },
  ],
  otherwise: { read: 'no', write: 'no' },
};

export const skReuseport: ProgramType = {
  name: 'sk_reuseport',
  /** Rule: sk_reuseport_func_proto. */
  helpers: [
    {
      plain: ['sk_select_reuseport', 'ktime_get_coarse_ns'],
      variants: {
        skb_load_bytes: 'sk_reuseport_load_bytes',
        skb_load_bytes_relative: 'sk_reuseport_load_bytes_relative',
        get_socket_cookie: 'get_socket_ptr_cookie',
      },
    },
    ...BASE_HELPERS,
  ],
  isValidAccess: (view, off, size, access, info) => judge(CONTEXT, view, off, size, access, info),
  convertsContext: true,
  packet: 'read',
};
