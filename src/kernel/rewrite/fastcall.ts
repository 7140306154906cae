// Spills and fills around calls that keep their registers.
import type { VerifierEnv } from '../verifier/env.ts';
import { goto } from './build.ts';

/**
 * Makes no-ops of the spills before and the fills after each call that the verifier found to follow the fastcall
 * pattern; the stack of a function that has such calls only shrinks. removeNops takes the no-ops out later.
 * rule: remove_fastcall_spills_fills, 6.18
 */
export function removeFastcallSpillsFills(env: VerifierEnv): number {
  const { insns, aux, subprogs } = env;
  subprogs.forEach((subprog, k) => {
    const end = subprogs[k + 1]?.start ?? insns.length;
    let modified = false;
    for (let i = subprog.start; i < end; i++) {
      const spills = aux[i].fastcallSpillsNum;
      for (let j = 1; j <= spills; j++) {
        insns[i - j] = goto(0);
        insns[i + j] = goto(0);
      }
      if (spills > 0) modified = true;
    }
    if (modified && !subprog.keepFastcallStack) subprog.stackDepth = 0 - subprog.fastcallStackOff;
  });
  return 0;
}
