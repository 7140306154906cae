// Bounds on the work that one dump may do, so that types which refer to each other in circles end in an error.
import { BtfError } from '../btf-error.ts';

/** Steps that any data may take, and more for each type: a kernel takes about four. */
const FREE_STEPS = 1_000_000;
const STEPS_PER_TYPE = 100;
/** A kernel needs less than twenty. */
const MAX_DEPTH = 400;

/** What the text of one type on one line may take. */
const STEPS_OF_TEXT = 50_000;

/** Counts steps and nesting of one dump. */
export class WorkLimit {
  private readonly maxSteps: number;
  private steps = 0;
  private depth = 0;

  private constructor(maxSteps: number) {
    this.maxSteps = maxSteps;
  }

  /** For all of a number of types. */
  static ofDump(types: number): WorkLimit {
    return new WorkLimit(FREE_STEPS + STEPS_PER_TYPE * types);
  }

  /** For a type with its anonymous parts; restart() before the next. */
  static ofText(): WorkLimit {
    return new WorkLimit(STEPS_OF_TEXT);
  }

  /** Begins another piece of work, which may take as much. */
  restart(): void {
    this.steps = 0;
    this.depth = 0;
  }

  /** One step; throws BtfError when there were too many. */
  step(): void {
    if (++this.steps > this.maxSteps) throw new BtfError('types refer to each other too often');
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
