// How a function begins and ends.
import { NOP5 } from './assembler.ts';
import type { Frame } from './frame.ts';
import { PRIVATE_STACK_GUARD, roundUp8 } from './frame.ts';
import { ARENA_BASE, PRIVATE_FRAME, R12, R13, R14, R15, RAX, RBX, RCX } from './registers.ts';

export const LFENCE: readonly number[] = [0x0f, 0xae, 0xe8];
const JMP_RCX = [0xff, 0xe1];

/** Tail calls that one entry may lead to. */
export const MAX_TAIL_CALLS = 33;

/** endbr64, as the four bytes stand in memory. */
const ENDBR64 = [0xf3, 0x0f, 0x1e, 0xfa];

/** Bytes of the prologue that a tail call jumps over. rule: X86_TAIL_CALL_OFFSET */
export const tailCallOffset = (ibt: boolean): number => 12 + (ibt ? ENDBR64.length : 0);

/** Where the pointer to the tail call counter is kept, from rbp. */
export const tailCounterSlot = (frame: Frame): number => -16 - roundUp8(frame.stackDepth);

/** rule: emit_prologue, do_jit, 6.18 */
export function emitPrologue(frame: Frame): void {
  const { asm, input } = frame;
  if (frame.cpu.ibt) asm.bytes(...ENDBR64);
  asm.bytes(...NOP5);
  if (!frame.classic) {
    if (input.tailCallReachable && !input.isSubprog)
      asm.bytes(0x48, 0x31, 0xc0); // xor rax,rax: no tail calls yet
    else asm.nops(3);
  }
  if (input.exceptionCallback) takeOverFrame(frame);
  else asm.bytes(0x55, 0x48, 0x89, 0xe5); // push rbp; mov rbp,rsp
  if (frame.cpu.ibt) asm.bytes(...ENDBR64);
  if (frame.stackDepth) {
    asm.bytes(0x48, 0x81, 0xec); // sub rsp,imm32
    asm.imm32(roundUp8(frame.stackDepth));
  }
  if (input.tailCallReachable) pushTailCounter(frame);
  if (frame.savesR12) asm.push(R12);
  for (const reg of frame.saved) asm.push(reg);
  if (frame.arena) asm.movAddress(ARENA_BASE, frame.arena.kernStart);
  if (frame.privateStack !== undefined) {
    const top = frame.privateStack + BigInt(PRIVATE_STACK_GUARD + roundUp8(input.stackDepth));
    asm.movAddress(PRIVATE_FRAME, top);
    asm.addGs(0x4c, PRIVATE_FRAME, frame.gsOffset('this_cpu_off'));
  }
}

/** The exception callback runs on the frame of the main function, whose registers it restores first. */
function takeOverFrame({ asm }: Frame): void {
  asm.bytes(0x48, 0x89, 0xf4); // mov rsp,rsi
  asm.bytes(0x48, 0x89, 0xd5); // mov rbp,rdx
  for (const reg of [R15, R14, R13, RBX, R12]) asm.pop(reg);
  asm.bytes(0x48, 0x89, 0xec); // mov rsp,rbp
}

/**
 * rax is the counter itself on entry and after a tail call of a main program, else a pointer to it. Two words are
 * pushed: the counter (or the pointer again) and the pointer.
 */
function pushTailCounter({ asm, input }: Frame): void {
  if (!input.isSubprog) {
    asm.bytes(0x48, 0x83, 0xf8, MAX_TAIL_CALLS); // cmp rax,33
    asm.bytes(0x77, 6); // ja: it is a pointer
    asm.push(RAX);
    asm.bytes(0x48, 0x89, 0xe0); // mov rax,rsp
    asm.bytes(0xeb, 1);
  }
  asm.push(RAX);
  asm.push(RAX);
}

/** Undoes the pushes of the prologue, tail call counter and stack excepted. */
export function restoreSaved(frame: Frame): void {
  for (let i = frame.saved.length - 1; i >= 0; i--) frame.asm.pop(frame.saved[i]);
  if (frame.savesR12) frame.asm.pop(R12);
}

/** The one epilogue of a function, at its first exit. */
export function emitEpilogue(frame: Frame): void {
  if (frame.classic && frame.clearBranchHistory) emitBranchHistoryBarrier(frame);
  restoreSaved(frame);
  frame.asm.byte(0xc9); // leave
  emitReturn(frame);
}

function emitReturn(frame: Frame): void {
  const thunk = frame.cpu.returnThunk;
  if (thunk !== undefined) {
    frame.jumpTo(frame.symbol(thunk));
    return;
  }
  frame.asm.byte(0xc3);
  if (frame.cpu.sls) frame.asm.byte(0xcc);
}

/** rule: emit_spectre_bhb_barrier, 6.18 */
function emitBranchHistoryBarrier(frame: Frame): void {
  const { asm, cpu } = frame;
  if (cpu.clearBhb) {
    asm.push(RAX);
    asm.push(RCX);
    emitCall(frame, frame.symbol('clear_bhb_loop'));
    asm.pop(RCX);
    asm.pop(RAX);
  }
  if (cpu.ibhf) asm.bytes(0xf3, 0x48, 0x0f, 0x1e, 0xf8);
}

/** A call, with call depth accounting where the processor needs it. */
export function emitCall(frame: Frame, target: bigint): void {
  if (frame.cpu.callDepthTracking) {
    frame.asm.bytes(0x65, 0x48, 0xc1, 0x3d); // sar qword gs:[rip+depth],5
    const end = frame.base === undefined ? 0n : frame.base + BigInt(frame.asm.length + 5);
    frame.asm.imm32(Number(BigInt.asIntN(32, frame.symbol('__x86_call_depth') - end)));
    frame.asm.byte(5);
  }
  frame.asm.byte(0xe8);
  frame.rel32(target);
}

/** jmp *rcx in the form that the mitigations ask for. rule: emit_indirect_jump, 6.18 */
export function emitIndirectJump(frame: Frame): void {
  const { asm, cpu } = frame;
  if (cpu.its) {
    frame.jumpTo(frame.symbol('__x86_indirect_its_thunk_rcx'));
  } else if (cpu.retpoline === 'amd') {
    asm.bytes(...LFENCE, ...JMP_RCX);
  } else if (cpu.retpoline === 'generic') {
    frame.jumpTo(frame.symbol(cpu.callDepthTracking ? '__x86_indirect_jump_thunk_rcx' : '__x86_indirect_thunk_rcx'));
  } else {
    asm.bytes(...JMP_RCX);
    if (frame.image.config('CONFIG_MITIGATION_RETPOLINE') === 'y' || cpu.sls) asm.byte(0xcc);
  }
}
