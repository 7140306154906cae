import { ERRNO } from '../errno.ts';

/** BTF that cannot be used: malformed bytes, an id that does not exist, or types that do not fit together. */
export class BtfError extends Error {
  /** The errno (positive) that libbpf gives for it. */
  readonly errno: number;
  /** libbpf tells the message to the user as a warning; otherwise only at debug level. */
  readonly warned: boolean;

  constructor(message: string, options: { errno?: number; warned?: boolean } = {}) {
    super(message);
    this.name = 'BtfError';
    this.errno = options.errno ?? ERRNO.EINVAL;
    this.warned = options.warned ?? false;
  }
}
