// Blocks at whose end something is given back: references, locks, iterators.
import { type Action, writeBlock } from './action.ts';
import type { Escape, Generator } from './generator.ts';

const MAX_DEPTH = 3;

/** May another such block begin here? */
export const mayOpen = (g: Generator): boolean => g.escapes.length < MAX_DEPTH && g.nesting < 5;

/**
 * Writes a block between something that was taken just before and `close`, which gives it back. Paths that give up
 * inside meet at its end.
 */
export function scoped(g: Generator, actions: readonly Action[], length: number, close: () => void): void {
  const exit: Escape = { label: g.asm.label(), states: [] };
  g.escapes.push(exit);
  g.nesting++;
  writeBlock(g, actions, length);
  g.nesting--;
  g.escapes.pop();
  landAt(g, exit);
  close();
}

/** Places an exit here: the state is what all paths to it have in common. */
export function landAt(g: Generator, exit: Escape): void {
  g.asm.place(exit.label);
  for (const state of exit.states) g.state.join(state);
}
