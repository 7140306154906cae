// What a system call answers, for tests.
import { SysError } from '../errno.ts';

/** 0, or the number of the SysError that the work ends with; other errors go on upwards. */
export function errnoOf(work: () => unknown): number {
  try {
    work();
  } catch (e) {
    if (e instanceof SysError) return e.errno;
    throw e;
  }
  return 0;
}
