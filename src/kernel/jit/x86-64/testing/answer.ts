// Machine code in the words in which the answers of Linux's own emitter are captured.
import { SysError } from '../../../../errno.ts';
import type { JitInput } from '../../jit.ts';
import { compileProgram } from '../compile.ts';

/** Where functions of cases lie. */
export const addressOf = (index: number): bigint => 0xffffffffc0000000n + BigInt(index) * 0x10000n;
export const privateStackOf = (index: number): bigint => 0x607f80010000n + BigInt(index) * 0x1000n;

/**
 * Of each function its greatest size, address, bytes, offsets of instructions and exception table; "BAD" if it is not
 * compiled.
 */
export function answerOf(program: JitInput): string {
  const sizes: number[] = [];
  const stacks = program.functions.flatMap((f, i) => (f.privateStack ? [privateStackOf(i)] : []));
  try {
    const code = compileProgram({
      ...program,
      allocate: (bytes) => addressOf(sizes.push(bytes) - 1),
      allocatePerCpu: () => stacks.shift() ?? 0n,
    });
    return code
      .map(({ address, bytes, insnOffsets, exceptionTable }, i) => {
        const offsets = insnOffsets.map((n) => ` ${n}`).join('');
        const table = exceptionTable.map((e) => ` ${e.insnOffset}:${e.fixup}:${e.data}`).join('');
        return `F ${sizes[i]} ${address} ${Buffer.from(bytes).toString('hex')} O${offsets} X${table}\n`;
      })
      .join('');
  } catch (error) {
    if (error instanceof SysError) return 'BAD\n';
    throw error;
  }
}

/** A function's code and where it lies. */
export interface PlacedCode {
  address: bigint;
  bytes: Uint8Array;
}

/** The code that an answer tells of. */
export const codeOfAnswer = (answer: string): PlacedCode[] =>
  answer
    .split('\n')
    .filter((line) => line.startsWith('F '))
    .map((line) => {
      const [, , address, hex] = line.split(' ');
      return { address: BigInt(address), bytes: Buffer.from(hex, 'hex') };
    });
