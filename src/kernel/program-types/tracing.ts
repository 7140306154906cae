// Programs attached through BTF: functions, BTF tracepoints, iterators; security hooks; kernel structures of functions;
// and replacements of other programs' functions.
import { BTF_KIND } from '../../btf/btf.ts';
import { ATTACH_TYPE } from '../../isa/uapi.ts';
import type { HelperKey } from '../helpers/index.ts';
import { BOOLEAN_LSM_HOOKS, LOCKED_SOCKET_HOOKS, UNLOCKED_SOCKET_HOOKS } from '../verifier/lsm-hooks.ts';
import { hasUnsafeModifiers } from '../verifier/pointer-kinds.ts';
import { baseType, REG } from '../verifier/types.ts';
import { BASE_HELPERS, CGROUP_COMMON, SOCKET_CASTS } from './base-helpers.ts';
import type { HelperSet, ProgramType, ProgramView } from './program-type.ts';
import { RAW_TRACEPOINT_HELPERS } from './raw-tracepoint.ts';
import { dummyOpsWrite, tcpCongestionWrite } from './struct-ops-writes.ts';
import { tracingArgumentAccess, typedArgumentAccess } from './typed-arguments.ts';

const A = ATTACH_TYPE;
const MAX_ERRNO = 4095;
const TRAMPOLINE: ReadonlySet<number> = new Set([A.trace_fentry, A.trace_fexit, A.modify_return, A.lsm_mac]);

const isIter = (view: ProgramView): boolean => view.expectedAttachType === A.trace_iter;
const hasTrampoline = (view: ProgramView): boolean => TRAMPOLINE.has(view.expectedAttachType);
const inIter =
  (key: HelperKey) =>
  (view: ProgramView): HelperKey | undefined =>
    isIter(view) ? key : undefined;
const onTrampoline =
  (key: HelperKey) =>
  (view: ProgramView): HelperKey | undefined =>
    hasTrampoline(view) ? key : undefined;

/** Name of the kernel's type or function that the program hooks into. */
const hookName = (view: ProgramView): string => {
  const btf = view.image.btf();
  return view.request.attachBtfId < btf.count ? btf.name(view.request.attachBtfId) : '';
};
const SOCKET_ITERATORS: ReadonlySet<string> = new Set(['bpf_iter_tcp', 'bpf_iter_unix']);

/** Rule: tracing_prog_func_proto. */
export const TRACING_HELPERS: HelperSet = [
  {
    plain: ['skb_output', 'xdp_output', ...SOCKET_CASTS, 'sock_from_file', 'd_path'],
    variants: {
      sk_storage_get: 'sk_storage_get_tracing',
      sk_storage_delete: 'sk_storage_delete_tracing',
      get_socket_cookie: 'get_socket_ptr_cookie',
      xdp_get_buff_len: 'xdp_get_buff_len_trace',
      seq_printf: inIter('seq_printf'),
      seq_write: inIter('seq_write'),
      seq_printf_btf: inIter('seq_printf_btf'),
      get_func_arg: onTrampoline('get_func_arg'),
      get_func_ret: onTrampoline('get_func_ret'),
      get_func_arg_cnt: onTrampoline('get_func_arg_cnt'),
      get_attach_cookie: (view) =>
        view.expectedAttachType === A.trace_raw_tp || hasTrampoline(view) ? 'get_attach_cookie_tracing' : undefined,
    },
  },
  ...RAW_TRACEPOINT_HELPERS,
  {
    /** Rule: bpf_iter_tcp_get_func_proto, bpf_iter_unix_get_func_proto. */
    when: (view) => isIter(view) && SOCKET_ITERATORS.has(hookName(view)),
    variants: { setsockopt: 'sk_setsockopt', getsockopt: 'sk_getsockopt' },
  },
];

const typed: Pick<ProgramType, 'isValidAccess' | 'convertsContext' | 'packet'> = {
  isValidAccess: tracingArgumentAccess,
  convertsContext: false,
  packet: 'none',
};

export const tracing: ProgramType = {
  name: 'tracing',
  helpers: TRACING_HELPERS,
  ...typed,
  kfuncHook: 'tracing',
  returnRange(view) {
    switch (view.expectedAttachType) {
      case A.trace_fentry:
      case A.trace_fexit:
        return { min: 0, max: 0 };
      case A.trace_iter:
        return { min: 0, max: 1 };
      default:
        return undefined;
    }
  },
};

/** Socket options, for programs of control groups in hooks where the socket is locked, or nobody else knows it yet. */
const inSocketHook =
  (locked: HelperKey, unlocked: HelperKey) =>
  (view: ProgramView): HelperKey | undefined => {
    if (view.expectedAttachType !== A.lsm_cgroup) return undefined;
    if (LOCKED_SOCKET_HOOKS.has(hookName(view))) return locked;
    return UNLOCKED_SOCKET_HOOKS.has(hookName(view)) ? unlocked : undefined;
  };

export const lsm: ProgramType = {
  name: 'lsm',
  /** Rule: bpf_lsm_func_proto. */
  helpers: [
    { ...CGROUP_COMMON, when: (view) => view.expectedAttachType === A.lsm_cgroup },
    {
      plain: [
        'inode_storage_get',
        'inode_storage_delete',
        'sk_storage_get',
        'sk_storage_delete',
        'spin_lock',
        'spin_unlock',
        'bprm_opts_set',
        'ima_inode_hash',
        'ima_file_hash',
      ],
      variants: {
        get_attach_cookie: onTrampoline('get_attach_cookie'),
        setsockopt: inSocketHook('sk_setsockopt', 'unlocked_sk_setsockopt'),
        getsockopt: inSocketHook('sk_getsockopt', 'unlocked_sk_getsockopt'),
      },
    },
    ...TRACING_HELPERS,
  ],
  ...typed,
  isValidAccess: (view, off, size, _access, info) => typedArgumentAccess(view, off, size, info),
  kfuncHook: 'tracing',
  /** Rule: bpf_lsm_get_retval_range; programs of cgroups are judged where they return. */
  returnRange(view) {
    if (view.expectedAttachType !== A.lsm_mac || view.attach === undefined) return undefined;
    const { btf, funcProto, funcName } = view.attach;
    if (btf === undefined || btf.type(funcProto) === 0) return undefined;
    return BOOLEAN_LSM_HOOKS.has(funcName) ? { min: 0, max: 1 } : { min: -MAX_ERRNO, max: 0 };
  },
};

const isTcpCongestion = (view: ProgramView): boolean => hookName(view) === 'tcp_congestion_ops';
/** The expected attach type of these programs is the index of the member. */
const opsMember = (view: ProgramView): string =>
  view.image.btf().memberName(view.request.attachBtfId, view.expectedAttachType);
const notOnRelease =
  (key: HelperKey) =>
  (view: ProgramView): HelperKey | undefined =>
    opsMember(view) === 'release' ? undefined : key;

export const structOps: ProgramType = {
  name: 'struct_ops',
  helpers: [
    {
      /** Rule: bpf_tcp_ca_get_func_proto. */
      when: isTcpCongestion,
      plain: ['tcp_send_ack', 'sk_storage_get', 'sk_storage_delete', 'ktime_get_coarse_ns'],
      variants: { setsockopt: notOnRelease('sk_setsockopt'), getsockopt: notOnRelease('sk_getsockopt') },
    },
    ...BASE_HELPERS,
  ],
  ...typed,
  /** Rule: bpf_tcp_ca_is_valid_access. */
  isValidAccess(view, off, size, access, info) {
    if (!tracingArgumentAccess(view, off, size, access, info)) return false;
    const btf = view.image.btf();
    if (isTcpCongestion(view) && baseType(info.regType) === REG.BTF_ID && !hasUnsafeModifiers(info.regType)) {
      if (info.btfId === btf.find('sock', BTF_KIND.STRUCT)) info.btfId = btf.find('tcp_sock', BTF_KIND.STRUCT);
    }
    return true;
  },
  structWrite: (view, reg, off, size) =>
    isTcpCongestion(view) ? tcpCongestionWrite(view, reg, off, size) : dummyOpsWrite(view, reg, off, size),
  kfuncHook: 'struct_ops',
};

export const ext: ProgramType = {
  name: 'ext',
  helpers: [],
  isValidAccess: () => false,
  convertsContext: false,
  packet: 'none',
};
