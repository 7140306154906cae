// One pass over a function: every instruction once, for its size or for good.
import { LDIMM64 } from '../../../isa/insn.ts';
import { CLASS, JMP } from '../../../isa/opcode.ts';
import { aluEmitters } from './alu.ts';
import { atomicEmitters } from './atomic.ts';
import { emitCallInsn, emitTailCall } from './call.ts';
import { emitEpilogue, emitPlt, emitPrologue } from './entry.ts';
import type { Emit, Frame } from './frame.ts';
import { giveUp } from './give-up.ts';
import { jumpEmitters } from './jump.ts';
import { memoryEmitters } from './memory.ts';

const EMITTERS: ReadonlyMap<number, Emit> = new Map([
  ...aluEmitters(),
  ...memoryEmitters(),
  ...atomicEmitters(),
  ...jumpEmitters(),
  [CLASS.JMP | JMP.CALL, emitCallInsn],
  [CLASS.JMP | JMP.TAIL_CALL, emitTailCall],
]);

/**
 * Emits the whole function with the offsets of the pass before, and notes the new ones. In the first pass, offsets ahead
 * are zero. rule: build_prologue, build_body, build_epilogue, build_plt, 6.18
 */
export function runPass(frame: Frame): void {
  const { ops, offsets } = frame;
  frame.words = [];
  frame.exceptions = [];
  emitPrologue(frame);
  let i = 0;
  for (; i < ops.length; i++) {
    const op = ops[i];
    const emit = EMITTERS.get(op.code);
    if (!emit) throw giveUp(`unknown opcode ${op.code.toString(16)}`);
    offsets[i] = frame.at;
    emit(frame, op);
    if (op.code !== LDIMM64) continue;
    if (++i === ops.length) throw giveUp('half a 64-bit constant');
    offsets[i] = frame.at;
  }
  offsets[i] = frame.at;
  frame.epilogue = frame.at;
  emitEpilogue(frame);
  emitPlt(frame);
}
