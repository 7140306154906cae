// Tail calls: through the map at run time, or straight into the target where map and slot are constant.
import { CC, NOP5 } from './assembler.ts';
import { emitIndirectJump, MAX_TAIL_CALLS, restoreSaved, tailCallOffset, tailCounterSlot } from './entry.ts';
import type { Frame, Op } from './frame.ts';
import { giveUp, roundUp8 } from './frame.ts';
import { RAX } from './registers.ts';

/** Bytes of an instruction that is patched at run time. */
export const PATCH_BYTES = 5;

/** `imm` is 0, or one more than the entry of the poke table. */
export function emitTailCall(frame: Frame, op: Op): void {
  if (op.imm === 0) emitIndirect(frame);
  else if (op.imm > 0 && op.imm <= frame.pokeCount) emitDirect(frame, op.imm - 1);
  else throw giveUp('a tail call without entry in the poke table');
}

/** rule: emit_bpf_tail_call_indirect, 6.18; rdi is the context, rsi the map, edx the slot. */
function emitIndirect(frame: Frame): void {
  const { asm, image } = frame;
  const out = frame.indirectTail;
  const jumpOut = (condition: number): void => asm.bytes(0x70 | condition, out - (frame.emitted + 2));
  asm.bytes(0x89, 0xd2); // mov edx,edx
  asm.bytes(0x39, 0x56, image.offsetOf('bpf_array', 'map.max_entries')); // cmp [rsi+max_entries],edx
  jumpOut(CC.BE);
  checkCounter(frame);
  jumpOut(CC.AE);
  asm.bytes(0x48, 0x8b, 0x8c, 0xd6); // mov rcx,[rsi+rdx*8+ptrs]
  asm.imm32(image.offsetOf('bpf_array', 'ptrs'));
  asm.bytes(0x48, 0x85, 0xc9); // test rcx,rcx
  jumpOut(CC.E);
  leaveFrame(frame);
  asm.bytes(0x48, 0x8b, 0x49, image.offsetOf('bpf_prog', 'bpf_func')); // mov rcx,[rcx+bpf_func]
  asm.bytes(0x48, 0x83, 0xc1, tailCallOffset(frame.cpu.ibt)); // add rcx,imm8
  emitIndirectJump(frame);
  frame.indirectTail = frame.emitted;
}

/** rule: emit_bpf_tail_call_direct, 6.18 */
function emitDirect(frame: Frame, index: number): void {
  const { asm } = frame;
  checkCounter(frame);
  asm.bytes(0x70 | CC.AE, frame.directTail - (frame.emitted + 2));
  const end = frame.start + frame.directTail;
  frame.pokes.push({ index, bypass: asm.length, target: end - PATCH_BYTES });
  asm.byte(0xe9); // until the slot is filled: past it all
  asm.imm32(end - (asm.length + 4));
  leaveFrame(frame);
  asm.bytes(...NOP5);
  frame.directTail = frame.emitted;
}

/** mov rax,[rbp+slot]; cmp qword [rax],33 */
function checkCounter(frame: Frame): void {
  frame.asm.bytes(0x48, 0x8b, 0x85);
  frame.asm.imm32(tailCounterSlot(frame));
  frame.asm.bytes(0x48, 0x83, 0x38, MAX_TAIL_CALLS);
}

/** Counts the call and leaves the stack as the target's caller had it. */
function leaveFrame(frame: Frame): void {
  const { asm } = frame;
  asm.bytes(0x48, 0x83, 0x00, 1); // add qword [rax],1
  restoreSaved(frame);
  asm.pop(RAX);
  asm.pop(RAX);
  if (frame.stackDepth) {
    asm.bytes(0x48, 0x81, 0xc4); // add rsp,imm32
    asm.imm32(roundUp8(frame.stackDepth));
  }
}
