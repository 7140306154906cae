// Messages sent through sockets of a socket map.
import { REG } from '../verifier/types.ts';
import { type ContextRules, judge } from './access-rules.ts';
import { SK_BASE_HELPERS } from './base-helpers.ts';
import type { HelperSet, ProgramType } from './program-type.ts';

/** Rule: sk_msg_func_proto. */
const HELPERS: HelperSet = [
  {
    plain: [
      'msg_redirect_map',
      'msg_redirect_hash',
      'msg_apply_bytes',
      'msg_cork_bytes',
      'msg_pull_data',
      'msg_push_data',
      'msg_pop_data',
      'sk_storage_get',
      'sk_storage_delete',
    ],
    variants: { perf_event_output: 'event_output_data', get_netns_cookie: 'get_netns_cookie_sk_msg' },
  },
  ...SK_BASE_HELPERS,
];

/** Rule: sk_msg_is_valid_access. */
const CONTEXT: ContextRules = {
  struct: 'sk_msg_md',
  rules: [
    { field: 'data', read: 8, write: 'no', gives: REG.PACKET },
    { field: 'data_end', read: 8, write: 'no', gives: REG.PACKET_END },
    { field: 'sk', read: 8, write: 'no', gives: REG.SOCKET },
    { field: 'family..size', read: 4, write: 'no' },
  ],
  otherwise: { read: 'no', write: 'no' },
};

export const skMsg: ProgramType = {
  name: 'sk_msg',
  helpers: HELPERS,
  isValidAccess: (view, off, size, access, info) => judge(CONTEXT, view, off, size, access, info),
  convertsContext: true,
  packet: 'write',
};
