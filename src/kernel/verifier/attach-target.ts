// What a program that hooks into the kernel through BTF hooks into, and whether it may. Rule: check_attach_btf_id,
// bpf_check_attach_target, verifier.c, 6.18.
import { BTF_KIND, type Btf } from '../../btf/btf.ts';
import { ERRNO } from '../../errno.ts';
import { ATTACH_TYPE, PROG_TYPE } from '../../isa/uapi.ts';
import type { KProgram } from '../objects.ts';
import { checkTypeMatch, findTargetFunction } from './attach-program.ts';
import type { VerifierEnv } from './env.ts';
import { ATOMIC_INJECTABLE, isErrorInjectable } from './error-injection.ts';
import { distillFuncProto } from './func-proto.ts';
import { iterArguments } from './iter-targets.ts';
import { NO_LSM_HOOKS, SLEEPABLE_LSM_HOOKS } from './lsm-hooks.ts';
import { checkStructOps } from './struct-ops.ts';

const A = ATTACH_TYPE;
const TRACEPOINT_PREFIX = 'btf_trace_';
const ITER_PREFIX = 'bpf_iter_';
const LSM_PREFIX = 'bpf_lsm_';
const SECURITY_PREFIX = 'security_';

/** Functions that tracing programs would break. */
const DENIED: ReadonlySet<string> = new Set([
  '___migrate_enable',
  'migrate_disable',
  'migrate_enable',
  'rcu_read_unlock_strict',
  'preempt_count_add',
  'preempt_count_sub',
  '__rcu_read_lock',
  '__rcu_read_unlock',
]);

/** Functions that never return. */
const NO_RETURN: ReadonlySet<string> = new Set([
  '__ia32_sys_exit',
  '__ia32_sys_exit_group',
  '__kunit_abort',
  'kunit_try_catch_throw',
  '__module_put_and_kthread_exit',
  '__x64_sys_exit',
  '__x64_sys_exit_group',
  'do_exit',
  'do_group_exit',
  'kthread_complete_and_exit',
  'make_task_dead',
]);

/** Functions of the kernel's own tests whose return values may be changed. */
const MODIFIABLE_TEST_FUNCTIONS: ReadonlySet<string> = new Set([
  'bpf_modify_return_test',
  'bpf_modify_return_test2',
  'bpf_modify_return_test_tp',
  'bpf_fentry_test1',
]);
/** Lets programs choose MPTCP for a socket. */
const MPTCP_HOOK = 'update_socket_protocol';
const SLEEPABLE_TEST_FUNCTIONS: ReadonlySet<string> = new Set(['bpf_fentry_test1']);

const DISABLED_LSM_HOOKS: ReadonlySet<string> = new Set([
  'bpf_lsm_vm_enough_memory',
  'bpf_lsm_inode_need_killpriv',
  'bpf_lsm_inode_getsecurity',
  'bpf_lsm_inode_listsecurity',
  'bpf_lsm_inode_copy_up_xattr',
  'bpf_lsm_getselfattr',
  'bpf_lsm_getprocattr',
  'bpf_lsm_setprocattr',
  'bpf_lsm_key_getsecurity',
  'bpf_lsm_audit_rule_match',
  'bpf_lsm_xfrm_decode_session',
  'bpf_lsm_ismaclabel',
]);

const SLEEPABLE_TRACING: ReadonlySet<number> = new Set([A.trace_fentry, A.trace_fexit, A.modify_return, A.trace_iter]);
const SLEEPABLE_TYPES: ReadonlySet<number> = new Set([PROG_TYPE.lsm, PROG_TYPE.kprobe, PROG_TYPE.struct_ops]);
const FUNCTION_HOOKS: ReadonlySet<number> = new Set([
  A.modify_return,
  A.lsm_mac,
  A.lsm_cgroup,
  A.trace_fentry,
  A.trace_fexit,
]);

const canSleep = (env: VerifierEnv): boolean =>
  env.progType === PROG_TYPE.tracing
    ? SLEEPABLE_TRACING.has(env.expectedAttachType)
    : SLEEPABLE_TYPES.has(env.progType);

function refuse(env: VerifierEnv, text: string, errno: number = ERRNO.EINVAL): number {
  env.log.write(`${text}\n`);
  return -errno;
}

/** The FUNC_PROTO of a tracepoint: that of the function that calls its programs, else of the typedef. */
function tracepointProto(btf: Btf, typedef: number, name: string): number {
  const func = btf.find(`__bpf_trace_${name}`, BTF_KIND.FUNC);
  if (func !== 0) return btf.type(func);
  const pointer = btf.type(typedef);
  const proto = btf.kind(pointer) === BTF_KIND.PTR ? btf.type(pointer) : 0;
  return btf.kind(proto) === BTF_KIND.FUNC_PROTO ? proto : 0;
}

function hookTracepoint(env: VerifierEnv, btf: Btf, id: number): number {
  if (btf.kind(id) !== BTF_KIND.TYPEDEF) return refuse(env, `attach_btf_id ${id} is not a typedef`);
  const name = btf.name(id);
  if (!name.startsWith(TRACEPOINT_PREFIX)) {
    return refuse(env, `attach_btf_id ${id} points to wrong type name ${name}`);
  }
  const event = name.slice(TRACEPOINT_PREFIX.length);
  const proto = tracepointProto(btf, id, event);
  if (proto === 0) return -ERRNO.EINVAL;
  env.attach.funcProto = proto;
  env.attach.funcName = event;
  env.attach.trace = true;
  return 0;
}

function hookIterator(env: VerifierEnv, btf: Btf, id: number): number {
  if (btf.kind(id) !== BTF_KIND.FUNC) return refuse(env, `attach_btf_id ${id} is not a function`);
  const name = btf.name(id);
  const proto = btf.type(id);
  const model = distillFuncProto(env.log, btf, proto, name);
  if (typeof model === 'number') return model;
  env.attach.funcProto = proto;
  env.attach.funcName = name;
  const args = name.startsWith(ITER_PREFIX) ? iterArguments(btf, name.slice(ITER_PREFIX.length)) : undefined;
  if (args === undefined) return -ERRNO.EINVAL;
  env.attach.ctxArgs = args;
  return 0;
}

function checkLsmHook(env: VerifierEnv, id: number, name: string): number {
  if (!env.request.gplCompatible) return refuse(env, 'LSM programs must have a GPL compatible license');
  if (DISABLED_LSM_HOOKS.has(name)) return refuse(env, `attach_btf_id ${id} points to disabled hook ${name}`);
  if (name.startsWith(LSM_PREFIX) && !NO_LSM_HOOKS.has(name)) return 0;
  return refuse(env, `attach_btf_id ${id} points to wrong type name ${name}`);
}

const maySleepIn = (env: VerifierEnv, name: string): boolean => {
  if (env.progType === PROG_TYPE.lsm) return SLEEPABLE_LSM_HOOKS.has(name);
  if (env.progType !== PROG_TYPE.tracing || env.attach.program !== undefined) return false;
  return (isErrorInjectable(env.image, name) && !ATOMIC_INJECTABLE.has(name)) || SLEEPABLE_TEST_FUNCTIONS.has(name);
};

/** Whether the return value of a function may be changed. */
function checkModifyReturn(env: VerifierEnv, name: string): number {
  if (env.attach.program !== undefined) return refuse(env, "can't modify return codes of BPF programs");
  const mptcp = name === MPTCP_HOOK && env.image.config('CONFIG_MPTCP') === 'y';
  const modifiable = mptcp || MODIFIABLE_TEST_FUNCTIONS.has(name) || isErrorInjectable(env.image, name);
  if (modifiable || name.startsWith(SECURITY_PREFIX)) return 0;
  return refuse(env, `${name}() is not modifiable`);
}

/** What Linux looks at when everything else has been found in order. */
function checkDenied(env: VerifierEnv, name: string): number {
  if (env.attach.program !== undefined) return 0;
  if (env.progType === PROG_TYPE.tracing && DENIED.has(name)) {
    return refuse(env, `Attaching tracing programs to function '${name}' is rejected.`);
  }
  if (env.expectedAttachType !== A.trace_fentry && NO_RETURN.has(name)) {
    return refuse(env, `Attaching fexit/fmod_ret to __noreturn function '${name}' is rejected.`);
  }
  return 0;
}

/** A function of the kernel, or of another program; `reliable` where its prototype can be relied on. */
function hookFunction(env: VerifierEnv, btf: Btf, id: number, reliable: boolean): number {
  if (btf.kind(id) !== BTF_KIND.FUNC) return refuse(env, `attach_btf_id ${id} is not a function`);
  const name = btf.name(id);
  const extension = env.progType === PROG_TYPE.ext;
  if (extension && checkTypeMatch(env, btf, id) !== 0) return -ERRNO.EINVAL;
  const proto = reliable ? btf.type(id) : 0;
  const model = reliable ? distillFuncProto(env.log, btf, proto, name) : 0;
  if (typeof model === 'number' && model < 0) return model;
  if (env.attach.program === undefined && env.image.symbolAddress(name) === undefined) {
    return refuse(env, `The address of function ${name} cannot be found`, ERRNO.ENOENT);
  }
  if (env.sleepable) {
    if (!maySleepIn(env, name)) return refuse(env, `${name} is not sleepable`);
  } else if (env.expectedAttachType === A.modify_return) {
    const err = checkModifyReturn(env, name);
    if (err !== 0) return err;
  }
  env.attach.funcProto = proto;
  env.attach.funcName = name;
  return env.progType === PROG_TYPE.lsm ? checkLsmHook(env, id, name) : checkDenied(env, name);
}

/** A replacement is verified by the rules of the program that it becomes a part of. */
function takeRulesOf(env: VerifierEnv, { type, expectedAttachType }: KProgram): void {
  env.progType = type;
  env.expectedAttachType = expectedAttachType;
}

function hookProgram(env: VerifierEnv, program: KProgram, btf: Btf, id: number): number {
  const found = findTargetFunction(env, program, btf);
  if (typeof found === 'number') return found;
  const extension = env.progType === PROG_TYPE.ext;
  if (env.expectedAttachType === A.trace_raw_tp) {
    return refuse(env, 'Only FENTRY/FEXIT progs are attachable to another BPF prog');
  }
  if (env.expectedAttachType === A.trace_iter) return hookIterator(env, btf, id);
  if (!extension && !FUNCTION_HOOKS.has(env.expectedAttachType)) return -ERRNO.EINVAL;
  const err = hookFunction(env, btf, id, !found.unreliable);
  if (err === 0 && extension) takeRulesOf(env, program);
  return err;
}

function hookByBtf(env: VerifierEnv): number {
  const { btf, btfId, program } = env.attach;
  if (btfId === 0) return refuse(env, 'Tracing programs must provide btf_id');
  if (btf === undefined) {
    return refuse(env, 'FENTRY/FEXIT program can only be attached to another program annotated with BTF');
  }
  if (btfId < 0 || btfId >= btf.count) return refuse(env, `attach_btf_id ${btfId} is invalid`);
  if (program !== undefined) return hookProgram(env, program, btf, btfId);
  if (env.progType === PROG_TYPE.ext) return refuse(env, 'Cannot replace kernel functions');
  if (env.expectedAttachType === A.trace_raw_tp) return hookTracepoint(env, btf, btfId);
  if (env.expectedAttachType === A.trace_iter) return hookIterator(env, btf, btfId);
  return FUNCTION_HOOKS.has(env.expectedAttachType) ? hookFunction(env, btf, btfId, true) : -ERRNO.EINVAL;
}

/** Finds what the program hooks into and fills env.attach. 0 or a negative errno. */
export function checkAttachBtfId(env: VerifierEnv): number {
  if (env.progType === PROG_TYPE.syscall) {
    return env.sleepable ? 0 : refuse(env, 'Syscall programs can only be sleepable');
  }
  if (env.sleepable && !canSleep(env)) {
    const kinds = 'fentry/fexit/fmod_ret, lsm, iter, uprobe, and struct_ops';
    return refuse(env, `Only ${kinds} programs can be sleepable`);
  }
  switch (env.progType) {
    case PROG_TYPE.struct_ops:
      return checkStructOps(env);
    case PROG_TYPE.tracing:
    case PROG_TYPE.lsm:
    case PROG_TYPE.ext:
      return hookByBtf(env);
    default:
      return 0;
  }
}
