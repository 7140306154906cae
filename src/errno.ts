// Linux error numbers: the ones that the BPF subsystem, bpffs and libbpf give.

/** Number and the sentence of strerror(3) for each name. */
const TABLE = {
  EPERM: [1, 'Operation not permitted'],
  ENOENT: [2, 'No such file or directory'],
  ESRCH: [3, 'No such process'],
  EINTR: [4, 'Interrupted system call'],
  EIO: [5, 'Input/output error'],
  E2BIG: [7, 'Argument list too long'],
  ENOEXEC: [8, 'Exec format error'],
  EBADF: [9, 'Bad file descriptor'],
  EAGAIN: [11, 'Resource temporarily unavailable'],
  ENOMEM: [12, 'Cannot allocate memory'],
  EACCES: [13, 'Permission denied'],
  EFAULT: [14, 'Bad address'],
  EBUSY: [16, 'Device or resource busy'],
  EEXIST: [17, 'File exists'],
  EXDEV: [18, 'Invalid cross-device link'],
  ENODEV: [19, 'No such device'],
  ENOTDIR: [20, 'Not a directory'],
  EISDIR: [21, 'Is a directory'],
  EINVAL: [22, 'Invalid argument'],
  ENOSPC: [28, 'No space left on device'],
  EROFS: [30, 'Read-only file system'],
  ERANGE: [34, 'Numerical result out of range'],
  ENAMETOOLONG: [36, 'File name too long'],
  ENOSYS: [38, 'Function not implemented'],
  ENOTEMPTY: [39, 'Directory not empty'],
  ELOOP: [40, 'Too many levels of symbolic links'],
  ENODATA: [61, 'No data available'],
  EPROTO: [71, 'Protocol error'],
  EOVERFLOW: [75, 'Value too large for defined data type'],
  EOPNOTSUPP: [95, 'Operation not supported'],
  EINPROGRESS: [115, 'Operation now in progress'],
  ESTALE: [116, 'Stale file handle'],
  ENOTSUPP: [524, 'Unknown error 524'],
} as const satisfies Record<string, readonly [number, string]>;

export type ErrnoName = keyof typeof TABLE;

export const ERRNO = Object.freeze(
  Object.fromEntries(Object.entries(TABLE).map(([name, [number]]) => [name, number])),
) as Readonly<Record<ErrnoName, number>>;

const byNumber = new Map<number, ErrnoName>(Object.entries(TABLE).map(([name, [n]]) => [n, name as ErrnoName]));

/** strerror(3) of a positive error number. */
export const strerror = (errno: number): string => {
  if (errno === 0) return 'Success';
  const name = byNumber.get(errno);
  return name ? TABLE[name][1] : `Unknown error ${errno}`;
};

/** A system call that failed: `errno` is positive, the message is strerror's unless another is given. */
export class SysError extends Error {
  readonly errno: number;
  constructor(errno: number | ErrnoName, message?: string) {
    const n = typeof errno === 'number' ? errno : ERRNO[errno];
    super(message ?? strerror(n));
    this.name = 'SysError';
    this.errno = n;
  }
}

/** True of a SysError with this number. */
export const isErrno = (error: unknown, name: ErrnoName): boolean =>
  error instanceof SysError && error.errno === ERRNO[name];
