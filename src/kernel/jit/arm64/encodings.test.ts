import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { JitOutput } from '../jit.ts';
import { compileProgram } from './compile.ts';
import { type EncodingCase, encodingCases } from './testing/encodings.ts';
import { randomProgram } from './testing/random-program.ts';
import { testInput } from './testing/test-image.ts';

const data = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../../../testdata/jit/arm64/${name}.json`, import.meta.url), 'utf8'));

function wordsOf({ bytes }: JitOutput): string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return Array.from({ length: bytes.length / 4 }, (_, i) =>
    view
      .getUint32(i * 4, true)
      .toString(16)
      .padStart(8, '0'),
  );
}

/** A function in the words of the captured answers. */
function answerOf(output: JitOutput, size: number): string {
  const offsets = output.insnOffsets.map((n) => ` ${n}`).join('');
  const table = output.exceptionTable.map((e) => ` ${e.insnOffset}:${e.fixup}:1`).join('');
  return `F ${size} ${output.address} ${wordsOf(output).join('')} O${offsets} X${table}\n`;
}

function answer({ program, whole }: EncodingCase): string {
  const sizes: number[] = [];
  let stack = 0;
  const code = compileProgram({
    ...program,
    allocate: (bytes) => 0xffff800080001000n + BigInt(sizes.push(bytes) - 1) * 0x4000n,
    allocatePerCpu: () => 0x7dff00010000n + BigInt(stack++) * 0x1000n,
  });
  if (whole)
    return code
      .map((c, i) => answerOf(c, sizes[i]))
      .join('')
      .trim();
  const [first, second] = code[0].insnOffsets.map((n) => n / 4);
  return wordsOf(code[0]).slice(first, second).join('');
}

const captured = data('encodings') as Record<string, string[]>;
const cases = Map.groupBy(encodingCases(), ({ group }) => group);

describe('arm64 machine code', () => {
  it('is compared for every captured group', () => {
    expect([...cases.keys()]).toEqual(Object.keys(captured));
  });

  it.each([...cases])('of %s is that of Linux', (group, items) => {
    // A constant may be loaded in two slots; its code is that of the first.
    expect(items.map(answer)).toEqual(captured[group]);
  });

  it('of generated programs is that of Linux in every word, offset, size and table entry', () => {
    const digests = data('programs') as string[];
    const ours = digests.map((_, i) => {
      const sizes: number[] = [];
      const code = compileProgram(testInput(randomProgram(i + 1), sizes));
      const text = code.map((c, f) => answerOf(c, sizes[f])).join('');
      return createHash('sha256').update(text).digest('hex').slice(0, 16);
    });
    expect(ours).toEqual(digests);
  });
});
