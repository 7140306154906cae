// What is asked of a kernel, and its answer: the form shared by all scenarios.
import { SysError } from '../../src/errno.ts';

export interface Answer {
  /** What was tried, readable. */
  what: string;
  /** Errno, or the result: hex bytes, text, or "ok". */
  answer: number | string;
}

/** The errno of an attempt, or its result. */
export function ask(attempt: () => Uint8Array | string | number | bigint | undefined): number | string {
  try {
    const result = attempt();
    if (result instanceof Uint8Array) return Buffer.from(result).toString('hex');
    return result === undefined ? 'ok' : String(result);
  } catch (e) {
    if (e instanceof SysError) return e.errno;
    throw e;
  }
}

export function u32(n: number): Uint8Array {
  const b = new Uint8Array(4);
  new DataView(b.buffer).setUint32(0, n, true);
  return b;
}

export const u32Of = (b: Uint8Array): number => new DataView(b.buffer, b.byteOffset, 4).getUint32(0, true);
