// The socket structures that programs see: as contexts, and behind socket pointers.
import { ATTACH_TYPE } from '../../isa/uapi.ts';
import { REG } from '../verifier/types.ts';
import { type ContextRules, judge } from './access-rules.ts';
import { layoutOf, rangeOf } from './layout.ts';
import type { AccessArgs } from './program-type.ts';

const NARROW = { read: 'narrow4', write: 'narrow4' } as const;

/** Rule: bpf_sock_is_valid_access. The bytes between dst_port and dst_ip4 are padding. */
const SOCK_RULES: ContextRules = {
  struct: 'bpf_sock',
  rules: [
    { field: 'state', start: true, ...NARROW },
    { field: 'family', start: true, ...NARROW },
    { field: 'type', start: true, ...NARROW },
    { field: 'protocol', start: true, ...NARROW },
    { field: 'src_port', start: true, ...NARROW },
    { field: 'rx_queue_mapping', start: true, ...NARROW },
    { field: 'src_ip4', ...NARROW },
    { field: 'src_ip6', ...NARROW },
    { field: 'dst_ip4', ...NARROW },
    { field: 'dst_ip6', ...NARROW },
  ],
  otherwise: { read: 4, write: 4 },
};

/** Rule: bpf_tcp_sock_is_valid_access. */
const TCP_SOCK_RULES: ContextRules = {
  struct: 'bpf_tcp_sock',
  upTo: 'icsk_retransmits',
  rules: [
    { field: 'bytes_received', start: true, read: 8, write: 8 },
    { field: 'bytes_acked', start: true, read: 8, write: 8 },
  ],
  otherwise: { read: 4, write: 4 },
};

/** Rule: bpf_xdp_sock_is_valid_access. */
const XDP_SOCK_RULES: ContextRules = {
  struct: 'bpf_xdp_sock',
  upTo: 'queue_id',
  rules: [],
  otherwise: { read: 4, write: 4 },
};

/** Judges an access to `struct bpf_sock`, be it the context or behind a pointer. */
export function sockAccess(...args: AccessArgs): boolean {
  const [view, off, size, , info] = args;
  const layout = layoutOf(view.image, 'bpf_sock');
  const port = rangeOf(layout, 'dst_port');
  const next = rangeOf(layout, 'dst_ip4').off;
  if (off >= port.off && off < next && off % size === 0) {
    if (off >= port.end) return false;
    // Two bytes in the network's order; four are allowed for programs that were built when it was wider.
    info.ctxFieldSize = size === 4 ? 4 : port.end - port.off;
    return size <= info.ctxFieldSize;
  }
  return judge(SOCK_RULES, ...args);
}

function sockCommonAccess(...args: AccessArgs): boolean {
  const [view, off] = args;
  const hidden = rangeOf(layoutOf(view.image, 'bpf_sock'), 'type..priority');
  if (off >= hidden.off && off < hidden.end) return false;
  return sockAccess(...args);
}

/** Judges an access through a socket pointer of a register type; false for other types. */
export function socketPointerAccess(regType: number, ...args: AccessArgs): boolean {
  switch (regType) {
    case REG.SOCK_COMMON:
      return sockCommonAccess(...args);
    case REG.SOCKET:
      return sockAccess(...args);
    case REG.TCP_SOCK:
      return judge(TCP_SOCK_RULES, ...args);
    case REG.XDP_SOCK:
      return judge(XDP_SOCK_RULES, ...args);
    default:
      return false;
  }
}

interface AttachRule {
  readonly field: string;
  readonly start?: boolean;
  readonly attach: readonly number[];
  readonly writable?: boolean;
}

const { cgroup_inet_sock_create, cgroup_inet_sock_release, cgroup_inet4_post_bind, cgroup_inet6_post_bind } =
  ATTACH_TYPE;
const LIFE = [cgroup_inet_sock_create, cgroup_inet_sock_release];

/** Fields of the context that depend on where a cgroup_sock program attaches. */
const SOCK_FILTER_RULES: readonly AttachRule[] = [
  { field: 'bound_dev_if', start: true, attach: LIFE, writable: true },
  { field: 'mark', start: true, attach: LIFE, writable: true },
  { field: 'priority', start: true, attach: LIFE, writable: true },
  { field: 'src_ip4', attach: [cgroup_inet4_post_bind] },
  { field: 'src_ip6', attach: [cgroup_inet6_post_bind] },
  { field: 'src_port', attach: [cgroup_inet4_post_bind, cgroup_inet6_post_bind] },
];

/** Judges an access to the context of a cgroup_sock program. */
export function sockFilterAccess(...args: AccessArgs): boolean {
  const [view, off, , access] = args;
  if (!sockAccess(...args)) return false;
  const layout = layoutOf(view.image, 'bpf_sock');
  for (const rule of SOCK_FILTER_RULES) {
    const range = rangeOf(layout, rule.field);
    if (rule.start ? off !== range.off : off < range.off || off >= range.end) continue;
    return rule.attach.includes(view.expectedAttachType) && (rule.writable === true || access === 'read');
  }
  return access === 'read';
}
