// The context `struct __sk_buff`: what all its users share, and how they differ.
import { REG } from '../verifier/types.ts';
import { type ContextRules, judge, OR_NULL } from './access-rules.ts';
import { layoutOf, rangeOf } from './layout.ts';
import type { AccessArgs } from './program-type.ts';

/** Rule: bpf_skb_is_valid_access. */
const SKB_RULES: ContextRules = {
  struct: '__sk_buff',
  rules: [
    { field: 'cb', read: 'any', write: 'any' },
    { field: 'data', read: 4, write: 4, plainLoad: true },
    { field: 'data_meta', read: 4, write: 4, plainLoad: true },
    { field: 'data_end', read: 4, write: 4, plainLoad: true },
    { field: 'remote_ip6', read: 4, write: 4 },
    { field: 'local_ip6', read: 4, write: 4 },
    { field: 'remote_ip4', read: 4, write: 4 },
    { field: 'local_ip4', read: 4, write: 4 },
    { field: 'flow_keys', read: 'no', write: 'no' },
    { field: 'hwtstamp', read: 8, write: 'no' },
    { field: 'tstamp', read: 8, write: 8 },
    { field: 'sk', read: 8, write: 'no', gives: OR_NULL.sockCommon },
    { field: 'tstamp_type..hwtstamp', read: 'no', write: 'no' },
  ],
  otherwise: { read: 'narrow4', write: 4 },
};

export interface SkbUse {
  /** Fields that may not be touched. */
  readonly hidden: readonly string[];
  readonly writable: readonly string[];
  /** Fields that read as packet pointers. */
  readonly pointers: Readonly<Record<string, number>>;
  /** Fields that need CAP_BPF, and such that need it to be written. */
  readonly privileged?: readonly string[];
  readonly privilegedToWrite?: readonly string[];
  /** The byte `tstamp_type` may be read. */
  readonly tstampType?: boolean;
}

export const PACKET_POINTERS = { data: REG.PACKET, data_end: REG.PACKET_END } as const;

/** Judges an access to `__sk_buff` for one of its users. */
export function skbAccess(use: SkbUse, ...args: AccessArgs): boolean {
  const [view, off, size, access, info] = args;
  const layout = layoutOf(view.image, '__sk_buff');
  const within = (fields: readonly string[]): boolean =>
    fields.some((field) => {
      const range = rangeOf(layout, field);
      return off >= range.off && off < range.end;
    });
  if (access === 'write' && !within(use.writable)) return false;
  if (within(use.hidden)) return false;
  if (!view.request.caps.bpf) {
    if (use.privileged && within(use.privileged)) return false;
    if (access === 'write' && use.privilegedToWrite && within(use.privilegedToWrite)) return false;
  }
  if (use.tstampType && off === rangeOf(layout, 'tstamp_type').off) {
    view.progFlags.add('tstamp_type_access');
    return size === 1;
  }
  for (const field of Object.keys(use.pointers)) if (within([field])) info.regType = use.pointers[field];
  return judge(SKB_RULES, ...args);
}
