// Loops of the control flow graph: instructions that can reach each other get a number of their own.
// Rule: compute_scc, verifier.c, 6.18 (Tarjan's algorithm with an explicit stack).
import type { VerifierEnv } from './env.ts';
import { successors } from './insn-kinds.ts';

/** Larger than any preorder number: out of the way of every minimum. */
const NOT_ON_STACK = 0xffffffff;

/** Sets `scc` of every instruction that lies in a loop, counting from 1 as loops are completed. */
export function computeScc(env: VerifierEnv): void {
  const { insns, aux } = env;
  const count = insns.length;
  const stack = new Int32Array(count);
  const pre = new Uint32Array(count);
  const low = new Uint32Array(count);
  const dfs = new Int32Array(count);
  const next = new Int32Array(2);
  let number = 1;
  let sccId = 1;

  /** One step at the top of the walk: the instruction to go down to, or -1. */
  const descend = (w: number, n: number): number => {
    for (let j = 0; j < n; j++) {
      const s = next[j];
      if (pre[s] === 0) return s;
      if (low[s] < low[w]) low[w] = low[s];
    }
    return -1;
  };

  for (let root = 0; root < count; root++) {
    if (pre[root] !== 0) continue;
    let stackSize = 0;
    let depth = 1;
    dfs[0] = root;
    while (depth > 0) {
      const w = dfs[depth - 1];
      if (pre[w] === 0) {
        low[w] = number;
        pre[w] = number++;
        stack[stackSize++] = w;
      }
      const n = successors(insns, w, next);
      const child = descend(w, n);
      if (child >= 0) {
        dfs[depth++] = child;
        continue;
      }
      depth--;
      if (low[w] < pre[w]) continue;
      const selfEdge = (n > 0 && next[0] === w) || (n > 1 && next[1] === w);
      const isLoop = stack[stackSize - 1] !== w || selfEdge;
      let t: number;
      do {
        t = stack[--stackSize];
        low[t] = NOT_ON_STACK;
        if (isLoop) aux[t].scc = sccId;
      } while (t !== w);
      if (isLoop) sccId++;
    }
  }
  env.sccVisits = new Array(sccId).fill(undefined);
}
