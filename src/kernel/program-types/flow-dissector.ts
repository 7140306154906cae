// Flow dissectors.
import { REG } from '../verifier/types.ts';
import { type ContextRules, judge } from './access-rules.ts';
import { SK_BASE_HELPERS } from './base-helpers.ts';
import type { ProgramType } from './program-type.ts';

/** Rule: flow_dissector_is_valid_access. */
const CONTEXT: ContextRules = {
  struct: '__sk_buff',
  rules: [
    { field: 'data', read: 4, write: 'no', gives: REG.PACKET, plainLoad: true },
    { field: 'data_end', read: 4, write: 'no', gives: REG.PACKET_END, plainLoad: true },
    { field: 'flow_keys', read: 8, write: 'no', gives: REG.FLOW_KEYS },
  ],
  otherwise: { read: 'no', write: 'no' },
};

export const flowDissector: ProgramType = {
  name: 'flow_dissector',
  helpers: [{ variants: { skb_load_bytes: 'flow_dissector_load_bytes' } }, ...SK_BASE_HELPERS],
  isValidAccess: (view, off, size, access, info) => judge(CONTEXT, view, off, size, access, info),
  convertsContext: true,
  packet: 'read',
};
