// Security hooks: prototypes of the helper functions, by helper number; variants stand beside their kind.
import { A, btf, btfOrNullRet, type ProtoTable, R } from '../verifier/helper-proto.ts';

export const LSM_HELPERS = {
  bprm_opts_set: { ret: R.int, args: [btf('linux_binprm'), A.any] },
  ima_inode_hash: { ret: R.int, args: [btf('inode'), A.out, A.size], sleeps: true, allowed: 'sleepable-lsm-hook' },
  sock_from_file: { ret: btfOrNullRet('socket'), args: [btf('file')] },
  ima_file_hash: { ret: R.int, args: [btf('file'), A.out, A.size], sleeps: true, allowed: 'sleepable-lsm-hook' },
} satisfies ProtoTable;
