// What the verifier claimed, as a graph: a node for each state that it executed an instruction in, an edge to each state
// that it went on with.
import type { VerifierEnv, WalkObserver } from '../../verifier/env.ts';
import type { FuncState, VerifierState } from '../../verifier/types.ts';

export interface ClaimNode {
  readonly insn: number;
  /** What was claimed, outermost frame first. */
  readonly frames: readonly FuncState[];
  readonly next: Edge[];
}

/**
 * A way on. Where a path was cut because it equals a kept state, the way goes on from there: `cut` holds what was
 * claimed of the path that ended, and the kept state, whose marks of precision grow until the walk is over.
 */
export interface Edge {
  readonly to: ClaimNode;
  readonly cut: { readonly frames: readonly FuncState[]; readonly equal: VerifierState } | undefined;
}

/** Nodes that a graph takes at most; it is of no use then. */
const MAX_NODES = 30_000;

const snapshot = (state: VerifierState): FuncState[] =>
  state.frame.slice(0, state.curframe + 1).map((frame) => frame.freeze());

/** Collects the graph; give it to a verification as its observer. Wrong-path (speculative) states are left out. */
export class ClaimGraph implements WalkObserver {
  /** First states of functions that are verified by themselves, by their first instruction. */
  readonly roots: Map<number, ClaimNode> = new Map();
  nodes = 0;
  /** Nodes were left out because there were too many. */
  truncated = false;
  private lastState: VerifierState | undefined = undefined;
  private lastNode: ClaimNode | undefined = undefined;
  /** Node after which a path was put aside. */
  private readonly origins = new WeakMap<VerifierState, ClaimNode>();
  /** Node at which a state was kept. */
  private readonly kept = new WeakMap<VerifierState, ClaimNode>();

  /** The node that was added last. */
  get newest(): ClaimNode | undefined {
    return this.lastNode;
  }

  visit(env: VerifierEnv): void {
    if (this.nodes >= MAX_NODES) this.truncated = true;
    if (this.truncated) return;
    const { state } = env;
    const from = this.origin(env);
    const isRoot = from === undefined && state !== this.lastState;
    const node: ClaimNode = { insn: env.insnIdx, frames: state.speculative ? [] : snapshot(state), next: [] };
    this.lastState = state;
    this.lastNode = node;
    if (state.speculative) return;
    this.nodes++;
    const { parent } = state;
    if (parent !== undefined && !this.kept.has(parent)) this.kept.set(parent, node);
    if (isRoot) this.roots.set(env.insnIdx, node);
    else from?.next.push({ to: node, cut: undefined });
  }

  pruned(env: VerifierEnv, equal: VerifierState): void {
    if (this.truncated || env.state.speculative) return;
    const from = this.origin(env);
    const to = this.kept.get(equal);
    if (to === undefined || from === undefined) return;
    from.next.push({ to, cut: { frames: snapshot(env.state), equal } });
  }

  /** The node that the current state comes from; undefined where it is the first one of a function. */
  private origin(env: VerifierEnv): ClaimNode | undefined {
    const { pending, state } = env;
    const { lastNode } = this;
    for (let i = pending.length - 1; lastNode !== undefined && i >= 0; i--) {
      if (this.origins.has(pending[i].state)) break;
      this.origins.set(pending[i].state, lastNode);
    }
    return state === this.lastState ? lastNode : this.origins.get(state);
  }
}
