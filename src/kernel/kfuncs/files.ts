// Files and their attributes.
import { PROG_TYPE } from '../../isa/uapi.ts';
import { KF, type KfuncSet } from './kfunc-set.ts';

/** Rule: bpf_fs_kfunc_set_ids, bpf_fs_kfuncs.c. */
export const FILE_KFUNCS: KfuncSet = {
  hooks: ['tracing'],
  when: (view) => view.progType === PROG_TYPE.lsm,
  flags: {
    bpf_get_task_exe_file: KF.ACQUIRE | KF.TRUSTED_ARGS | KF.RET_NULL,
    bpf_put_file: KF.RELEASE,
    bpf_path_d_path: KF.TRUSTED_ARGS,
    bpf_get_dentry_xattr: KF.SLEEPABLE | KF.TRUSTED_ARGS,
    bpf_get_file_xattr: KF.SLEEPABLE | KF.TRUSTED_ARGS,
    bpf_set_dentry_xattr: KF.SLEEPABLE | KF.TRUSTED_ARGS,
    bpf_remove_dentry_xattr: KF.SLEEPABLE | KF.TRUSTED_ARGS,
  },
};
