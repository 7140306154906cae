// The instructions of each function with successors (mostly) before predecessors, for analyses that go backwards.
// Rule: compute_postorder, verifier.c, 6.18.
import type { VerifierEnv } from './env.ts';
import { successors } from './insn-kinds.ts';

const DISCOVERED = 1;
const EXPLORED = 2;

/**
 * Fills env.postorder and the functions' postorderStart. Both successors of a jump count as discovered at once, so this
 * is not a true postorder; what is printed later follows this order.
 */
export function computePostorder(env: VerifierEnv): void {
  const { insns } = env;
  const order = new Int32Array(insns.length);
  const state = new Uint8Array(insns.length);
  const stack = new Int32Array(insns.length);
  const next = new Int32Array(2);
  let count = 0;
  for (const subprog of env.subprogs) {
    subprog.postorderStart = count;
    stack[0] = subprog.start;
    let depth = 1;
    while (depth > 0) {
      const top = stack[depth - 1];
      state[top] |= DISCOVERED;
      if ((state[top] & EXPLORED) !== 0) {
        order[count++] = top;
        depth--;
        continue;
      }
      const n = successors(insns, top, next);
      for (let s = 0; s < n; s++) {
        if (state[next[s]] !== 0) continue;
        stack[depth++] = next[s];
        state[next[s]] = DISCOVERED;
      }
      state[top] |= EXPLORED;
    }
  }
  env.postorder = order.subarray(0, count);
}
