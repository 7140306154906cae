// Choice of the socket that receives a new connection or datagram.
import { type ContextRules, judge, OR_NULL } from './access-rules.ts';
import { SK_BASE_HELPERS } from './base-helpers.ts';
import { layoutOf, rangeOf } from './layout.ts';
import type { ProgramType } from './program-type.ts';

const NARROW = { read: 'narrow4', write: 'no' } as const;

/** Rule: sk_lookup_is_valid_access. */
const CONTEXT: ContextRules = {
  struct: 'bpf_sk_lookup',
  rules: [
    { field: 'sk', read: 8, write: 'no', gives: OR_NULL.socket },
    { field: 'family', ...NARROW },
    { field: 'protocol', ...NARROW },
    { field: 'remote_ip4', ...NARROW },
    { field: 'local_ip4', ...NARROW },
    { field: 'remote_ip6', ...NARROW },
    { field: 'local_ip6', ...NARROW },
    { field: 'local_port', ...NARROW },
    { field: 'ingress_ifindex', ...NARROW },
  ],
  otherwise: { read: 'no', write: 'no' },
};

export const skLookup: ProgramType = {
  name: 'sk_lookup',
  /** Rule: sk_lookup_func_proto. */
  helpers: [
    { plain: ['sk_release'], variants: { perf_event_output: 'event_output_data', sk_assign: 'sk_lookup_assign' } },
    ...SK_BASE_HELPERS,
  ],
  isValidAccess(view, off, size, access, info) {
    const layout = layoutOf(view.image, 'bpf_sk_lookup');
    const port = rangeOf(layout, 'remote_port');
    if (access === 'read' && off >= port.off && off < rangeOf(layout, 'local_ip4').off && off % size === 0) {
      // Two bytes in the network's order and two of padding; four at once for programs built when the field was wider.
      if (size === 4 && off === port.off) return true;
      info.ctxFieldSize = 2;
      return size <= 2;
    }
    return judge(CONTEXT, view, off, size, access, info);
  },
  convertsContext: true,
  packet: 'none',
  returnRange: () => ({ min: 0, max: 1 }),
};
