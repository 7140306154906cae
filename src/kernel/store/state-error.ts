// The one error of the state file.

/** What is wrong: the file is something else, cut or corrupted, of another version, locked for too long, or not accessible. */
export type StateProblem = 'foreign' | 'damaged' | 'version' | 'busy' | 'access';

/** The state file cannot be used. It has not been changed. */
export class StateError extends Error {
  readonly problem: StateProblem;
  readonly path: string;

  /** `path` is empty where the file is not known. */
  constructor(problem: StateProblem, path: string, reason: string) {
    super(`kernel state${path === '' ? '' : ` ${path}`}: ${reason}`);
    this.name = 'StateError';
    this.problem = problem;
    this.path = path;
  }
}

/** Primary result codes of SQLite that say something about the file. */
const PROBLEM_BY_CODE: Readonly<Record<number, readonly [StateProblem, string]>> = {
  5: ['busy', 'another process keeps it locked'],
  6: ['busy', 'another process keeps it locked'],
  8: ['access', 'it is read-only'],
  10: ['access', 'it cannot be read or written'],
  11: ['damaged', 'it is damaged'],
  13: ['access', 'the disk is full'],
  14: ['access', 'it cannot be opened'],
  26: ['foreign', 'it is not a bpftool state file'],
};

/** What is stored cannot be what was stored. */
export const damaged = (what: string): StateError => new StateError('damaged', '', `${what} is damaged`);

/** Turns an error of node:sqlite about the file into a StateError; gives back every other error as it is. */
export function toStateError(error: unknown, path: string): unknown {
  if (!(error instanceof Error) || !('errcode' in error)) return error;
  const known = PROBLEM_BY_CODE[Number(error.errcode) & 0xff];
  return known ? new StateError(known[0], path, known[1]) : new StateError('damaged', path, error.message);
}
