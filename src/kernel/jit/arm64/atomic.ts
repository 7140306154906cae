// Atomic operations, with the instructions of LSE or with loops of exclusive loads and stores.
import { ATOMIC, CLASS, MODE, SIZE } from '../../../isa/opcode.ts';
import { emitAdd } from './constants.ts';
import {
  ADD_SUB_REG,
  atomic,
  cbnz,
  EXCLUSIVE,
  LOGIC_REG,
  LSE,
  ORDERED,
  ordered,
  type Scale,
  threeReg,
  WORD,
} from './encoding.ts';
import { move } from './entry.ts';
import { noteException } from './exceptions.ts';
import type { Emitters, Frame, Op } from './frame.ts';
import { giveUp } from './give-up.ts';
import { arenaAddress, SCALES } from './memory.ts';
import { HIDDEN, R0, TMP1, TMP2, TMP3, ZERO } from './registers.ts';

const { ADD, AND, OR, XOR, FETCH, XCHG, CMPXCHG, LOAD_ACQ, STORE_REL } = ATOMIC;

/** LSE instruction by operation; `invert`: it clears the bits of its operand. */
const LSE_OPS: ReadonlyMap<number, { word: number; invert?: boolean }> = new Map([
  [ADD, { word: LSE.LDADD }],
  [AND, { word: LSE.LDCLR, invert: true }],
  [OR, { word: LSE.LDSET }],
  [XOR, { word: LSE.LDEOR }],
  [ADD | FETCH, { word: LSE.LDADD_AL }],
  [AND | FETCH, { word: LSE.LDCLR_AL, invert: true }],
  [OR | FETCH, { word: LSE.LDSET_AL }],
  [XOR | FETCH, { word: LSE.LDEOR_AL }],
  [XCHG, { word: LSE.SWP_AL }],
]);

/** What a loop does to the value. */
const LOOP_OPS: ReadonlyMap<number, number> = new Map([
  [ADD, ADD_SUB_REG.ADD],
  [AND, LOGIC_REG.AND],
  [OR, LOGIC_REG.ORR],
  [XOR, LOGIC_REG.EOR],
]);

/** The register with the address of the operation. */
function address(frame: Frame, reg: number, off: number, arena: boolean): number {
  if (off) emitAdd(frame, true, TMP1, reg, TMP1, off);
  return arenaAddress(frame, arena, off ? TMP1 : reg, TMP1);
}

/** rule: emit_atomic_ld_st, 6.18 */
function emitOrdered(frame: Frame, { dst, src, off, imm }: Op, scale: Scale, arena: boolean): void {
  if (imm === LOAD_ACQ) frame.emit(ordered(ORDERED.LOAD_ACQUIRE, scale, dst, address(frame, src, off, arena)));
  else frame.emit(ordered(ORDERED.STORE_RELEASE, scale, src, address(frame, dst, off, arena)));
}

/** rule: emit_lse_atomic, 6.18 */
function emitLse(frame: Frame, { dst, src, off, imm }: Op, wide: boolean, arena: boolean): void {
  const at = address(frame, dst, off, arena);
  if (imm === CMPXCHG) {
    frame.emit(atomic(LSE.CAS_AL, wide, src, at, R0));
    return;
  }
  const operation = LSE_OPS.get(imm);
  if (!operation) throw giveUp(`no atomic operation ${imm}`);
  if (operation.invert) frame.emit(threeReg(LOGIC_REG.ORN, wide, TMP2, ZERO, src));
  const fetches = (imm & FETCH) !== 0;
  frame.emit(atomic(operation.word, wide, fetches ? src : ZERO, at, operation.invert ? TMP2 : src));
}

/** rule: emit_ll_sc_atomic, 6.18 */
function emitLoop(frame: Frame, { dst, src, off, imm }: Op, wide: boolean, arena: boolean): void {
  if (arena) throw giveUp('exclusive access to an arena');
  const at = address(frame, dst, off, false);
  const load = (reg: number): number => atomic(EXCLUSIVE.LOAD, wide, reg, at, 0);
  const release = (reg: number): number => atomic(EXCLUSIVE.STORE_RELEASE, wide, reg, at, TMP3);
  const again = (words: number): number => cbnz(false, TMP3, words);
  const operation = LOOP_OPS.get(imm & ~FETCH);
  if (imm === XCHG) {
    frame.emit(move(wide, TMP2, src), load(src), release(TMP2), again(-2), WORD.DMB_ISH);
  } else if (imm === CMPXCHG) {
    frame.emit(
      move(wide, TMP2, R0),
      load(R0),
      threeReg(LOGIC_REG.EOR, wide, TMP3, R0, TMP2),
      cbnz(wide, TMP3, 4),
      release(src),
      again(-4),
      WORD.DMB_ISH,
    );
  } else if (operation === undefined) {
    throw giveUp(`no atomic operation ${imm}`);
  } else if (imm & FETCH) {
    frame.emit(
      move(wide, HIDDEN, src),
      load(src),
      threeReg(operation, wide, TMP2, src, HIDDEN),
      release(TMP2),
      again(-3),
      WORD.DMB_ISH,
    );
  } else {
    frame.emit(
      load(TMP2),
      threeReg(operation, wide, TMP2, TMP2, src),
      atomic(EXCLUSIVE.STORE, wide, TMP2, at, TMP3),
      again(-3),
    );
  }
}

/** Emitters of atomic operations on memory and on an arena. */
export function atomicEmitters(): Emitters {
  const emitters: Emitters = new Map();
  for (const [mode, arena] of [
    [MODE.ATOMIC, false],
    [MODE.PROBE_ATOMIC, true],
  ] as const) {
    for (const [size, scale] of SCALES) {
      const wide = size === SIZE.DW;
      emitters.set(CLASS.STX | mode | size, (frame, op) => {
        if (op.imm === LOAD_ACQ || op.imm === STORE_REL) emitOrdered(frame, op, scale, arena);
        else if (frame.settings.lse) emitLse(frame, op, wide, arena);
        else emitLoop(frame, op, wide, arena);
        if (arena) noteException(frame, op.code, op.off, op.dst, op.dst);
      });
    }
  }
  return emitters;
}
