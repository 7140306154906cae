// The kinds of programs that are generated: type, where it attaches, and what it must return.
import { BTF_KIND, type Btf } from '../../src/btf/btf.ts';
import { ATTACH_TYPE, type AttachTypeName, HELPERS, PROG_TYPE, type ProgTypeName } from '../../src/isa/uapi.ts';
import { loadImage } from '../../src/kernel/image/load.ts';
import { ALL_CAPABILITIES } from '../../src/kernel/objects.ts';
import { helperProto } from '../../src/kernel/program-types/helper-lookup.ts';
import { programType } from '../../src/kernel/program-types/index.ts';
import { layoutOf } from '../../src/kernel/program-types/layout.ts';
import { AccessInfo, type ProgramType, type ProgramView } from '../../src/kernel/program-types/program-type.ts';
import type { HelperProto } from '../../src/kernel/verifier/helper-proto.ts';
import { VerifierLog } from '../../src/kernel/verifier/log.ts';
import { FLAG, REG } from '../../src/kernel/verifier/types.ts';

/** A place of the context that may be accessed. */
export interface ContextField {
  off: number;
  size: number;
  access: 'read' | 'write';
  /** Register type that a read gives. */
  regType: number;
  /** Kernel structure of an object that a read gives. */
  struct?: string | undefined;
}

export interface ProgramKind {
  type: ProgTypeName;
  attachType: number;
  attachBtfId: number;
  rules: ProgramType;
  fields: readonly ContextField[];
  helpers: readonly { id: number; proto: HelperProto }[];
  /** What the main program may return. */
  returns: { min: number; max: number };
  view: ProgramView;
}

/** Structure that the context looks like, for the size; others are probed up to 64 bytes. */
const CONTEXTS: Partial<Record<ProgTypeName, string>> = {
  socket_filter: '__sk_buff',
  sched_cls: '__sk_buff',
  sched_act: '__sk_buff',
  cgroup_skb: '__sk_buff',
  lwt_in: '__sk_buff',
  lwt_out: '__sk_buff',
  lwt_xmit: '__sk_buff',
  lwt_seg6local: '__sk_buff',
  sk_skb: '__sk_buff',
  flow_dissector: '__sk_buff',
  xdp: 'xdp_md',
  kprobe: 'pt_regs',
  sock_ops: 'bpf_sock_ops',
  sk_msg: 'sk_msg_md',
  cgroup_sock_addr: 'bpf_sock_addr',
  cgroup_sock: 'bpf_sock',
  cgroup_sockopt: 'bpf_sockopt',
  cgroup_sysctl: 'bpf_sysctl',
  cgroup_device: 'bpf_cgroup_dev_ctx',
  sk_lookup: 'bpf_sk_lookup',
  sk_reuseport: 'sk_reuseport_md',
  perf_event: 'bpf_perf_event_data',
};

const PROBED_BYTES = 64;

/** Type, attach types, and how often it is chosen. */
const CHOICES: readonly (readonly [weight: number, type: ProgTypeName, attach?: readonly AttachTypeName[]])[] = [
  [10, 'socket_filter'],
  [10, 'sched_cls'],
  [2, 'sched_act'],
  [10, 'xdp', ['xdp', 'xdp_devmap', 'xdp_cpumap']],
  [8, 'kprobe'],
  [8, 'tracepoint'],
  [8, 'raw_tracepoint'],
  [2, 'raw_tracepoint_writable'],
  [5, 'perf_event'],
  [8, 'cgroup_skb', ['cgroup_inet_ingress', 'cgroup_inet_egress']],
  [
    3,
    'cgroup_sock',
    ['cgroup_inet_sock_create', 'cgroup_inet4_post_bind', 'cgroup_inet6_post_bind', 'cgroup_inet_sock_release'],
  ],
  [
    6,
    'cgroup_sock_addr',
    [
      'cgroup_inet4_connect',
      'cgroup_inet6_connect',
      'cgroup_inet4_bind',
      'cgroup_udp4_sendmsg',
      'cgroup_udp6_recvmsg',
      'cgroup_unix_connect',
      'cgroup_inet4_getpeername',
    ],
  ],
  [4, 'cgroup_sockopt', ['cgroup_getsockopt', 'cgroup_setsockopt']],
  [4, 'cgroup_sysctl', ['cgroup_sysctl']],
  [3, 'cgroup_device', ['cgroup_device']],
  [5, 'sock_ops', ['cgroup_sock_ops']],
  [4, 'sk_skb', ['sk_skb_stream_parser', 'sk_skb_stream_verdict']],
  [5, 'sk_msg', ['sk_msg_verdict']],
  [5, 'sk_lookup', ['sk_lookup']],
  [4, 'sk_reuseport', ['sk_reuseport_select', 'sk_reuseport_select_or_migrate']],
  [4, 'flow_dissector', ['flow_dissector']],
  [2, 'lwt_in'],
  [2, 'lwt_out'],
  [3, 'lwt_xmit'],
  [2, 'lwt_seg6local'],
  [4, 'netfilter', ['netfilter']],
  [6, 'syscall'],
];

const image = loadImage();

function contextSize(type: ProgTypeName): number {
  const struct = CONTEXTS[type];
  if (struct === undefined) return PROBED_BYTES;
  return layoutOf(image, struct).size;
}

function view(type: ProgTypeName, attachType: number, attachBtfId: number): ProgramView {
  return {
    image,
    log: new VerifierLog(0, 0),
    progType: PROG_TYPE[type],
    expectedAttachType: attachType,
    sleepable: type === 'syscall',
    request: { caps: ALL_CAPABILITIES, attachBtfId },
    progFlags: new Set(),
  };
}

function makeKind(type: ProgTypeName, attachType: number, attachBtfId = 0): ProgramKind {
  const rules = programType(PROG_TYPE[type]);
  const seen = view(type, attachType, attachBtfId);
  const fields: ContextField[] = [];
  for (const access of attachBtfId === 0 ? (['read', 'write'] as const) : []) {
    for (let off = 0; off < contextSize(type); off++) {
      for (const size of [1, 2, 4, 8]) {
        if (off % size !== 0) continue;
        const info = new AccessInfo(false);
        if (!rules.isValidAccess(seen, off, size, access, info)) continue;
        fields.push({ off, size, access, regType: info.regType, struct: info.btf?.name(info.btfId) });
      }
    }
  }
  const helpers = HELPERS.flatMap((_, id) => {
    const proto = helperProto(seen, id);
    return proto ? [{ id, proto }] : [];
  });
  const range = rules.returnRange?.(seen);
  return {
    type,
    attachType,
    attachBtfId,
    rules,
    fields,
    helpers,
    returns: { min: range?.min ?? 0, max: range?.max ?? 0x7fffffff },
    view: seen,
  };
}

/** Events and iterators that programs of the type tracing hook into. */
const EVENTS = [
  'task_newtask',
  'sched_switch',
  'sched_wakeup',
  'sys_enter',
  'kfree_skb',
  'consume_skb',
  'sched_process_exit',
] as const;
const ITERATORS = [
  'task',
  'bpf_map',
  'bpf_map_elem',
  'task_file',
  'bpf_prog',
  'cgroup',
  'unix',
  'tcp',
  'ipv6_route',
] as const;

/** Members of an iterator's context that are memory. */
const BUFFERS: readonly string[] = ['key', 'value'];

/** What a pointer parameter leads to, and whether it may be null. */
function argumentField(btf: Btf, type: number, off: number, nullable: boolean): ContextField {
  const resolved = btf.skipModsAndTypedefs(type);
  const target = btf.kind(resolved) === BTF_KIND.PTR ? btf.skipModsAndTypedefs(btf.type(resolved)) : 0;
  if (target === 0 || btf.kind(target) !== BTF_KIND.STRUCT)
    return { off, size: 8, access: 'read', regType: REG.SCALAR };
  const regType = REG.BTF_ID | (nullable ? FLAG.MAYBE_NULL : 0);
  return { off, size: 8, access: 'read', regType, struct: btf.name(target) };
}

/** A kind whose context holds the arguments of an event, or those of an iterator. */
function makeTracing(attach: 'trace_raw_tp' | 'trace_iter', name: string): ProgramKind[] {
  const btf = image.btf();
  const iter = attach === 'trace_iter';
  const id = iter ? btf.find(`bpf_iter_${name}`, BTF_KIND.FUNC) : btf.find(`btf_trace_${name}`, BTF_KIND.TYPEDEF);
  if (id === 0) return [];
  const kind = makeKind('tracing', ATTACH_TYPE[attach], id);
  let fields: ContextField[];
  if (iter) {
    const context = btf.find(`bpf_iter__${name}`, BTF_KIND.STRUCT);
    fields = Array.from({ length: btf.vlen(context) }, (_, i) =>
      BUFFERS.includes(btf.memberName(context, i))
        ? { off: btf.memberBitOffset(context, i) >> 3, size: 8, access: 'read', regType: REG.BUF | FLAG.MAYBE_NULL }
        : argumentField(btf, btf.memberType(context, i), btf.memberBitOffset(context, i) >> 3, i > 0),
    );
  } else {
    const proto = btf.type(btf.type(id));
    fields = Array.from({ length: btf.vlen(proto) - 1 }, (_, i) =>
      argumentField(btf, btf.paramType(proto, i + 1), i * 8, false),
    );
  }
  return [{ ...kind, fields }];
}

const TRACING_WEIGHT = 8;
const tracing = [
  ...EVENTS.flatMap((name) => makeTracing('trace_raw_tp', name)),
  ...ITERATORS.flatMap((name) => makeTracing('trace_iter', name)),
];

/** Kinds that need no BTF to attach to. */
const ordinary = CHOICES.flatMap(([weight, type, attach]) => {
  const list = attach?.map((name) => ATTACH_TYPE[name]) ?? [0];
  return list.map((attachType) => [weight / list.length, makeKind(type, attachType)] as const);
});

/** Every kind with its weight. */
export const KINDS: readonly (readonly [number, ProgramKind])[] = [
  ...tracing.map((kind) => [TRACING_WEIGHT / tracing.length, kind] as const),
  ...ordinary,
];
