// A run of the command line whose output is kept, for tests.
import { type KernelFactory, run } from './run.ts';

/** Bytes that are not text are a character each in `out`. */
export async function runKept(
  words: string[],
  open: KernelFactory,
): Promise<{ status: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const output = {
    out: (text: string | Uint8Array) => {
      out += typeof text === 'string' ? text : Buffer.from(text).toString('latin1');
    },
    err: (text: string) => {
      err += text;
    },
  };
  const status = await run(words, output, open);
  return { status, out, err };
}
