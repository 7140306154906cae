// How code generation ends where there is no code.
import { SysError } from '../../../errno.ts';

/** The way Linux gives up on a program: "not supported", whatever the cause. */
export const giveUp = (why: string): SysError => new SysError('ENOTSUPP', `arm64 code generation: ${why}`);
