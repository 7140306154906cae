// Errors in the midst of an expression.
import { ERRNO, SysError } from '../../errno.ts';

export const fail = (errno: number): never => {
  throw new SysError(errno);
};

export const absent = (): never => fail(ERRNO.ENOENT);
