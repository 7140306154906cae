// A run of the command line whose output is kept, for tests and comparisons.
import type { Kernel } from '../src/syscall.ts';
import { type KernelFactory, run } from './run.ts';

/** The kernel without an end of commands: its descriptors outlive each. */
export const keptOpen = (kernel: Kernel): Kernel =>
  Object.create(kernel, { closeAll: { value: () => undefined } }) as Kernel;

/** Bytes that are not text are a character each in `out`. */
export async function runKept(
  words: readonly string[],
  open?: KernelFactory,
): Promise<{ status: number; out: string; err: string }> {
  const out: string[] = [];
  let err = '';
  const output = {
    out: (text: string | Uint8Array) =>
      void out.push(typeof text === 'string' ? text : Buffer.from(text).toString('latin1')),
    err: (text: string) => {
      err += text;
    },
  };
  const status = await run(words, output, open);
  return { status, out: out.join(''), err };
}
