// Loads and stores that may fault: what the kernel does then.
import { CLASS, insnClass } from '../../../isa/opcode.ts';
import type { Frame } from './frame.ts';
import { WORD_BYTES } from './frame.ts';

/** Stands for "no register" where a store is at fault. */
const DONT_CLEAR = 5;
const REG_SHIFT = 27;
const ARENA_REG_SHIFT = 16;
const ARENA_ACCESS = 1 << 21;

/**
 * Notes that the instruction just emitted may fault. `cleared` is the register that a load leaves zero then, `arena`
 * the machine register with the arena's address. rule: add_exception_handler, 6.18
 */
export function noteException(
  frame: Frame,
  code: number,
  off: number,
  cleared: number,
  arena: number | undefined,
): void {
  if (frame.base === undefined) return;
  const reg = insnClass(code) === CLASS.LDX ? cleared : DONT_CLEAR;
  let fixup = reg << REG_SHIFT;
  if (arena !== undefined) fixup |= ARENA_ACCESS | (off & 0xffff) | (arena << ARENA_REG_SHIFT);
  frame.exceptions.push({ insnOffset: (frame.at - 1) * WORD_BYTES, fixup: fixup >>> 0, data: 0 });
}
