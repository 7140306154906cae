// arm64 instructions as the kernel's code generator uses them, with the names that the GNU disassembler prefers. The
// first row that fits is the one.
import { logicalConstant, type OperandName, SYSTEM_REGISTERS } from './operands.ts';

/** Fixed bits, what they are, the name, and the operands by name. */
export interface Row {
  readonly mask: number;
  readonly value: number;
  readonly name: string;
  readonly operands: readonly OperandName[];
  /** Further condition. */
  readonly when?: (word: number) => boolean;
}

const row = (mask: number, value: number, name: string, operands = '', when?: (word: number) => boolean): Row => ({
  mask,
  value,
  name,
  operands: operands === '' ? [] : (operands.split(' ') as OperandName[]),
  when,
});

const isWide = (word: number): boolean => word >>> 31 === 1;
const immr = (word: number): number => (word >>> 16) & 63;
const imms = (word: number): number => (word >>> 10) & 63;
const top = (word: number): number => (isWide(word) ? 63 : 31);
const half = (word: number): number => (word >>> 5) & 0xffff;
const place = (word: number): number => (word >>> 21) & 3;

/** Bit fields: N equals sf, and the numbers are those of bits. */
const isField = (word: number): boolean =>
  ((word >>> 22) & 1) === word >>> 31 && immr(word) <= top(word) && imms(word) <= top(word);
const fields =
  (fits: (word: number) => boolean) =>
  (word: number): boolean =>
    isField(word) && fits(word);
const isLogical = (word: number): boolean => logicalConstant(word) !== undefined;

const toStack = (word: number): boolean => (word & 31) === 31;

/** Wide moves: the place is within the register. */
const isMove = (word: number): boolean => isWide(word) || place(word) < 2;
/** Moves of nothing to a place other than the lowest keep their own names. */
const isPlainMove = (word: number): boolean => isMove(word) && (half(word) !== 0 || place(word) === 0);
const isPlainInverse = (word: number): boolean => isPlainMove(word) && (isWide(word) || half(word) !== 0xffff);

/** A constant that a wide move could make as well. */
function isWideMovable(word: number): boolean {
  const value = logicalConstant(word) ?? 0n;
  const bits = isWide(word) ? 64 : 32;
  const inverse = BigInt.asUintN(bits, ~value);
  for (let shift = 0n; shift < bits; shift += 16n) {
    const mask = BigInt.asUintN(bits, 0xffffn << shift);
    if ((value & mask) === value || (inverse & mask) === inverse) return true;
  }
  return false;
}

const ADD_SUB_IMM: readonly Row[] = [
  row(0x7ffffc1f, 0x1100001f, 'mov', 'RdSp RnSp'),
  row(0x7fffffe0, 0x110003e0, 'mov', 'RdSp RnSp'),
  row(0x7f800000, 0x11000000, 'add', 'RdSp RnSp AddImm'),
  row(0x7f80001f, 0x3100001f, 'cmn', 'RnSp AddImm'),
  row(0x7f800000, 0x31000000, 'adds', 'Rd RnSp AddImm'),
  row(0x7f800000, 0x51000000, 'sub', 'RdSp RnSp AddImm'),
  row(0x7f80001f, 0x7100001f, 'cmp', 'RnSp AddImm'),
  row(0x7f800000, 0x71000000, 'subs', 'Rd RnSp AddImm'),
];

const LOGIC_IMM: readonly Row[] = [
  row(0x7f800000, 0x12000000, 'and', 'RdSp Rn LogicImm', isLogical),
  row(
    0x7f8003e0,
    0x320003e0,
    'mov',
    'RdSp MovLogic',
    (word) => isLogical(word) && (toStack(word) || !isWideMovable(word)),
  ),
  row(0x7f800000, 0x32000000, 'orr', 'RdSp Rn LogicImm', isLogical),
  row(0x7f800000, 0x52000000, 'eor', 'RdSp Rn LogicImm', isLogical),
  row(0x7f80001f, 0x7200001f, 'tst', 'Rn LogicImm', isLogical),
  row(0x7f800000, 0x72000000, 'ands', 'Rd Rn LogicImm', isLogical),
];

const MOVES: readonly Row[] = [
  row(0x7f800000, 0x12800000, 'mov', 'Rd MovOnes', isPlainInverse),
  row(0x7f800000, 0x12800000, 'movn', 'Rd Half', isMove),
  row(0x7f800000, 0x52800000, 'mov', 'Rd MovZero', isPlainMove),
  row(0x7f800000, 0x52800000, 'movz', 'Rd Half', isMove),
  row(0x7f800000, 0x72800000, 'movk', 'Rd Half', isMove),
];

const BITFIELDS: readonly Row[] = [
  row(
    0x7f800000,
    0x13000000,
    'asr',
    'Rd Rn Right',
    fields((w) => imms(w) === top(w)),
  ),
  row(
    0x7f800000,
    0x13000000,
    'sxtb',
    'Rd Wn',
    fields((w) => immr(w) === 0 && imms(w) === 7),
  ),
  row(
    0x7f800000,
    0x13000000,
    'sxth',
    'Rd Wn',
    fields((w) => immr(w) === 0 && imms(w) === 15),
  ),
  row(
    0x7f800000,
    0x13000000,
    'sxtw',
    'Rd Wn',
    fields((w) => immr(w) === 0 && imms(w) === 31 && isWide(w)),
  ),
  row(
    0x7f800000,
    0x13000000,
    'sbfiz',
    'Rd Rn InsertLsb InsertWidth',
    fields((w) => imms(w) < immr(w)),
  ),
  row(0x7f800000, 0x13000000, 'sbfx', 'Rd Rn Lsb Width', isField),
  row(
    0x7f800000,
    0x53000000,
    'lsr',
    'Rd Rn Right',
    fields((w) => imms(w) === top(w)),
  ),
  row(
    0x7f800000,
    0x53000000,
    'lsl',
    'Rd Rn Left',
    fields((w) => imms(w) + 1 === immr(w)),
  ),
  row(
    0x7f800000,
    0x53000000,
    'uxtb',
    'Rd Wn',
    fields((w) => immr(w) === 0 && imms(w) === 7 && !isWide(w)),
  ),
  row(
    0x7f800000,
    0x53000000,
    'uxth',
    'Rd Wn',
    fields((w) => immr(w) === 0 && imms(w) === 15 && !isWide(w)),
  ),
  row(
    0x7f800000,
    0x53000000,
    'ubfiz',
    'Rd Rn InsertLsb InsertWidth',
    fields((w) => imms(w) < immr(w)),
  ),
  row(0x7f800000, 0x53000000, 'ubfx', 'Rd Rn Lsb Width', isField),
];

/** Registers without shift. */
const REGISTERS: readonly Row[] = [
  row(0x7fe0fc00, 0x0b000000, 'add', 'Rd Rn Rm'),
  row(0x7fe0ffe0, 0x4b0003e0, 'neg', 'Rd Rm'),
  row(0x7fe0fc00, 0x4b000000, 'sub', 'Rd Rn Rm'),
  row(0x7fe0fc1f, 0x6b00001f, 'cmp', 'Rn Rm'),
  row(0x7fe0ffe0, 0x6b0003e0, 'negs', 'Rd Rm'),
  row(0x7fe0fc00, 0x6b000000, 'subs', 'Rd Rn Rm'),
  row(0x7fe0fc00, 0x0a000000, 'and', 'Rd Rn Rm'),
  row(0x7fe0ffe0, 0x2a0003e0, 'mov', 'Rd Rm'),
  row(0x7fe0fc00, 0x2a000000, 'orr', 'Rd Rn Rm'),
  row(0x7fe0ffe0, 0x2a2003e0, 'mvn', 'Rd Rm'),
  row(0x7fe0fc00, 0x2a200000, 'orn', 'Rd Rn Rm'),
  row(0x7fe0fc00, 0x4a000000, 'eor', 'Rd Rn Rm'),
  row(0x7fe0fc1f, 0x6a00001f, 'tst', 'Rn Rm'),
  row(0x7fe0fc00, 0x6a000000, 'ands', 'Rd Rn Rm'),
  row(0x7fe0fc00, 0x1ac00800, 'udiv', 'Rd Rn Rm'),
  row(0x7fe0fc00, 0x1ac00c00, 'sdiv', 'Rd Rn Rm'),
  row(0x7fe0fc00, 0x1ac02000, 'lsl', 'Rd Rn Rm'),
  row(0x7fe0fc00, 0x1ac02400, 'lsr', 'Rd Rn Rm'),
  row(0x7fe0fc00, 0x1ac02800, 'asr', 'Rd Rn Rm'),
  row(0x7fe0fc00, 0x1b007c00, 'mul', 'Rd Rn Rm'),
  row(0x7fe08000, 0x1b000000, 'madd', 'Rd Rn Rm Ra'),
  row(0x7fe0fc00, 0x1b00fc00, 'mneg', 'Rd Rn Rm'),
  row(0x7fe08000, 0x1b008000, 'msub', 'Rd Rn Rm Ra'),
  row(0x7ffffc00, 0x5ac00400, 'rev16', 'Rd Rn'),
  row(0xfffffc00, 0x5ac00800, 'rev', 'Rd Rn'),
  row(0xfffffc00, 0xdac00800, 'rev32', 'Rd Rn'),
  row(0xfffffc00, 0xdac00c00, 'rev', 'Rd Rn'),
];

/** Loads and stores by the two upper bits; the last of each line is the sign-extending load. */
const SIZES: readonly (readonly [number, string, string, string])[] = [
  [0x00000000, 'strb', 'ldrb', 'ldrsb'],
  [0x40000000, 'strh', 'ldrh', 'ldrsh'],
  [0x80000000, 'str', 'ldr', 'ldrsw'],
  [0xc0000000, 'str', 'ldr', ''],
];

const LOADS_AND_STORES: readonly Row[] = SIZES.flatMap(([size, store, load, signed]) => {
  const reg = size === 0xc0000000 ? 'Xd' : 'Wd';
  const rows = [
    row(0xffc00000, size | 0x39000000, store, `${reg} BaseImm`),
    row(0xffc00000, size | 0x39400000, load, `${reg} BaseImm`),
    row(0xffe0fc00, size | 0x38206800, store, `${reg} BaseReg`),
    row(0xffe0fc00, size | 0x38606800, load, `${reg} BaseReg`),
  ];
  if (signed === '') return rows;
  return [
    ...rows,
    row(0xffc00000, size | 0x39800000, signed, 'Xd BaseImm'),
    row(0xffe0fc00, size | 0x38a0e800, signed, 'Xd BaseSxtx'),
  ];
});

const ORDERED: readonly Row[] = ['b', 'h', '', ''].flatMap((suffix, i) => {
  const size = (i << 30) >>> 0;
  const reg = i === 3 ? 'Xd' : 'Wd';
  return [
    row(0xfffffc00, size | 0x08dffc00, `ldar${suffix}`, `${reg} Base`),
    row(0xfffffc00, size | 0x089ffc00, `stlr${suffix}`, `${reg} Base`),
  ];
});

const LSE_OPS = [
  [0x0000, 'add'],
  [0x1000, 'clr'],
  [0x2000, 'eor'],
  [0x3000, 'set'],
] as const;

/** 32 or 64 bits, by bit 30. */
const ATOMICS: readonly Row[] = [
  row(0xbffffc00, 0x885f7c00, 'ldxr', 'St Base'),
  row(0xbfe0fc00, 0x88007c00, 'stxr', 'Wm St Base'),
  row(0xbfe0fc00, 0x8800fc00, 'stlxr', 'Wm St Base'),
  ...LSE_OPS.flatMap(([bits, op]) => [
    row(0xbfe0fc1f, 0xb820001f | bits, `st${op}`, 'Sm Base'),
    row(0xbfe0fc00, 0xb8200000 | bits, `ld${op}`, 'Sm St Base'),
    row(0xbfe0fc00, 0xb8e00000 | bits, `ld${op}al`, 'Sm St Base'),
  ]),
  row(0xbfe0fc00, 0xb8e08000, 'swpal', 'Sm St Base'),
  row(0xbfe0fc00, 0x88e0fc00, 'casal', 'Sm St Base'),
];

const PAIRS: readonly Row[] = [
  row(0xffc00000, 0xa9800000, 'stp', 'Xd Xt2 BasePre'),
  row(0xffc00000, 0xa8c00000, 'ldp', 'Xd Xt2 BasePost'),
  row(0xff000000, 0x58000000, 'ldr', 'Xd Branch19'),
];

export const CONDITIONS: readonly string[] = [
  'eq',
  'ne',
  'cs',
  'cc',
  'mi',
  'pl',
  'vs',
  'vc',
  'hi',
  'ls',
  'ge',
  'lt',
  'gt',
  'le',
  'al',
  'nv',
];

const BRANCHES: readonly Row[] = [
  row(0xfc000000, 0x14000000, 'b', 'Branch26'),
  row(0xfc000000, 0x94000000, 'bl', 'Branch26'),
  ...CONDITIONS.map((cond, i) => row(0xff00001f, 0x54000000 | i, `b.${cond}`, 'Branch19')),
  row(0x7f000000, 0x34000000, 'cbz', 'Rd Branch19'),
  row(0x7f000000, 0x35000000, 'cbnz', 'Rd Branch19'),
  row(0xfffffc1f, 0xd61f0000, 'br', 'Xn'),
  row(0xfffffc1f, 0xd63f0000, 'blr', 'Xn'),
  row(0xffffffff, 0xd65f03c0, 'ret'),
  row(0xfffffc1f, 0xd65f0000, 'ret', 'Xn'),
];

const SYSTEM: readonly Row[] = [
  row(0xffffffff, 0xd503201f, 'nop'),
  row(0xffffffff, 0xd503233f, 'paciasp'),
  row(0xffffffff, 0xd50323bf, 'autiasp'),
  row(0xffffffff, 0xd503245f, 'bti', 'TargetC'),
  row(0xffffffff, 0xd503249f, 'bti', 'TargetJ'),
  row(0xffffffff, 0xd50324df, 'bti', 'TargetJc'),
  row(0xffffffff, 0xd50322df, 'clearbhb'),
  row(0xfffff0ff, 0xd50330bf, 'dmb', 'Barrier'),
  row(0xffffffff, 0xd5033b9f, 'dsb', 'Barrier'),
  row(0xffffffff, 0xd503379f, 'dsb', 'Barrier'),
  row(0xffffffff, 0xd5033fdf, 'isb'),
  row(0xfffff0ff, 0xd50330df, 'isb', 'Crm'),
  row(0xffffffff, 0xd50330ff, 'sb'),
  ...Object.keys(SYSTEM_REGISTERS).map((register) =>
    row(0xffffffe0, (0xd5300000 | (Number(register) << 5)) >>> 0, 'mrs', 'Xd SystemReg'),
  ),
  row(0xffe0001f, 0xd4000002, 'hvc', 'Imm16'),
  row(0xffe0001f, 0xd4000003, 'smc', 'Imm16'),
  row(0xffe0001f, 0xd4200000, 'brk', 'Imm16'),
  row(0xffff0000, 0x00000000, 'udf', 'Udf'),
];

export const TABLE: readonly Row[] = [
  ...ADD_SUB_IMM,
  ...LOGIC_IMM,
  ...MOVES,
  ...BITFIELDS,
  ...REGISTERS,
  ...LOADS_AND_STORES,
  ...ORDERED,
  ...ATOMICS,
  ...PAIRS,
  ...BRANCHES,
  ...SYSTEM,
];
