// Something that a program can do next.
import type { Generator } from './generator.ts';

export interface Action {
  readonly weight: number;
  /** False where nothing was written because there was nothing fitting. */
  readonly run: (g: Generator) => boolean;
}

/** Writes actions until the budget is spent or chance ends the block. */
export function writeBlock(g: Generator, actions: readonly Action[], length: number): void {
  const total = actions.reduce((sum, action) => sum + action.weight, 0);
  for (let done = 0, tries = 0; done < length && tries < length * 4 && g.budget > 0; tries++) {
    let left = g.rng.below(total * 16) / 16;
    const action = actions.find((a) => {
      left -= a.weight;
      return left < 0;
    });
    const before = g.asm.length;
    if (action?.run(g)) done++;
    g.budget -= g.asm.length - before;
  }
}
