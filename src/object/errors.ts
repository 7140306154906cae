// Error numbers of libbpf 1.8 and how it writes them in its messages.
import { SysError, strerror } from '../errno.ts';

/** Errors of libbpf's own (`enum libbpf_errno`). */
export const LIBBPF_ERRNO = {
  LIBELF: 4000,
  FORMAT: 4001,
  KVERSION: 4002,
  ENDIAN: 4003,
  INTERNAL: 4004,
  RELOC: 4005,
} as const;

const LIBBPF_SENTENCES: Readonly<Record<number, string>> = {
  4000: 'Something wrong in libelf',
  4001: 'BPF object format invalid',
  4002: "'version' section incorrect or lost",
  4003: 'Endian mismatch',
  4004: 'Internal error in libbpf',
  4005: 'Relocation failed',
};

/** Numbers that libbpf writes by name; the others it writes as numbers. */
const NAMED: Readonly<Record<number, string>> = {
  1: 'EPERM',
  2: 'ENOENT',
  3: 'ESRCH',
  4: 'EINTR',
  5: 'EIO',
  6: 'ENXIO',
  7: 'E2BIG',
  8: 'ENOEXEC',
  9: 'EBADF',
  10: 'ECHILD',
  11: 'EAGAIN',
  12: 'ENOMEM',
  13: 'EACCES',
  14: 'EFAULT',
  15: 'ENOTBLK',
  16: 'EBUSY',
  17: 'EEXIST',
  18: 'EXDEV',
  19: 'ENODEV',
  20: 'ENOTDIR',
  21: 'EISDIR',
  22: 'EINVAL',
  23: 'ENFILE',
  24: 'EMFILE',
  25: 'ENOTTY',
  26: 'ETXTBSY',
  27: 'EFBIG',
  28: 'ENOSPC',
  29: 'ESPIPE',
  30: 'EROFS',
  31: 'EMLINK',
  32: 'EPIPE',
  33: 'EDOM',
  34: 'ERANGE',
  35: 'EDEADLK',
  36: 'ENAMETOOLONG',
  40: 'ELOOP',
  61: 'ENODATA',
  67: 'ENOLINK',
  71: 'EPROTO',
  75: 'EOVERFLOW',
  77: 'EBADFD',
  84: 'EILSEQ',
  90: 'EMSGSIZE',
  93: 'EPROTONOSUPPORT',
  95: 'EOPNOTSUPP',
  98: 'EADDRINUSE',
  99: 'EADDRNOTAVAIL',
  114: 'EALREADY',
  115: 'EINPROGRESS',
  117: 'EUCLEAN',
  125: 'ECANCELED',
  524: 'ENOTSUPP',
};

/** "-ENOENT" of 2, "-4001" of a number without a name. */
export const errstr = (errno: number): string => `-${NAMED[errno] ?? errno}`;

/** The sentence that bpftool prints for an error of libbpf (libbpf_strerror). */
export const libbpfStrerror = (errno: number): string => LIBBPF_SENTENCES[errno] ?? strerror(errno);

/** An object that cannot be opened or loaded. The reason in words has gone to the printer. `errno` is positive. */
export class ObjectError extends SysError {
  constructor(errno: number | ConstructorParameters<typeof SysError>[0], message?: string) {
    const plain = new SysError(errno);
    super(plain.errno, message ?? libbpfStrerror(plain.errno));
    this.name = 'ObjectError';
  }
}

/** A program that the kernel refused. */
export class LoadError extends ObjectError {
  /** Name of the program. */
  readonly program: string;
  /** The verifier's log with libbpf's improvements; empty where there is none. */
  readonly log: string;

  constructor(errno: number, program: string, log: string) {
    super(errno);
    this.name = 'LoadError';
    this.program = program;
    this.log = log;
  }
}
