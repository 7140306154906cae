// Atomic operations, on plain memory and on the arena.
import { ATOMIC, CLASS, insnOp, MODE, SIZE } from '../../../isa/opcode.ts';
import { simpleOpcode } from './alu.ts';
import { CC, OP, OP2 } from './assembler.ts';
import type { Emitters, Frame, Op } from './frame.ts';
import { giveUp } from './frame.ts';
import { emitIndexedLoad, emitIndexedStore, emitLoad, emitStore, inArena } from './memory.ts';
import { ARENA_BASE, HIDDEN, RAX, SCRATCH } from './registers.ts';

const LOCK = 0xf0;

/** Opcode bytes of a read-modify-write operation that the machine has. */
const OPCODE: Readonly<Record<number, readonly number[]>> = {
  [ATOMIC.ADD]: [OP.ADD],
  [ATOMIC.AND]: [OP.AND],
  [ATOMIC.OR]: [OP.OR],
  [ATOMIC.XOR]: [OP.XOR],
  [ATOMIC.ADD | ATOMIC.FETCH]: [0x0f, OP2.XADD],
  [ATOMIC.XCHG]: [OP.XCHG],
  [ATOMIC.CMPXCHG]: [0x0f, OP2.CMPXCHG],
};
/** Those it has not: a loop around cmpxchg. */
const FETCH_LOOPS: ReadonlySet<number> = new Set([
  ATOMIC.AND | ATOMIC.FETCH,
  ATOMIC.OR | ATOMIC.FETCH,
  ATOMIC.XOR | ATOMIC.FETCH,
]);

/** Emitters of atomic operations by opcode. rule: the ATOMIC and PROBE_ATOMIC cases of do_jit, 6.18 */
export const atomicEmitters = (): Emitters => {
  const table: Emitters = new Map();
  for (const size of [SIZE.B, SIZE.H, SIZE.W, SIZE.DW]) {
    table.set(CLASS.STX | MODE.ATOMIC | size, (frame, op) => emitAtomic(frame, op, size));
    table.set(
      CLASS.STX | MODE.PROBE_ATOMIC | size,
      inArena((frame, op) => emitArenaAtomic(frame, op, size)),
    );
  }
  return table;
};

function emitAtomic(frame: Frame, op: Op, size: number): void {
  if (op.imm === ATOMIC.LOAD_ACQ) emitLoad(frame, size, false, op.dst, op.src, op.off);
  else if (op.imm === ATOMIC.STORE_REL) emitStore(frame, size, op.dst, op.off, op.src);
  else if (FETCH_LOOPS.has(op.imm)) emitFetchLoop(frame, op, size);
  else emitLocked(frame, op.imm, size, op.dst, op.off, op.src);
}

function emitArenaAtomic(frame: Frame, op: Op, size: number): void {
  if (op.imm === ATOMIC.LOAD_ACQ) {
    emitIndexedLoad(frame, op, size, false);
  } else if (op.imm === ATOMIC.STORE_REL) {
    emitIndexedStore(frame, op, size);
  } else {
    const { asm } = frame;
    const opcode = lockedOpcode(op.imm, size);
    asm.byte(LOCK);
    asm.rexAlways(size === SIZE.DW, op.src, op.dst, ARENA_BASE);
    asm.bytes(...opcode);
    asm.modIndexed(op.src, op.dst, ARENA_BASE, op.off);
  }
}

function lockedOpcode(operation: number, size: number): readonly number[] {
  if (size !== SIZE.W && size !== SIZE.DW) throw giveUp('an atomic operation on less than four bytes');
  const opcode = OPCODE[operation];
  if (!opcode) throw giveUp(`unknown atomic operation ${operation.toString(16)}`);
  return opcode;
}

function emitLocked({ asm }: Frame, operation: number, size: number, base: number, disp: number, src: number): void {
  const opcode = lockedOpcode(operation, size);
  asm.byte(LOCK);
  asm.rex(size === SIZE.DW, src, base);
  asm.bytes(...opcode);
  asm.modMemory(src, base, disp);
}

/** Fetch-and, -or, -xor: rax is needed by cmpxchg, so r0 waits in the hidden register. */
function emitFetchLoop(frame: Frame, op: Op, size: number): void {
  const { asm } = frame;
  const wide = size === SIZE.DW;
  if (!wide && size !== SIZE.W) throw giveUp('an atomic operation on less than four bytes');
  const opcode = simpleOpcode(insnOp(op.imm));
  if (opcode === undefined) throw giveUp(`unknown atomic operation ${op.imm.toString(16)}`);
  const src = op.src === RAX ? HIDDEN : op.src;
  const base = op.dst === RAX ? HIDDEN : op.dst;
  asm.mov64(HIDDEN, RAX);
  const again = asm.length;
  emitLoad(frame, size, false, RAX, base, op.off);
  asm.mov(wide, SCRATCH, RAX);
  asm.regReg(wide, opcode, SCRATCH, src);
  emitLocked(frame, ATOMIC.CMPXCHG, size, base, op.off, SCRATCH);
  asm.bytes(0x70 | CC.NE, again - (asm.length + 2));
  asm.mov(wide, src, RAX);
  asm.mov64(RAX, HIDDEN);
}
