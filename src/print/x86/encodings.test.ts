import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { zstdDecompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { codeOfAnswer } from '../../kernel/jit/x86-64/testing/answer.ts';
import { loadDisassembler } from './att.ts';

type Captured = Record<string, string[]>;

const read = (name: string): Captured => {
  const packed = readFileSync(new URL(`../../../testdata/jit/x86-64/${name}`, import.meta.url));
  return JSON.parse(zstdDecompressSync(packed).toString()) as Captured;
};
const answers = read('encodings.json.zst');
const texts = read('text.json.zst');
const disassembler = await loadDisassembler();

/** Digest of offset, length and pieces of each instruction of each function. */
function textOf(answer: string): string {
  const hash = createHash('sha256');
  for (const { address, bytes } of codeOfAnswer(answer)) {
    for (const { offset, length, pieces } of disassembler.disassemble(bytes, address)) {
      hash.update(`${offset.toString(16)} ${length} ${pieces.join('\x1f')}\n`);
    }
  }
  return hash.digest('hex').slice(0, 16);
}

describe('the text of machine code that Linux makes', () => {
  it('is compared for every captured group', () => {
    expect(Object.keys(texts)).toEqual(Object.keys(answers));
  });

  it.each(Object.keys(answers))('of %s is that of the GNU disassembler at every boundary', (group) => {
    expect(answers[group].map(textOf)).toEqual(texts[group]);
  });
});
