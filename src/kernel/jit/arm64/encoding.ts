// arm64 instruction words: fixed bits by operation, then one function a format that fills in the operands. Names follow
// the Arm manual. Registers are 0 … 31; `wide` chooses the 64-bit form. rule: arch/arm64/lib/insn.c, 6.18

import { giveUp } from './give-up.ts';

/** Add and subtract, with an immediate and with a register. */
export const ADD_SUB_IMM = { ADD: 0x11000000, ADDS: 0x31000000, SUB: 0x51000000, SUBS: 0x71000000 } as const;
export const ADD_SUB_REG = { ADD: 0x0b000000, SUB: 0x4b000000, SUBS: 0x6b000000 } as const;
/** Logical operations, with an immediate and with a register. */
export const LOGIC_IMM = { AND: 0x12000000, ORR: 0x32000000, EOR: 0x52000000, ANDS: 0x72000000 } as const;
export const LOGIC_REG = {
  AND: 0x0a000000,
  ORR: 0x2a000000,
  ORN: 0x2a200000,
  EOR: 0x4a000000,
  ANDS: 0x6a000000,
} as const;
/** Move of 16 bits: inverted, zeroing the rest, keeping the rest. */
export const MOVE_WIDE = { MOVN: 0x12800000, MOVZ: 0x52800000, MOVK: 0x72800000 } as const;
/** Bit fields with sign and without. */
export const BITFIELD = { SBFM: 0x13000000, UBFM: 0x53000000 } as const;
/** One source. */
export const DATA1 = { REV16: 0x5ac00400, REV32: 0x5ac00800, REV64: 0x5ac00c00 } as const;
/** Two sources. */
export const DATA2 = {
  UDIV: 0x1ac00800,
  SDIV: 0x1ac00c00,
  LSLV: 0x1ac02000,
  LSRV: 0x1ac02400,
  ASRV: 0x1ac02800,
} as const;
/** Three sources. */
export const DATA3 = { MADD: 0x1b000000, MSUB: 0x1b008000 } as const;
/** Loads and stores with an unsigned scaled offset; sign-extending loads give 64 bits. */
export const LOAD_STORE_IMM = { STORE: 0x39000000, LOAD: 0x39400000, LOAD_SIGNED: 0x39800000 } as const;
/** The same with a register as offset. */
export const LOAD_STORE_REG = { STORE: 0x38206800, LOAD: 0x38606800, LOAD_SIGNED: 0x38a0e800 } as const;
/** Acquiring loads and releasing stores. */
export const ORDERED = { LOAD_ACQUIRE: 0x08dffc00, STORE_RELEASE: 0x089ffc00 } as const;
/** Exclusive loads and stores of 32 or 64 bits. */
export const EXCLUSIVE = { LOAD: 0x085f7c00, STORE: 0x08007c00, STORE_RELEASE: 0x0800fc00 } as const;
/** Atomic operations of LSE without order and with acquire and release (`_AL`). */
export const LSE = {
  LDADD: 0x38200000,
  LDCLR: 0x38201000,
  LDEOR: 0x38202000,
  LDSET: 0x38203000,
  LDADD_AL: 0x38e00000,
  LDCLR_AL: 0x38e01000,
  LDEOR_AL: 0x38e02000,
  LDSET_AL: 0x38e03000,
  SWP_AL: 0x38e08000,
  CAS_AL: 0x08e0fc00,
} as const;
/** Pairs of 64-bit registers with the base changed before or after. */
const PAIR = { STORE_PRE: 0xa9800000, LOAD_POST: 0xa8c00000 } as const;

const BRANCH = { B: 0x14000000, BL: 0x94000000, B_COND: 0x54000000, CBZ: 0x34000000, CBNZ: 0x35000000 } as const;
export const BRANCH_REG = { BR: 0xd61f0000, BLR: 0xd63f0000, RET: 0xd65f0000 } as const;
/** Condition codes. */
export const COND = { EQ: 0, NE: 1, CS: 2, CC: 3, HI: 8, LS: 9, GE: 10, LT: 11, GT: 12, LE: 13 } as const;

/** Instructions without operands. */
export const WORD = {
  NOP: 0xd503201f,
  PACIASP: 0xd503233f,
  AUTIASP: 0xd50323bf,
  BTI_J: 0xd503249f,
  BTI_JC: 0xd50324df,
  CLEARBHB: 0xd50322df,
  DMB_ISH: 0xd5033bbf,
  DSB_ISH: 0xd5033b9f,
  DSB_NSH: 0xd503379f,
  ISB: 0xd50330df,
  SB: 0xd50330ff,
  HVC: 0xd4000002,
  SMC: 0xd4000003,
} as const;
/** System registers that can be read. */
export const SYSTEM_REG = { SP_EL0: 0x4208, TPIDR_EL1: 0x4684, TPIDR_EL2: 0x6682 } as const;

const MRS = 0xd5300000;
const LOAD_LITERAL_64 = 0x58000000;
const WIDE = 1 << 31;
const WIDE_FIELD = 1 << 22;
const SHIFT_12 = 1 << 22;

const sf = (wide: boolean): number => (wide ? WIDE : 0);

/** True of immediates that add and subtract take: 12 bits, or 12 bits shifted left by 12. */
export const isAddSubImm = (imm: number): boolean => (imm & ~0xfff) === 0 || (imm & ~0xfff000) === 0;

/** rd = rn op imm; throws where isAddSubImm() is false. */
export function addSubImm(op: number, wide: boolean, rd: number, rn: number, imm: number): number {
  if (!isAddSubImm(imm)) throw giveUp(`no instruction adds ${imm}`);
  const field = imm & ~0xfff ? SHIFT_12 | ((imm >>> 12) << 10) : imm << 10;
  return op | sf(wide) | field | (rn << 5) | rd;
}

/** rd = rn op rm, for ADD_SUB_REG, LOGIC_REG and DATA2. */
export const threeReg = (op: number, wide: boolean, rd: number, rn: number, rm: number): number =>
  op | sf(wide) | (rm << 16) | (rn << 5) | rd;

/** rd = ra ± rn * rm. */
export const fourReg = (op: number, wide: boolean, rd: number, ra: number, rn: number, rm: number): number =>
  op | sf(wide) | (rm << 16) | (ra << 10) | (rn << 5) | rd;

/** rd = op(rn). */
export const twoReg = (op: number, wide: boolean, rd: number, rn: number): number => op | sf(wide) | (rn << 5) | rd;

/** rd = rn op pattern; `pattern` as logicalImmediate() gives it. */
export const logicImm = (op: number, wide: boolean, rd: number, rn: number, pattern: number): number =>
  op | sf(wide) | pattern | (rn << 5) | rd;

/** Move of 16 bits to position 0, 16, 32 or 48. */
export const moveWide = (op: number, wide: boolean, rd: number, imm: number, shift: number): number =>
  op | sf(wide) | ((shift >> 4) << 21) | ((imm & 0xffff) << 5) | rd;

/** Bits `immr` … `imms` of rn, as the two numbers have it in this format. Throws where they are no bit numbers. */
export function bitfield(op: number, wide: boolean, rd: number, rn: number, immr: number, imms: number): number {
  const mask = wide ? 63 : 31;
  if (immr & ~mask || imms & ~mask) throw giveUp(`no bit field ${immr}, ${imms}`);
  return op | sf(wide) | (wide ? WIDE_FIELD : 0) | (immr << 16) | (imms << 10) | (rn << 5) | rd;
}

/** log2 of the number of bytes that a load or store moves. */
export type Scale = 0 | 1 | 2 | 3;
const sizeBits = (scale: Scale): number => scale << 30;

/** True of offsets that loads and stores with an immediate take. */
export const isLoadStoreOffset = (offset: number, scale: Scale): boolean =>
  offset >= 0 && offset <= 0xfff << scale && (offset & ((1 << scale) - 1)) === 0;

/** Load or store of rt at rn + offset; throws where isLoadStoreOffset() is false. */
export function loadStoreImm(op: number, scale: Scale, rt: number, rn: number, offset: number): number {
  if (!isLoadStoreOffset(offset, scale)) throw giveUp(`no offset ${offset}`);
  return op | sizeBits(scale) | ((offset >> scale) << 10) | (rn << 5) | rt;
}

/** Load or store of rt at rn + rm. */
export const loadStoreReg = (op: number, scale: Scale, rt: number, rn: number, rm: number): number =>
  op | sizeBits(scale) | (rm << 16) | (rn << 5) | rt;

/** Acquiring load or releasing store of rt at rn. */
export const ordered = (op: number, scale: Scale, rt: number, rn: number): number =>
  op | sizeBits(scale) | (rn << 5) | rt;

/** Exclusive or LSE operation at rn on rt; `rs` is the status or the operand. */
export const atomic = (op: number, wide: boolean, rt: number, rn: number, rs: number): number =>
  op | sizeBits(wide ? 3 : 2) | (rs << 16) | (rn << 5) | rt;

/** stp rt, rt2, [sp, #-16]! */
export const push = (rt: number, rt2: number): number => PAIR.STORE_PRE | pairFields(rt, rt2, -16);
/** ldp rt, rt2, [sp], #16 */
export const pop = (rt: number, rt2: number): number => PAIR.LOAD_POST | pairFields(rt, rt2, 16);
const pairFields = (rt: number, rt2: number, offset: number): number =>
  (((offset >> 3) & 0x7f) << 15) | (rt2 << 10) | (31 << 5) | rt;

/** Distance of a branch in words with so many bits; throws where it does not fit. */
function distance(words: number, bits: number): number {
  const limit = 2 ** (bits - 1);
  if (words < -limit || words >= limit) throw giveUp('a branch is out of reach');
  return words & (2 ** bits - 1);
}

export const b = (words: number): number => BRANCH.B | distance(words, 26);
export const bl = (words: number): number => BRANCH.BL | distance(words, 26);
export const bCond = (cond: number, words: number): number => BRANCH.B_COND | (distance(words, 19) << 5) | cond;
export const cbz = (wide: boolean, rt: number, words: number): number => compareBranch(BRANCH.CBZ, wide, rt, words);
export const cbnz = (wide: boolean, rt: number, words: number): number => compareBranch(BRANCH.CBNZ, wide, rt, words);
const compareBranch = (op: number, wide: boolean, rt: number, words: number): number =>
  op | sf(wide) | (distance(words, 19) << 5) | rt;

/** br, blr or ret. */
export const branchReg = (op: number, rn: number): number => op | (rn << 5);

/** ldr rt, pc + words * 4 */
export const loadLiteral = (rt: number, words: number): number => LOAD_LITERAL_64 | (distance(words, 19) << 5) | rt;

export const mrs = (rt: number, register: number): number => MRS | (register << 5) | rt;
