// Where kernels show their types and other files of their own.

export const SYSFS_BTF = '/sys/kernel/btf/';
export const VMLINUX = `${SYSFS_BTF}vmlinux`;
export const KERNEL_FOLDERS = ['/sys/', '/proc/', '/boot/'];
