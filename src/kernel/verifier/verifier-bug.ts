import { ERRNO } from '../../errno.ts';
import type { VerifierEnv } from './env.ts';

/**
 * Reports a state that correct code never reaches and gives -EFAULT. `condition` is the C text that the kernel prints
 * where it checks with verifier_bug_if.
 */
export function verifierBug(env: VerifierEnv, text: string, condition?: string): number {
  env.log.write(`verifier bug: ${text}${condition === undefined ? '' : ` (${condition})`}\n`);
  return -ERRNO.EFAULT;
}
