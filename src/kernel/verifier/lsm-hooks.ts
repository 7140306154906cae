// Security hooks with properties of their own. Rule: sleepable_lsm_hooks, untrusted_lsm_hooks,
// bool_lsm_hooks, bpf_lsm.c, 6.18.

const SLEEPABLE = [
  'bpf',
  'bpf_map',
  'bpf_map_create',
  'bpf_map_free',
  'bpf_prog',
  'bpf_prog_load',
  'bpf_prog_free',
  'bpf_token_create',
  'bpf_token_free',
  'bpf_token_cmd',
  'bpf_token_capable',
  'bprm_check_security',
  'bprm_committed_creds',
  'bprm_committing_creds',
  'bprm_creds_for_exec',
  'bprm_creds_from_file',
  'capget',
  'capset',
  'cred_prepare',
  'file_ioctl',
  'file_lock',
  'file_open',
  'file_post_open',
  'file_receive',
  'inode_create',
  'inode_free_security',
  'inode_getattr',
  'inode_getxattr',
  'inode_mknod',
  'inode_need_killpriv',
  'inode_post_setxattr',
  'inode_post_removexattr',
  'inode_readlink',
  'inode_removexattr',
  'inode_rename',
  'inode_rmdir',
  'inode_setattr',
  'inode_setxattr',
  'inode_symlink',
  'inode_unlink',
  'kernel_module_request',
  'kernel_read_file',
  'kernfs_init_security',
  'path_unlink',
  'path_mkdir',
  'path_rmdir',
  'path_truncate',
  'path_symlink',
  'path_link',
  'path_rename',
  'path_chmod',
  'path_chown',
  'mmap_file',
  'netlink_send',
  'path_notify',
  'release_secctx',
  'sb_alloc_security',
  'sb_eat_lsm_opts',
  'sb_kern_mount',
  'sb_mount',
  'sb_remount',
  'sb_set_mnt_opts',
  'sb_show_options',
  'sb_statfs',
  'sb_umount',
  'settime',
  'socket_accept',
  'socket_bind',
  'socket_connect',
  'socket_create',
  'socket_getpeername',
  'socket_getpeersec_dgram',
  'socket_getsockname',
  'socket_getsockopt',
  'socket_listen',
  'socket_post_create',
  'socket_recvmsg',
  'socket_sendmsg',
  'socket_shutdown',
  'socket_socketpair',
  'syslog',
  'task_alloc',
  'task_prctl',
  'task_setscheduler',
  'userns_create',
];

/** Hooks that see objects which are being made or freed. */
const UNTRUSTED = [
  'bpf_map_free',
  'bpf_prog_free',
  'file_alloc_security',
  'file_free_security',
  'sk_alloc_security',
  'sk_free_security',
  'task_free',
];

const functionsOf = (hooks: readonly string[]): ReadonlySet<string> => new Set(hooks.map((hook) => `bpf_lsm_${hook}`));

/** Hooks that answer yes or no instead of an error. */
const BOOLEAN = ['xfrm_state_pol_flow_match', 'audit_rule_known', 'inode_xattr_skipcap'];

/** Kernel functions of the hooks that are called where the task may sleep. */
export const SLEEPABLE_LSM_HOOKS = functionsOf(SLEEPABLE);

/** Kernel functions of the hooks whose arguments cannot be relied on. */
export const UNTRUSTED_LSM_HOOKS = functionsOf(UNTRUSTED);

/** Kernel functions of the hooks that return 0 or 1. */
export const BOOLEAN_LSM_HOOKS = functionsOf(BOOLEAN);

/** Kernel functions of the hooks that are called with the socket locked. Rule: bpf_lsm_locked_sockopt_hooks. */
export const LOCKED_SOCKET_HOOKS = functionsOf(['sock_graft', 'inet_csk_clone', 'inet_conn_established']);

/** Kernel functions of the hooks that see sockets which nobody else uses yet. Rule: bpf_lsm_unlocked_sockopt_hooks. */
export const UNLOCKED_SOCKET_HOOKS = functionsOf(['socket_post_create', 'socket_socketpair']);

/** Kernel functions that are named like hooks and are none. */
export const NO_LSM_HOOKS = functionsOf([
  'find_cgroup_shim',
  'func_proto',
  'get_retval_range',
  'has_d_inode_locked',
  'hook_returns_errno',
  'init',
  'is_sleepable_hook',
  'is_trusted',
  'verify_prog',
]);
