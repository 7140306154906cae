import { readdirSync, readFileSync } from 'node:fs';
import { zstdDecompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { CapturedObject } from '../../../scripts/corpus.ts';
import { loadDisassembler } from './att.ts';

const FOLDER = new URL('../../../testdata/corpus/expected/', import.meta.url);
const LISTING = 'prog dump jited PROG opcodes linum';

interface Line {
  offset: number;
  text: string;
  bytes: Buffer;
}

/** Functions of bpftool's listing: each instruction is a line with its text and a line with its bytes. */
function functionsOf(listing: string): Line[][] {
  const functions: Line[][] = [];
  for (const [, offset, text, bytes] of listing.matchAll(/^ *([0-9a-f]+):\t(.*)\n\t((?:[0-9a-f]{2} )+)$/gm)) {
    if (offset === '0') functions.push([]);
    functions
      .at(-1)
      ?.push({ offset: Number.parseInt(offset, 16), text, bytes: Buffer.from(bytes.replaceAll(' ', ''), 'hex') });
  }
  return functions;
}

/** Where a function lies, from the first of its jumps and calls: the listing does not tell. */
function addressOf(lines: readonly Line[]): bigint {
  for (const { offset, text, bytes } of lines) {
    const target = /^(?:j\w+|call) +0x([0-9a-f]+)$/.exec(text)?.[1];
    if (!target) continue;
    const distance = bytes.length > 2 ? bytes.readInt32LE(bytes.length - 4) : bytes.readInt8(1);
    return BigInt.asUintN(64, BigInt(`0x${target}`) - BigInt(offset + bytes.length + distance));
  }
  return 0n;
}

const objects = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.json.zst') && !name.startsWith('@'))
  .map((name) => JSON.parse(zstdDecompressSync(readFileSync(new URL(name, FOLDER))).toString()) as CapturedObject);
const disassembler = await loadDisassembler();

describe('the disassembly of the corpus', () => {
  it.each(objects.map((object) => [object.object, object] as const))(
    'of %s has the boundaries and texts of the GNU disassembler',
    (_, { programs }) => {
      for (const { jited, texts } of programs) {
        if (jited === undefined) continue;
        const functions = functionsOf(texts?.[LISTING] ?? '');
        expect(functions.flat().reduce((sum, { bytes }) => sum + bytes.length, 0)).toBe(jited.length / 2);
        for (const lines of functions) {
          const code = Buffer.concat(lines.map(({ bytes }) => bytes));
          const own = [...disassembler.disassemble(code, addressOf(lines))];
          expect(own.map(({ offset, pieces }) => `${offset} ${pieces.join('')}`)).toEqual(
            lines.map(({ offset, text }) => `${offset} ${text}`),
          );
        }
      }
    },
  );
});
