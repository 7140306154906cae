// How constants get into registers and are added.
import { ADD_SUB_IMM, ADD_SUB_REG, addSubImm, isAddSubImm, MOVE_WIDE, moveWide, threeReg } from './encoding.ts';
import type { Frame } from './frame.ts';

const HALVES = [0, 16, 32, 48];
const ONES = 0xffff;

/** The 16 bits of `value` that begin at bit `shift`. */
const half = (value: bigint, shift: number): number => Number((value >> BigInt(shift)) & 0xffffn);

/** Signed 32-bit constant: two instructions at most. rule: emit_a64_mov_i, 6.18 */
export function emitMov(frame: Frame, wide: boolean, reg: number, value: number): void {
  const high = (value >> 16) & ONES;
  const low = value & ONES;
  if (high === ONES) {
    frame.emit(moveWide(MOVE_WIDE.MOVN, wide, reg, ~low, 0));
  } else if (high & 0x8000) {
    frame.emit(moveWide(MOVE_WIDE.MOVN, wide, reg, ~high, 16));
    if (low !== ONES) frame.emit(moveWide(MOVE_WIDE.MOVK, wide, reg, low, 0));
  } else {
    frame.emit(moveWide(MOVE_WIDE.MOVZ, wide, reg, low, 0));
    if (high) frame.emit(moveWide(MOVE_WIDE.MOVK, wide, reg, high, 16));
  }
}

/** 64-bit constant, from zeros or from ones, whichever leaves less to fill in. rule: emit_a64_mov_i64, 6.18 */
export function emitMov64(frame: Frame, reg: number, value: bigint): void {
  const unsigned = BigInt.asUintN(64, value);
  if (unsigned >> 32n === 0n) {
    emitMov(frame, false, reg, Number(BigInt.asIntN(32, unsigned)));
    return;
  }
  const missing = (filling: number): number => HALVES.filter((shift) => half(unsigned, shift) !== filling).length;
  const inverse = missing(ONES) < missing(0);
  const filling = inverse ? ONES : 0;
  const first = HALVES.findLast((shift) => half(unsigned, shift) !== filling) ?? 0;
  const bits = half(unsigned, first);
  frame.emit(moveWide(inverse ? MOVE_WIDE.MOVN : MOVE_WIDE.MOVZ, true, reg, inverse ? ~bits : bits, first));
  for (let shift = first - 16; shift >= 0; shift -= 16) {
    const rest = half(unsigned, shift);
    if (rest !== filling) frame.emit(moveWide(MOVE_WIDE.MOVK, true, reg, rest, shift));
  }
}

/** Kernel address in always three instructions: its upper 16 bits are ones. rule: emit_addr_mov_i64, 6.18 */
export function emitAddress(frame: Frame, reg: number, address: bigint): void {
  frame.emit(
    moveWide(MOVE_WIDE.MOVN, true, reg, ~half(address, 0), 0),
    moveWide(MOVE_WIDE.MOVK, true, reg, half(address, 16), 16),
    moveWide(MOVE_WIDE.MOVK, true, reg, half(address, 32), 32),
  );
}

/** dst = src + imm; `scratch` holds what no add takes. rule: emit_a64_add_i, 6.18 */
export function emitAdd(frame: Frame, wide: boolean, dst: number, src: number, scratch: number, imm: number): void {
  addOrSubtract(frame, wide, dst, src, scratch, imm, [ADD_SUB_IMM.ADD, ADD_SUB_IMM.SUB, ADD_SUB_REG.ADD]);
}

/** dst = src - imm. */
export function emitSub(frame: Frame, wide: boolean, dst: number, src: number, scratch: number, imm: number): void {
  addOrSubtract(frame, wide, dst, src, scratch, imm, [ADD_SUB_IMM.SUB, ADD_SUB_IMM.ADD, ADD_SUB_REG.SUB]);
}

/** Flags of reg - imm. */
export function emitCompare(frame: Frame, wide: boolean, reg: number, scratch: number, imm: number): void {
  addOrSubtract(frame, wide, 31, reg, scratch, imm, [ADD_SUB_IMM.SUBS, ADD_SUB_IMM.ADDS, ADD_SUB_REG.SUBS]);
}

function addOrSubtract(
  frame: Frame,
  wide: boolean,
  dst: number,
  src: number,
  scratch: number,
  imm: number,
  [plain, negated, register]: readonly [number, number, number],
): void {
  const opposite = -imm | 0;
  if (isAddSubImm(imm)) {
    frame.emit(addSubImm(plain, wide, dst, src, imm));
  } else if (isAddSubImm(opposite)) {
    frame.emit(addSubImm(negated, wide, dst, src, opposite));
  } else {
    emitMov(frame, wide, scratch, imm);
    frame.emit(threeReg(register, wide, dst, src, scratch));
  }
}
