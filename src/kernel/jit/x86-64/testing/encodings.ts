// Every opcode with each class of registers, size of immediate and size of offset, and each distance of jumps. Many
// instructions make one function, since each has a place of its own in the code.
import { type Insn, insn, LDIMM64 } from '../../../../isa/insn.ts';
import { ALU, ATOMIC, CLASS, JMP, MODE, SIZE, SRC } from '../../../../isa/opcode.ts';
import { plainFunction } from '../../fixture.ts';
import type { ArenaRange, JitFunctionInput, JitInput } from '../../jit.ts';
import { type TestSettings, testImage } from './test-image.ts';

/** A program whose machine code is compared. */
export interface EncodingCase {
  group: string;
  program: JitInput;
}

export const ARENA: ArenaRange = { kernStart: 0xffffc90000000000n, userStart: 0x7f1200000000n };
const STACK = 64;
/** Instructions of one function. */
const FUNCTION_LENGTH = 500;
/** All that BPF can name, the hidden register too. */
export const REGISTERS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11] as const;
/** One of each kind as address or as value: rax, with and without byte registers of its own, extended, rbp, r13. */
export const MEMORY_REGISTERS = [0, 1, 4, 5, 7, 9, 10, 11] as const;
/** Zero, one, minus one and what does not fit into 8 bits any more. */
export const IMMEDIATES = [0, 1, -1, 2, 127, 128, -128, -129, 255, 256, 0x7fffffff, -0x80000000, 0x12345678] as const;
export const OFFSETS = [0, 1, -1, 8, 127, 128, -127, -128, -129, 32767, -32767, -32768] as const;
/** Halves of 64-bit constants. */
export const HALVES = [0, 1, -1, 127, 0x7fffffff, -0x80000000, -129, 0x12345678] as const;

export const functionOf = (insns: Insn[], more: Partial<JitFunctionInput> = {}): JitFunctionInput =>
  plainFunction(insns, { stackDepth: STACK, ...more });

export const programOf = (
  functions: JitFunctionInput[],
  settings: TestSettings = {},
  more: Partial<JitInput> = {},
): JitInput => ({ functions, image: testImage(settings), ...more });

export const EXIT = insn(CLASS.JMP | JMP.EXIT);

/** As many programs as the instructions of a group need. */
function packed(
  group: string,
  insns: Insn[],
  settings: TestSettings = {},
  more: Partial<JitInput> = {},
): EncodingCase[] {
  const cases: EncodingCase[] = [];
  for (let i = 0; i < insns.length; i += FUNCTION_LENGTH) {
    const part = [...insns.slice(i, i + FUNCTION_LENGTH), EXIT];
    cases.push({ group, program: programOf([functionOf(part)], settings, more) });
  }
  return cases;
}

const pairs = (registers: readonly number[]): [number, number][] =>
  registers.flatMap((dst) => registers.map((src): [number, number] => [dst, src]));
const PAIRS = pairs(REGISTERS);
const MEMORY_PAIRS = pairs(MEMORY_REGISTERS);

const CLASSES = [
  ['alu32', CLASS.ALU],
  ['alu64', CLASS.ALU64],
] as const;
const SHIFTS: ReadonlySet<number> = new Set([ALU.LSH, ALU.RSH, ALU.ARSH]);
export const SIGNED_TOO: ReadonlySet<number> = new Set([ALU.DIV, ALU.MOD]);
export const SHIFT_COUNTS = [0, 1, 2, 7, 31] as const;

/** Widths that a sign-extending move takes. */
export const movedBits = (kind: number): number[] => (kind === CLASS.ALU64 ? [8, 16, 32] : [8, 16]);

function arithmetic(): EncodingCase[] {
  const cases: EncodingCase[] = [];
  for (const [name, kind] of CLASSES) {
    for (const [opName, op] of Object.entries(ALU)) {
      if (op === ALU.END) continue;
      const counts = kind === CLASS.ALU64 ? [...SHIFT_COUNTS, 32, 63] : SHIFT_COUNTS;
      const constants = SHIFTS.has(op) ? counts : op === ALU.NEG ? [0] : IMMEDIATES;
      for (const off of SIGNED_TOO.has(op) ? [0, 1] : [0]) {
        const group = `${name} ${opName}${off ? ' signed' : ''}`;
        const immediate = REGISTERS.flatMap((dst) => constants.map((imm) => insn(kind | op | SRC.K, dst, 0, off, imm)));
        cases.push(...packed(`${group} K`, immediate));
        if (op === ALU.NEG) continue;
        const register = PAIRS.map(([dst, src]) => insn(kind | op | SRC.X, dst, src, off));
        cases.push(...packed(`${group} X`, register));
        if (SHIFTS.has(op)) cases.push(...packed(`${group} X without BMI2`, register, { bmi2: false }));
      }
    }
    const moves = movedBits(kind).flatMap((bits) => PAIRS.map(([d, s]) => insn(kind | ALU.MOV | SRC.X, d, s, bits)));
    cases.push(...packed(`${name} MOVSX`, moves));
  }
  const swaps = [CLASS.ALU | ALU.END, CLASS.ALU | ALU.END | SRC.X, CLASS.ALU64 | ALU.END].flatMap((code) =>
    [16, 32, 64].flatMap((bits) => REGISTERS.map((dst) => insn(code, dst, 0, 0, bits))),
  );
  cases.push(...packed('END', swaps));
  cases.push(
    ...packed(
      'per-CPU address',
      PAIRS.map(([dst, src]) => insn(0xbf, dst, src, -1)),
    ),
  );
  const casts = PAIRS.map(([dst, src]) => insn(0xbf, dst, src, 1, 1 << 16));
  cases.push(...packed('cast to user', casts, {}, { arena: ARENA }));
  cases.push(...packed('cast to user without arena', casts));
  return cases;
}

function constants(): EncodingCase[] {
  const insns = REGISTERS.flatMap((dst) =>
    HALVES.flatMap((high) => HALVES.flatMap((low) => [insn(LDIMM64, dst, 0, 0, low), insn(0, 0, 0, 0, high)])),
  );
  return packed('LD_IMM64', insns);
}

const LOAD_MODES = [
  ['MEM', MODE.MEM],
  ['MEMSX', MODE.MEMSX],
  ['PROBE_MEM', MODE.PROBE_MEM],
  ['PROBE_MEMSX', MODE.PROBE_MEMSX],
  ['PROBE_MEM32', MODE.PROBE_MEM32],
  ['PROBE_MEM32SX', MODE.PROBE_MEM32SX],
] as const;
const STORE_MODES = [LOAD_MODES[0], LOAD_MODES[4]] as const;
const SIZES = Object.entries(SIZE);
const HIDDEN = 11;
const FRAME = 10;

function memory(): EncodingCase[] {
  const cases: EncodingCase[] = [];
  for (const [sizeName, size] of SIZES) {
    for (const [modeName, mode] of LOAD_MODES) {
      if (modeName.endsWith('SX') && size === SIZE.DW) continue;
      // Neither the hidden register nor the frame pointer can be cleared when such a load faults.
      const registers = MEMORY_PAIRS.filter(([dst]) => !/PROBE_MEM(SX)?$/.test(modeName) || dst < FRAME);
      const loads = registers.flatMap(([d, s]) => OFFSETS.map((off) => insn(CLASS.LDX | mode | size, d, s, off)));
      const more = modeName.includes('32') ? { arena: ARENA } : {};
      cases.push(...packed(`LDX ${modeName} ${sizeName}`, loads, {}, more));
      if (/PROBE_MEM(SX)?$/.test(modeName)) {
        cases.push(...packed(`LDX ${modeName} ${sizeName} LA57`, loads.slice(0, OFFSETS.length), { la57: true }));
        for (const dst of [FRAME, HIDDEN]) {
          cases.push(...packed(`LDX ${modeName} ${sizeName} refused`, [insn(CLASS.LDX | mode | size, dst, 1, 0)]));
        }
      }
    }
    for (const [modeName, mode] of STORE_MODES) {
      const more = modeName.includes('32') ? { arena: ARENA } : {};
      const registers = MEMORY_PAIRS.flatMap(([dst, src]) =>
        OFFSETS.map((off) => insn(CLASS.STX | mode | size, dst, src, off)),
      );
      cases.push(...packed(`STX ${modeName} ${sizeName}`, registers, {}, more));
      const immediates = MEMORY_REGISTERS.flatMap((dst) =>
        OFFSETS.flatMap((off) => IMMEDIATES.map((imm) => insn(CLASS.ST | mode | size, dst, 0, off, imm))),
      );
      cases.push(...packed(`ST ${modeName} ${sizeName}`, immediates, {}, more));
    }
  }
  cases.push(...packed('NOSPEC', [insn(CLASS.ST | 0xc0)]));
  return cases;
}

const { ADD, AND, OR, XOR, FETCH, XCHG, CMPXCHG, LOAD_ACQ, STORE_REL } = ATOMIC;
export const ATOMIC_OPERATIONS = [
  ...[ADD, AND, OR, XOR].flatMap((op) => [op, op | FETCH]),
  XCHG,
  CMPXCHG,
  LOAD_ACQ,
  STORE_REL,
] as const;
const FETCH_LOOPS: readonly number[] = [AND | FETCH, OR | FETCH, XOR | FETCH];

/** True of what Linux refuses to compile. */
export const isRefusedAtomic = (mode: number, size: number, operation: number): boolean =>
  operation !== LOAD_ACQ &&
  operation !== STORE_REL &&
  (size === SIZE.B || size === SIZE.H || (mode === MODE.PROBE_ATOMIC && FETCH_LOOPS.includes(operation)));

function atomics(): EncodingCase[] {
  const cases: EncodingCase[] = [];
  for (const [modeName, mode] of [
    ['atomic', MODE.ATOMIC],
    ['arena atomic', MODE.PROBE_ATOMIC],
  ] as const) {
    const more = mode === MODE.PROBE_ATOMIC ? { arena: ARENA } : {};
    for (const [sizeName, size] of SIZES) {
      for (const imm of ATOMIC_OPERATIONS) {
        const group = `${modeName} 0x${imm.toString(16)} ${sizeName}`;
        const insns = MEMORY_PAIRS.flatMap(([dst, src]) =>
          OFFSETS.map((off) => insn(CLASS.STX | mode | size, dst, src, off, imm)),
        );
        if (isRefusedAtomic(mode, size, imm)) cases.push(...packed(`${group} refused`, insns.slice(0, 1), {}, more));
        else cases.push(...packed(group, insns, {}, more));
      }
    }
  }
  return cases;
}

/** Whether there is code at all. */
const everyOpcode = (): EncodingCase[] =>
  Array.from({ length: 256 }, (_, code) => {
    const x = insn(code, 1, 2, 0, (code & 7) === CLASS.STX ? ATOMIC.LOAD_ACQ : 0);
    const insns = code === LDIMM64 ? [x, insn(0), EXIT] : [x, EXIT];
    return {
      group: 'opcodes known or refused',
      program: programOf([functionOf(insns)], {}, { arena: ARENA }),
    };
  });

export const instructionCases = (): EncodingCase[] => [
  ...arithmetic(),
  ...constants(),
  ...memory(),
  ...atomics(),
  ...everyOpcode(),
];
