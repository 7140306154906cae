// Calls of helpers, of kernel functions and of the program's own functions.
import { CALL_KIND } from '../../../isa/opcode.ts';
import { emitCall, tailCounterSlot } from './entry.ts';
import type { Frame, Op } from './frame.ts';
import { giveUp } from './frame.ts';
import { PRIVATE_FRAME } from './registers.ts';

/** Any call but a tail call. rule: the CALL case of do_jit, 6.18 */
export function emitCallInsn(frame: Frame, op: Op): void {
  const { asm } = frame;
  if (op.imm === 0) throw giveUp('a call without target');
  if (op.kind === CALL_KIND.PSEUDO && frame.input.tailCallReachable) {
    asm.bytes(0x48, 0x8b, 0x85); // mov rax,[rbp+slot]: the callee counts tail calls too
    asm.imm32(tailCounterSlot(frame));
  }
  const keepsFrame = frame.privateStack !== undefined;
  if (keepsFrame) asm.push(PRIVATE_FRAME);
  emitCall(frame, frame.symbol('__bpf_call_base') + BigInt(op.imm));
  if (keepsFrame) asm.pop(PRIVATE_FRAME);
}
