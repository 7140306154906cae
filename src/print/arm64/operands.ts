// Operands of arm64 instructions as text, cut into the pieces in which the GNU disassembler hands them out.

/** Pieces of one operand of an instruction at an address. */
export type Operand = (word: number, address: bigint) => string[];

const field = (word: number, low: number, bits: number): number => (word >>> low) & (2 ** bits - 1);
const signed = (value: number, bits: number): number => (value << (32 - bits)) >> (32 - bits);

const isWide = (word: number): boolean => word >>> 31 === 1;

/** Register 31 is the zero register or the stack pointer, as the operand has it. */
const zeroOr = (reg: number, wide: boolean): string => `${wide ? 'x' : 'w'}${reg === 31 ? 'zr' : reg}`;
const stackOr = (reg: number, wide: boolean): string =>
  reg === 31 ? (wide ? 'sp' : 'wsp') : `${wide ? 'x' : 'w'}${reg}`;

/** Places of register numbers in the word. */
const D = 0;
const N = 5;
const A = 10;
const M = 16;

/** Register of the width that bit 31 says. */
const sized =
  (low: number): Operand =>
  (word) => [zeroOr(field(word, low, 5), isWide(word))];
const sizedOrStack =
  (low: number): Operand =>
  (word) => [stackOr(field(word, low, 5), isWide(word))];
const narrow =
  (low: number): Operand =>
  (word) => [zeroOr(field(word, low, 5), false)];
const wide =
  (low: number): Operand =>
  (word) => [zeroOr(field(word, low, 5), true)];
/** Register of an atomic operation: bit 30 says the width. */
const atomicSized =
  (low: number): Operand =>
  (word) => [zeroOr(field(word, low, 5), field(word, 30, 1) === 1)];

const decimal = (value: number): string => `#${value}`;
const hex = (value: number | bigint): string => `#0x${value.toString(16)}`;

/** Address in an address operand, with what is added to it. */
const memory = (word: number, ...inside: string[]): string[] => ['[', stackOr(field(word, N, 5), true), ...inside];

/** `mov` of a constant: the column of the comment is fixed. */
const moved = (value: bigint, bits: number): string[] => [
  `#0x${BigInt.asUintN(bits, value).toString(16).padEnd(20)}`,
  `\t// #${BigInt.asIntN(bits, value)}`,
];

const bitsOf = (word: number): number => (isWide(word) ? 64 : 32);
const wideShift = (word: number): number => field(word, 21, 2) * 16;

/** The constant of a logical instruction; undefined: the fields are none. */
export function logicalConstant(word: number): bigint | undefined {
  const [n, immr, imms] = [field(word, 22, 1), field(word, 16, 6), field(word, 10, 6)];
  const length = 31 - Math.clz32((n << 6) | (~imms & 63));
  if (length < 1 || (n === 1 && !isWide(word))) return undefined;
  const size = 2 ** length;
  const ones = (imms & (size - 1)) + 1;
  if (ones === size) return undefined;
  const run = (1n << BigInt(ones)) - 1n;
  const rotation = BigInt(immr & (size - 1));
  const mask = (1n << BigInt(size)) - 1n;
  const pattern = ((run >> rotation) | (run << (BigInt(size) - rotation))) & mask;
  let value = 0n;
  for (let at = 0; at < bitsOf(word); at += size) value |= pattern << BigInt(at);
  return value;
}

/** Constants of add and subtract and of wide moves: with the shift where there is one. */
const shifted = (value: number, shift: number): string[] =>
  shift === 0 ? [hex(value)] : [hex(value), ', ', 'lsl', ' ', `#${shift}`];

const branch = (word: number, address: bigint, low: number, bits: number): string =>
  `0x${BigInt.asUintN(64, address + 4n * BigInt(signed(field(word, low, bits), bits))).toString(16)}`;

const BARRIERS: Readonly<Record<number, string>> = {
  1: 'oshld',
  2: 'oshst',
  3: 'osh',
  5: 'nshld',
  6: 'nshst',
  7: 'nsh',
  9: 'ishld',
  10: 'ishst',
  11: 'ish',
  13: 'ld',
  14: 'st',
  15: 'sy',
};

/** System registers that the table's instructions name. */
export const SYSTEM_REGISTERS: Readonly<Record<number, string>> = {
  16904: 'sp_el0',
  18052: 'tpidr_el1',
  26242: 'tpidr_el2',
};

/** Other names of branches with a condition, which a comment tells. */
const OTHER_NAMES: Readonly<Record<number, readonly string[]>> = {
  0: ['b.none'],
  1: ['b.any'],
  2: ['b.hs', 'b.nlast'],
  3: ['b.lo', 'b.ul', 'b.last'],
  4: ['b.first'],
  5: ['b.nfrst'],
  8: ['b.pmore'],
  9: ['b.plast'],
  10: ['b.tcont'],
  11: ['b.tstop'],
};

/** Pieces of the comment of a branch with a condition; none where it has no other name. */
export const conditionComment = (word: number): string[] =>
  (OTHER_NAMES[field(word, 0, 4)] ?? []).map((name, i) => `${i === 0 ? '  // ' : ', '}${name}`);

const loadStoreOffset = (word: number): number => field(word, 10, 12) << (word >>> 30);
const pairOffset = (word: number): string => decimal(signed(field(word, 15, 7), 7) * 8);
const lsl = (word: number): number => bitsOf(word) - 1 - field(word, 10, 6);

/** Operands by the names that the table uses. */
export const OPERANDS = {
  Rd: sized(D),
  Rn: sized(N),
  Rm: sized(M),
  Ra: sized(A),
  RdSp: sizedOrStack(D),
  RnSp: sizedOrStack(N),
  Xd: wide(D),
  Xn: wide(N),
  Wd: narrow(D),
  Wn: narrow(N),
  Wm: narrow(M),
  Xt2: wide(A),
  St: atomicSized(D),
  Sm: atomicSized(M),
  /** Address without offset. */
  Base: (word) => [...memory(word), ']'],
  BaseImm: (word) => {
    const offset = loadStoreOffset(word);
    return offset === 0 ? [...memory(word), ']'] : [...memory(word, ', ', decimal(offset)), ']'];
  },
  BaseReg: (word) => [...memory(word, ', ', zeroOr(field(word, M, 5), true)), ']'],
  BaseSxtx: (word) => [...memory(word, ', ', zeroOr(field(word, M, 5), true), ', ', 'sxtx'), ']'],
  BasePre: (word) => [...memory(word, ', ', pairOffset(word)), ']!'],
  BasePost: (word) => [...memory(word), '], ', pairOffset(word)],
  AddImm: (word) => shifted(field(word, 10, 12), field(word, 22, 1) * 12),
  LogicImm: (word) => [hex(logicalConstant(word) ?? 0n)],
  MovLogic: (word) => moved(logicalConstant(word) ?? 0n, bitsOf(word)),
  MovZero: (word) => moved(BigInt(field(word, 5, 16)) << BigInt(wideShift(word)), bitsOf(word)),
  MovOnes: (word) => moved(~(BigInt(field(word, 5, 16)) << BigInt(wideShift(word))), bitsOf(word)),
  Half: (word) => shifted(field(word, 5, 16), wideShift(word)),
  /** Of bit fields: shifts, lowest bit and width. */
  Left: (word) => [decimal(lsl(word))],
  Right: (word) => [decimal(field(word, 16, 6))],
  Lsb: (word) => [decimal(field(word, 16, 6))],
  Width: (word) => [decimal(field(word, 10, 6) - field(word, 16, 6) + 1)],
  InsertLsb: (word) => [decimal(bitsOf(word) - field(word, 16, 6))],
  InsertWidth: (word) => [decimal(field(word, 10, 6) + 1)],
  Branch26: (word, address) => [branch(word, address, 0, 26)],
  Branch19: (word, address) => [branch(word, address, 5, 19)],
  Barrier: (word) => [BARRIERS[field(word, 8, 4)] ?? `#0x${field(word, 8, 4).toString(16).padStart(2, '0')}`],
  Crm: (word) => [hex(field(word, 8, 4))],
  Imm16: (word) => [hex(field(word, 5, 16))],
  Udf: (word) => [decimal(field(word, 0, 16))],
  SystemReg: (word) => [SYSTEM_REGISTERS[field(word, 5, 15)] ?? ''],
  TargetC: () => ['c'],
  TargetJ: () => ['j'],
  TargetJc: () => ['jc'],
} satisfies Readonly<Record<string, Operand>>;

export type OperandName = keyof typeof OPERANDS;
