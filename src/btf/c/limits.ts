// Bounds on the work that one dump may do, so that types which refer to each other in circles end in an error.
import { BtfError } from '../btf-error.ts';

const MAX_STEPS = 20_000_000;
const MAX_DEPTH = 800;

/** Counts steps and nesting of one dump. */
export class WorkLimit {
  private steps = 0;
  private depth = 0;

  /** One step; throws BtfError when there were too many. */
  step(): void {
    if (++this.steps > MAX_STEPS) throw new BtfError('types refer to each other too often');
  }

  /** Begins a nested piece of work on a type; throws BtfError when the nesting is too deep. */
  enter(id: number): void {
    this.step();
    if (++this.depth > MAX_DEPTH) throw new BtfError(`types are nested too deeply at id ${id}`);
  }

  leave(): void {
    this.depth--;
  }
}
