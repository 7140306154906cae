// arm64 machine code as text, letter by letter as GNU binutils 2.40 writes it: the instructions that Linux emits for BPF
// programs. Others are shown as numbers.
import type { MachineInsn } from '../x86/att.ts';
import { conditionComment, OPERANDS } from './operands.ts';
import { type Row, TABLE } from './table.ts';

const WORD_BYTES = 4;
const FAMILIES = 256;

/** Rows by the upper byte of the word, in order. */
const rowsByFamily: readonly (readonly Row[])[] = Array.from({ length: FAMILIES }, (_, family) =>
  TABLE.filter(({ mask, value }) => (((family << 24) ^ value) & mask & 0xff000000) === 0),
);

const fits = (word: number, { mask, value, when }: Row): boolean =>
  ((word ^ value) & mask) === 0 && (when === undefined || when(word));

/** The row of the table for an instruction. */
export const findRow = (word: number): Row | undefined => rowsByFamily[word >>> 24].find((row) => fits(word, row));

/** Pieces of one instruction at an address. */
export function wordPieces(word: number, address: bigint): string[] {
  const found = findRow(word);
  if (!found) return ['.inst\t', `0x${word.toString(16).padStart(8, '0')}`];
  const pieces = [found.name];
  found.operands.forEach((name, i) => {
    pieces.push(i === 0 ? '\t' : ', ', ...OPERANDS[name](word, address));
  });
  if (found.name.startsWith('b.')) pieces.push(...conditionComment(word));
  return pieces;
}

/** All of `code`, which lies at `address`. What is left of a word at the end is shown byte by byte. */
export function* disassembleArm64(code: Uint8Array, address: bigint): Generator<MachineInsn> {
  const view = new DataView(code.buffer, code.byteOffset, code.byteLength);
  let offset = 0;
  for (; offset + WORD_BYTES <= code.length; offset += WORD_BYTES) {
    const at = BigInt.asUintN(64, address + BigInt(offset));
    yield { offset, length: WORD_BYTES, pieces: wordPieces(view.getUint32(offset, true), at) };
  }
  for (; offset < code.length; offset++)
    yield { offset, length: 1, pieces: ['.byte\t', `0x${code[offset].toString(16)}`] };
}
