// Loads, stores, 64-bit constants and the speculation barrier.
import { LDIMM64 } from '../../../isa/insn.ts';
import { CLASS, MODE, PSEUDO, SIZE } from '../../../isa/opcode.ts';
import { emitAddress, emitMov, emitMov64 } from './constants.ts';
import {
  ADD_SUB_REG,
  isLoadStoreOffset,
  LOAD_STORE_IMM,
  LOAD_STORE_REG,
  loadStoreImm,
  loadStoreReg,
  type Scale,
  threeReg,
  WORD,
} from './encoding.ts';
import { noteException } from './exceptions.ts';
import type { Emitters, Frame, Op } from './frame.ts';
import { ARENA_BASE, FP, PRIVATE_STACK, SP, TMP1, TMP2, TMP3 } from './registers.ts';

export const SCALES: readonly (readonly [number, Scale])[] = [
  [SIZE.B, 0],
  [SIZE.H, 1],
  [SIZE.W, 2],
  [SIZE.DW, 3],
];

type Direction = 'STORE' | 'LOAD' | 'LOAD_SIGNED';

/** Modes of loads: what is loaded how, whether it may fault, and whether the address is one of the arena. */
const LOADS: readonly { mode: number; direction: Direction; faults: boolean; arena: boolean; widest: Scale }[] = [
  { mode: MODE.MEM, direction: 'LOAD', faults: false, arena: false, widest: 3 },
  { mode: MODE.PROBE_MEM, direction: 'LOAD', faults: true, arena: false, widest: 3 },
  { mode: MODE.PROBE_MEM32, direction: 'LOAD', faults: true, arena: true, widest: 3 },
  { mode: MODE.MEMSX, direction: 'LOAD_SIGNED', faults: false, arena: false, widest: 2 },
  { mode: MODE.PROBE_MEMSX, direction: 'LOAD_SIGNED', faults: true, arena: false, widest: 2 },
  { mode: MODE.PROBE_MEM32SX, direction: 'LOAD_SIGNED', faults: true, arena: true, widest: 2 },
];
/** Modes of stores. */
const STORES: readonly { mode: number; arena: boolean }[] = [
  { mode: MODE.MEM, arena: false },
  { mode: MODE.PROBE_MEM32, arena: true },
];
const NOSPEC = CLASS.ST | 0xc0;

/** rt at base + off, where `index` holds an offset that no instruction carries. */
interface Access {
  direction: Direction;
  scale: Scale;
  rt: number;
  base: number;
  off: number;
  index: number;
}

/** The stack is reached from its lower end, so that offsets are positive. */
function emitAccess(frame: Frame, { direction, scale, rt, base, off, index }: Access): void {
  const onStack = base === FP;
  const adjustedBase = onStack ? (frame.privateStack === undefined ? SP : PRIVATE_STACK) : base;
  const adjustedOff = onStack ? off + frame.stackSize : off;
  if (isLoadStoreOffset(adjustedOff, scale)) {
    frame.emit(loadStoreImm(LOAD_STORE_IMM[direction], scale, rt, adjustedBase, adjustedOff));
  } else {
    emitMov(frame, true, index, off);
    frame.emit(loadStoreReg(LOAD_STORE_REG[direction], scale, rt, base, index));
  }
}

/** The register with the address: `reg`, or `scratch` with the arena's base added. */
export function arenaAddress(frame: Frame, arena: boolean, reg: number, scratch: number): number {
  if (!arena) return reg;
  frame.emit(threeReg(ADD_SUB_REG.ADD, true, scratch, reg, ARENA_BASE));
  return scratch;
}

function emitConstant64(frame: Frame, op: Op): void {
  const value = (BigInt(op.high) << 32n) | BigInt(op.imm >>> 0);
  if (op.kind !== PSEUDO.FUNC) emitMov64(frame, op.dst, value);
  else emitAddress(frame, op.dst, frame.functions?.[op.off] ?? value);
}

/** Emitters of loads and stores that are not atomic. */
export function memoryEmitters(): Emitters {
  const emitters: Emitters = new Map([
    [LDIMM64, emitConstant64],
    [NOSPEC, (frame) => (frame.settings.sb ? frame.emit(WORD.SB) : frame.emit(WORD.DSB_NSH, WORD.ISB))],
  ]);
  for (const [size, scale] of SCALES) {
    for (const { mode, direction, faults, arena, widest } of LOADS) {
      if (scale > widest) continue;
      emitters.set(CLASS.LDX | mode | size, (frame, { code, dst, src, off }) => {
        const base = arenaAddress(frame, arena, src, TMP2);
        emitAccess(frame, { direction, scale, rt: dst, base, off, index: TMP1 });
        if (faults) noteException(frame, code, off, dst, arena ? src : undefined);
      });
    }
    for (const { mode, arena } of STORES) {
      emitters.set(CLASS.ST | mode | size, (frame, { code, dst, off, imm }) => {
        const base = arenaAddress(frame, arena, dst, TMP3);
        emitMov(frame, true, TMP1, imm);
        emitAccess(frame, { direction: 'STORE', scale, rt: TMP1, base, off, index: TMP2 });
        if (arena) noteException(frame, code, off, base, dst);
      });
      emitters.set(CLASS.STX | mode | size, (frame, { code, dst, src, off }) => {
        const base = arenaAddress(frame, arena, dst, TMP2);
        emitAccess(frame, { direction: 'STORE', scale, rt: src, base, off, index: TMP1 });
        if (arena) noteException(frame, code, off, base, dst);
      });
    }
  }
  return emitters;
}
