// One pass over a function: every instruction once, for its size or for good.
import { LDIMM64 } from '../../../isa/insn.ts';
import { CLASS, JMP } from '../../../isa/opcode.ts';
import { aluEmitters } from './alu.ts';
import { atomicEmitters } from './atomic.ts';
import { emitCallInsn } from './call.ts';
import { emitPrologue } from './entry.ts';
import type { Emit, Frame } from './frame.ts';
import { giveUp } from './frame.ts';
import { jumpEmitters } from './jump.ts';
import { memoryEmitters } from './memory.ts';
import { emitTailCall } from './tail-call.ts';

/** No instruction may become longer than this. */
const MAX_INSN_BYTES = 128;

const EMITTERS: ReadonlyMap<number, Emit> = new Map([
  ...aluEmitters(),
  ...memoryEmitters(),
  ...atomicEmitters(),
  ...jumpEmitters(),
  [CLASS.JMP | JMP.CALL, emitCallInsn],
  [CLASS.JMP | JMP.TAIL_CALL, emitTailCall],
]);

/**
 * Emits the whole function with the offsets of the pass before and notes the new ones; gives the length. With
 * `frame.base` set, offsets must not change any more. rule: do_jit, 6.18
 */
export function runPass(frame: Frame): number {
  const { asm, addrs, insns } = frame;
  asm.reset();
  frame.seenExit = false;
  frame.exceptions = [];
  frame.pokes = [];
  frame.start = 0;
  emitPrologue(frame);
  addrs[0] = asm.length;
  for (let i = 0; i < insns.length; i++) {
    const op = frame.decode(i);
    const emit = EMITTERS.get(op.code);
    if (!emit) throw giveUp(`unknown opcode ${op.code.toString(16)}`);
    frame.start = asm.length;
    emit(frame, op);
    if (frame.emitted > MAX_INSN_BYTES) throw giveUp('an instruction is too long');
    if (op.code === LDIMM64) i++;
    if (frame.base !== undefined && addrs[i + 1] !== asm.length) throw giveUp('sizes changed in the last pass');
    addrs[i + 1] = asm.length;
  }
  return asm.length;
}
