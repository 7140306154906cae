// Loads and stores, plain and of memory that may not be there.
import { CLASS, insnClass, MODE, SIZE } from '../../../isa/opcode.ts';
import type { Assembler } from './assembler.ts';
import { CC, GROUP1, OP, OP2 } from './assembler.ts';
import { LFENCE } from './entry.ts';
import type { Emit, Emitters, Frame, Op } from './frame.ts';
import { giveUp } from './frame.ts';
import { ARENA_BASE, HIDDEN, PRIVATE_FRAME, ptRegsOffset, RBP, SCRATCH } from './registers.ts';

/** The speculation barrier is coded as a store with a mode of its own. */
const NOSPEC = CLASS.ST | 0xc0;

/** Zero-extending load: second byte of 0f xx, or 0 for the plain mov. */
const ZERO_EXTEND: Readonly<Record<number, number>> = { [SIZE.B]: OP2.MOVZX8, [SIZE.H]: OP2.MOVZX16 };
const SIGN_EXTEND: Readonly<Record<number, number>> = { [SIZE.B]: OP2.MOVSX8, [SIZE.H]: OP2.MOVSX16 };

/** Kind of exception table entry that skips an instruction and clears a register. rule: extable_fixup_types.h */
const EX_TYPE_BPF = 7;
/** Stands where a load names the register to clear. */
const DONT_CLEAR = 1;

/** dst = *(size *)(base + disp) */
export function emitLoad({ asm }: Frame, size: number, signed: boolean, dst: number, base: number, disp: number): void {
  const extend = (signed ? SIGN_EXTEND : ZERO_EXTEND)[size];
  asm.rex(signed || size !== SIZE.W, dst, base);
  if (extend !== undefined) asm.bytes(0x0f, extend);
  else asm.byte(signed ? OP.MOVSXD : OP.MOV_LOAD);
  asm.modMemory(dst, base, disp);
}

/** *(size *)(base + disp) = src */
export function emitStore({ asm }: Frame, size: number, base: number, disp: number, src: number): void {
  if (size === SIZE.H) asm.byte(0x66);
  // Bytes of sp, bp, si and di can only be named with a prefix.
  if (size === SIZE.B && src > 3) asm.rexAlways(false, src, base);
  else asm.rex(size === SIZE.DW, src, base);
  asm.byte(size === SIZE.B ? 0x88 : OP.MOV_STORE);
  asm.modMemory(src, base, disp);
}

/** Emitters of classes LDX, ST and STX, atomics excepted. rule: do_jit, 6.18 */
export const memoryEmitters = (): Emitters => {
  const table: Emitters = new Map();
  for (const size of [SIZE.B, SIZE.H, SIZE.W, SIZE.DW]) {
    table.set(CLASS.LDX | MODE.MEM | size, (frame, op) => emitLoad(frame, size, false, op.dst, op.src, op.off));
    table.set(CLASS.LDX | MODE.PROBE_MEM | size, (frame, op) => emitGuardedLoad(frame, op, size, false));
    table.set(
      CLASS.LDX | MODE.PROBE_MEM32 | size,
      inArena((frame, op) => emitIndexedLoad(frame, op, size, false)),
    );
    table.set(CLASS.STX | MODE.MEM | size, (frame, op) => emitStore(frame, size, op.dst, op.off, op.src));
    table.set(
      CLASS.STX | MODE.PROBE_MEM32 | size,
      inArena((frame, op) => emitIndexedStore(frame, op, size)),
    );
    table.set(CLASS.ST | MODE.MEM | size, (frame, op) => emitStoreImmediate(frame, op, size));
    table.set(
      CLASS.ST | MODE.PROBE_MEM32 | size,
      inArena((frame, op) => emitIndexedStoreImmediate(frame, op, size)),
    );
    if (size === SIZE.DW) continue;
    table.set(CLASS.LDX | MODE.MEMSX | size, (frame, op) => emitLoad(frame, size, true, op.dst, op.src, op.off));
    table.set(CLASS.LDX | MODE.PROBE_MEMSX | size, (frame, op) => emitGuardedLoad(frame, op, size, true));
    table.set(
      CLASS.LDX | MODE.PROBE_MEM32SX | size,
      inArena((frame, op) => emitIndexedLoad(frame, op, size, true)),
    );
  }
  table.set(NOSPEC, (frame) => frame.asm.bytes(...LFENCE));
  return table;
};

function emitStoreImmediate({ asm }: Frame, op: Op, size: number): void {
  if (size === SIZE.H) asm.byte(0x66);
  asm.rex(size === SIZE.DW, 0, op.dst);
  asm.byte(size === SIZE.B ? 0xc6 : 0xc7);
  asm.modMemory(0, op.dst, op.off);
  emitImmediate(asm, size, op.imm);
}

function emitIndexedStoreImmediate({ asm }: Frame, op: Op, size: number): void {
  if (size === SIZE.H) asm.byte(0x66);
  asm.rexAlways(size === SIZE.DW, 0, op.dst, ARENA_BASE);
  asm.byte(size === SIZE.B ? 0xc6 : 0xc7);
  asm.modIndexed(0, op.dst, ARENA_BASE, op.off);
  emitImmediate(asm, size, op.imm);
}

/** Eight bytes are stored from a sign-extended 32-bit immediate. */
function emitImmediate(asm: Assembler, size: number, value: number): void {
  if (size === SIZE.B) asm.byte(value);
  else if (size === SIZE.H) asm.imm16(value);
  else asm.imm32(value);
}

/** dst = *(size *)(src + r12 + off); narrow zero-extending loads are 32-bit here, unlike the plain ones. */
export function emitIndexedLoad({ asm }: Frame, op: Op, size: number, signed: boolean): void {
  const extend = (signed ? SIGN_EXTEND : ZERO_EXTEND)[size];
  asm.rexAlways(signed || size === SIZE.DW, op.dst, op.src, ARENA_BASE);
  if (extend !== undefined) asm.bytes(0x0f, extend);
  else asm.byte(signed ? OP.MOVSXD : OP.MOV_LOAD);
  asm.modIndexed(op.dst, op.src, ARENA_BASE, op.off);
}

/** *(size *)(dst + r12 + off) = src */
export function emitIndexedStore({ asm }: Frame, op: Op, size: number): void {
  if (size === SIZE.H) asm.byte(0x66);
  asm.rexAlways(size === SIZE.DW, op.src, op.dst, ARENA_BASE);
  asm.byte(size === SIZE.B ? 0x88 : OP.MOV_STORE);
  asm.modIndexed(op.src, op.dst, ARENA_BASE, op.off);
}

/** The emitter of an access relative to the arena, which may fault: it enters itself in the exception table. */
export const inArena =
  (emit: Emit): Emit =>
  (frame, op) => {
    const start = frame.asm.length;
    emit(frame, op);
    const load = insnClass(op.code) === CLASS.LDX;
    const cleared = load ? ptRegsOffset(op.dst) : DONT_CLEAR;
    const address = ptRegsOffset(load ? op.src : op.dst);
    frame.exceptions.push({
      insnOffset: start,
      fixup: ((frame.asm.length - start) | (cleared << 8) | (address << 16) | (1 << 31)) >>> 0,
      data: (EX_TYPE_BPF | (op.off << 16)) >>> 0,
    });
  };

/** The vsyscall page: kernel addresses end below it. */
const VSYSCALL = -0xa00000;
const PAGE = 4096n;

/**
 * A load from kernel memory that may have gone: addresses of user space and of the vsyscall page give zero without
 * being touched, a fault gives zero through the exception table.
 */
function emitGuardedLoad(frame: Frame, op: Op, size: number, signed: boolean): void {
  const { asm } = frame;
  const taskSize = (1n << (frame.cpu.la57 ? 56n : 47n)) - PAGE;
  asm.movImm64(HIDDEN, -1, VSYSCALL);
  asm.mov64(SCRATCH, op.src);
  if (op.off) {
    asm.unary(true, 0x81, GROUP1.ADD, SCRATCH);
    asm.imm32(op.off);
  }
  asm.regReg(true, OP.SUB, SCRATCH, HIDDEN);
  asm.movAddress(HIDDEN, BigInt.asUintN(64, taskSize + PAGE - BigInt(VSYSCALL)));
  asm.regReg(true, OP.CMP, SCRATCH, HIDDEN);
  asm.bytes(0x70 | CC.A, 0);
  const afterCheck = asm.length;
  asm.movImm32(false, op.dst, 0);
  asm.bytes(0xeb, 0);
  const load = asm.length;
  asm.patchByte(afterCheck - 1, load - afterCheck);
  emitLoad(frame, size, signed, op.dst, op.src, op.off);
  asm.patchByte(load - 1, asm.length - load);
  if (op.dst === HIDDEN || op.dst === RBP || op.dst === PRIVATE_FRAME) {
    throw giveUp('a guarded load into a register that a fault cannot clear');
  }
  frame.exceptions.push({
    insnOffset: load,
    fixup: (asm.length - load) | (ptRegsOffset(op.dst) << 8),
    data: EX_TYPE_BPF,
  });
}
