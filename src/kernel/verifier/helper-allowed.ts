// Conditions that some helpers set on what the program hooks into. Rule: `allowed` of the prototypes in bpf_trace.c,
// bpf_lsm.c and bpf_sk_storage.c, 6.18.
import { ATTACH_TYPE, PROG_TYPE } from '../../isa/uapi.ts';
import type { VerifierEnv } from './env.ts';
import type { HelperCondition } from './helper-proto.ts';
import { SLEEPABLE_LSM_HOOKS } from './lsm-hooks.ts';

/** Functions in which bpf_d_path cannot deadlock. */
const D_PATH: ReadonlySet<string> = new Set([
  'security_file_permission',
  'security_inode_getattr',
  'security_file_open',
  'security_path_truncate',
  'vfs_truncate',
  'vfs_fallocate',
  'dentry_open',
  'vfs_getattr',
  'filp_close',
]);

/** Kernel function that the program hooks into. */
const hook = (env: VerifierEnv): string => {
  const { btf, btfId } = env.attach;
  return btf === undefined || btfId <= 0 || btfId >= btf.count ? '' : btf.name(btfId);
};

const inSleepableHook = (env: VerifierEnv): boolean => SLEEPABLE_LSM_HOOKS.has(hook(env));

export function isHelperAllowed(env: VerifierEnv, condition: HelperCondition): boolean {
  const at = env.expectedAttachType;
  switch (condition) {
    case 'sleepable-lsm-hook':
      return inSleepableHook(env);
    case 'd-path':
      if (env.progType === PROG_TYPE.tracing && at === ATTACH_TYPE.trace_iter) return true;
      return env.progType === PROG_TYPE.lsm ? inSleepableHook(env) : D_PATH.has(hook(env));
    case 'sk-storage-tracing':
      if (at === ATTACH_TYPE.trace_iter || at === ATTACH_TYPE.trace_raw_tp) return true;
      if (at !== ATTACH_TYPE.trace_fentry && at !== ATTACH_TYPE.trace_fexit) return false;
      return !env.attach.funcName.startsWith('bpf_sk_storage');
  }
}
