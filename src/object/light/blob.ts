// The data that a loader program reads and writes: attributes, strings, instructions, contents of maps.
import { ERRNO } from '../../errno.ts';

const MAX_BYTES = 0x7fffffff;
const INITIAL_BYTES = 4096;

/** Something that went wrong while the loader program was written; a positive errno, 0 before that. */
export interface Failure {
  errno: number;
}

/** Bytes that grow; every piece begins at a multiple of 8. */
export class Blob {
  private store = new Uint8Array(INITIAL_BYTES);
  private used = 0;
  private readonly failure: Failure;

  /** After a failure nothing is added any more. */
  constructor(failure: Failure) {
    this.failure = failure;
  }

  /** Adds bytes, or so many zeroes; gives the offset of the first one, 0 after a failure. */
  add(data: Uint8Array | number): number {
    const size = typeof data === 'number' ? data : data.length;
    const at = this.used;
    const end = at + Math.ceil(size / 8) * 8;
    if (!this.failure.errno && end > MAX_BYTES) this.failure.errno = ERRNO.ERANGE;
    if (this.failure.errno) return 0;
    if (end > this.store.length) {
      const larger = new Uint8Array(Math.max(end, this.store.length * 2));
      larger.set(this.store.subarray(0, at));
      this.store = larger;
    }
    if (typeof data !== 'number') this.store.set(data, at);
    this.used = end;
    return at;
  }

  /** Adds a string with its NUL; gives its offset. */
  addString(text: string): number {
    return this.add(zeroTerminated(text));
  }

  bytes(): Uint8Array {
    return this.store.slice(0, this.used);
  }
}

export const zeroTerminated = (text: string): Uint8Array => Buffer.from(`${text}\0`);
