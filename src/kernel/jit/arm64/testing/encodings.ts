// Every opcode with each class of operands, size of immediate and size of offset; and every form of prologue and epilogue.
import { type Insn, insn, LDIMM64 } from '../../../../isa/insn.ts';
import { ALU, ATOMIC, CLASS, JMP, MODE, PSEUDO, SIZE, SRC } from '../../../../isa/opcode.ts';
import { plainFunction } from '../../fixture.ts';
import type { ArenaRange, JitFunctionInput, JitInput } from '../../jit.ts';
import { ARM64_DEFAULTS, type Arm64Settings } from '../settings.ts';
import { EDGES } from './random.ts';
import { testImage } from './test-image.ts';

/** A program whose code is compared: all of it, or that of the first instruction. */
export interface EncodingCase {
  group: string;
  program: JitInput;
  whole: boolean;
}

type Settings = Partial<Arm64Settings>;

const ARENA: ArenaRange = { kernStart: 0xffff800100000000n, userStart: 0x7f1200000000n };
const STACK = 64;
const EXIT = insn(CLASS.JMP | JMP.EXIT);
/** Destination and source: of the caller's and the callee's registers, the frame pointer, one and the same. */
const REGS: readonly (readonly [number, number])[] = [
  [0, 1],
  [6, 9],
  [2, 10],
  [10, 5],
  [3, 3],
  [11, 0],
];
/** Offsets of memory: with and without sign, aligned or not, within the scaled 12 bits of each size and beyond. */
const OFFSETS = [0, 1, 2, 4, 8, -1, -8, -64, -72, 255, 4094, 4095, 4096, 8190, 16380, 32760, 32767, -4096, -32768];
const SIZES = Object.entries(SIZE);

const functionOf = (insns: Insn[], more: Partial<JitFunctionInput> = {}): JitFunctionInput =>
  plainFunction(insns, { stackDepth: STACK, ...more });

const programOf = (functions: JitFunctionInput[], settings: Settings = {}, more: Partial<JitInput> = {}): JitInput => ({
  functions,
  image: testImage({ ...ARM64_DEFAULTS, ...settings }),
  ...more,
});

/** Instructions followed by others that jumps can lead to. */
function single(group: string, insns: Insn[], settings: Settings = {}, more: Partial<JitInput> = {}): EncodingCase {
  const filling = insn(CLASS.ALU64 | ALU.MOV | SRC.K);
  return { group, program: programOf([functionOf([...insns, filling, EXIT])], settings, more), whole: false };
}

function arithmetic(): EncodingCase[] {
  const cases: EncodingCase[] = [];
  for (const [cls, kind] of [
    ['alu32', CLASS.ALU],
    ['alu64', CLASS.ALU64],
  ] as const) {
    for (const [name, op] of Object.entries(ALU)) {
      if (op === ALU.END) continue;
      const divides = op === ALU.DIV || op === ALU.MOD;
      const shifts = op === ALU.LSH || op === ALU.RSH || op === ALU.ARSH;
      const constants = shifts ? [0, 1, 7, 31, ...(kind === CLASS.ALU64 ? [32, 63] : [])] : EDGES;
      for (const signed of divides ? [0, 1] : [0]) {
        const group = `${cls} ${name}${signed ? ' signed' : ''}`;
        for (const imm of constants) cases.push(single(group, [insn(kind | op | SRC.K, 6, 0, signed, imm)]));
        for (const [dst, src] of op === ALU.NEG ? [] : REGS) {
          cases.push(single(group, [insn(kind | op | SRC.X, dst, src, signed)]));
        }
      }
    }
    for (const off of kind === CLASS.ALU ? [8, 16] : [8, 16, 32]) {
      for (const [dst, src] of REGS) {
        cases.push(single(`${cls} MOVSX`, [insn(kind | ALU.MOV | SRC.X, dst, src, off)]));
      }
    }
  }
  for (const code of [CLASS.ALU | ALU.END | SRC.K, CLASS.ALU | ALU.END | SRC.X, CLASS.ALU64 | ALU.END]) {
    for (const imm of [16, 32, 64]) cases.push(single('END', [insn(code, 7, 0, 0, imm)]));
  }
  for (const [dst, src] of REGS) {
    for (const vhe of [true, false]) cases.push(single('per-CPU address', [insn(0xbf, dst, src, -1)], { vhe }));
    cases.push(single('cast to user', [insn(0xbf, dst, src, 1, 1 << 16)], {}, { arena: ARENA }));
  }
  return cases;
}

function jumps(): EncodingCase[] {
  const conditions = Object.entries(JMP).filter(([name]) => name[0] === 'J' && name !== 'JA' && name !== 'JCOND');
  const cases = [
    single('JA', [insn(CLASS.JMP | JMP.JA, 0, 0, 1)]),
    single('JA', [insn(CLASS.JMP | JMP.JA, 0, 0, -1)]),
    single('JA', [insn(CLASS.JMP32 | JMP.JA, 0, 0, 0, 1)]),
    single('EXIT', [EXIT]),
  ];
  for (const kind of [CLASS.JMP, CLASS.JMP32]) {
    for (const [name, op] of conditions) {
      const group = `${kind === CLASS.JMP ? 'jmp64' : 'jmp32'} ${name}`;
      for (const imm of EDGES) cases.push(single(group, [insn(kind | op | SRC.K, 6, 0, 1, imm)]));
      for (const [dst, src] of REGS) cases.push(single(group, [insn(kind | op | SRC.X, dst, src, -1)]));
    }
  }
  return cases;
}

const LOAD_MODES = Object.entries({
  MEM: MODE.MEM,
  MEMSX: MODE.MEMSX,
  PROBE_MEM: MODE.PROBE_MEM,
  PROBE_MEMSX: MODE.PROBE_MEMSX,
  PROBE_MEM32: MODE.PROBE_MEM32,
  PROBE_MEM32SX: MODE.PROBE_MEM32SX,
});

function memory(): EncodingCase[] {
  const cases: EncodingCase[] = [];
  for (const [sizeName, size] of SIZES) {
    for (const [modeName, mode] of LOAD_MODES) {
      if (modeName.endsWith('SX') && size === SIZE.DW) continue;
      for (const off of OFFSETS) {
        for (const src of [1, 10]) {
          const loads = [insn(CLASS.LDX | mode | size, 2, src, off)];
          cases.push(single(`LDX ${modeName} ${sizeName}`, loads, {}, { arena: ARENA }));
        }
      }
    }
    for (const [modeName, mode] of [LOAD_MODES[0], LOAD_MODES[4]]) {
      for (const off of OFFSETS) {
        for (const dst of [1, 10]) {
          const group = `${modeName} ${sizeName}`;
          const more = { arena: ARENA };
          cases.push(single(`STX ${group}`, [insn(CLASS.STX | mode | size, dst, 2, off)], {}, more));
          cases.push(single(`ST ${group}`, [insn(CLASS.ST | mode | size, dst, 0, off, -2)], {}, more));
        }
      }
    }
  }
  for (const imm of EDGES) cases.push(single('ST immediates', [insn(CLASS.ST | MODE.MEM | SIZE.DW, 10, 0, -8, imm)]));
  for (const sb of [true, false]) cases.push(single('NOSPEC', [insn(CLASS.ST | 0xc0)], { sb }));
  return cases;
}

function constants(): EncodingCase[] {
  const halves = [0, -1, 0x12345678, 0xffff, -0x10000, 0x8000, 0x10000];
  return halves.flatMap((high) =>
    halves.map((low) => single('LD_IMM64', [insn(LDIMM64, 8, 0, 0, low), insn(0, 0, 0, 0, high)])),
  );
}

const { ADD, AND, OR, XOR, FETCH, XCHG, CMPXCHG, LOAD_ACQ, STORE_REL } = ATOMIC;
const OPERATIONS = [ADD, AND, OR, XOR].flatMap((op) => [op, op | FETCH]).concat(XCHG, CMPXCHG);

function atomics(): EncodingCase[] {
  const cases: EncodingCase[] = [];
  const add = (mode: number, size: number, imm: number, lse: boolean): void => {
    const group = `${mode === MODE.ATOMIC ? 'atomic' : 'arena atomic'} 0x${imm.toString(16)} ${lse ? 'LSE' : 'LL/SC'}`;
    for (const off of [0, 8, -8, 4095, 4097, -32768]) {
      for (const [dst, src] of [
        [1, 2],
        [10, 0],
        [6, 7],
      ]) {
        cases.push(single(group, [insn(CLASS.STX | mode | size, dst, src, off, imm)], { lse }, { arena: ARENA }));
      }
    }
  };
  for (const mode of [MODE.ATOMIC, MODE.PROBE_ATOMIC]) {
    for (const [, size] of SIZES) for (const imm of [LOAD_ACQ, STORE_REL]) add(mode, size, imm, true);
    for (const size of [SIZE.W, SIZE.DW]) {
      for (const imm of OPERATIONS) {
        add(mode, size, imm, true);
        if (mode === MODE.ATOMIC) add(mode, size, imm, false);
      }
    }
  }
  return cases;
}

function calls(): EncodingCase[] {
  const call = (imm: number): Insn[] => [insn(CLASS.JMP | JMP.CALL, 0, 0, 0, imm)];
  const cases = [0x1000, 0x40, 0x7000000, -0x100000].map((imm) => single('call', call(imm)));
  for (const helper of [8, 35, 158]) {
    cases.push(single('inlined helper', call(helper)));
    cases.push(single('inlined helper', call(helper), { shadowCallStack: true, softwarePan: true }));
  }
  for (const [bti, pac] of [
    [false, false],
    [false, true],
    [true, true],
  ]) {
    cases.push(single('tail call', [insn(CLASS.JMP | JMP.TAIL_CALL)], { bti, pac }));
  }
  const callee = functionOf([EXIT], { isSubprog: true });
  const caller = [
    insn(CLASS.JMP | JMP.CALL, 0, 1, 1, 1),
    insn(LDIMM64, 1, PSEUDO.FUNC, 1, 0),
    insn(0, 0, 0, 0, 0),
    insn(CLASS.JMP | JMP.CALL, 0, 1, 2, 1),
    EXIT,
  ];
  const program = programOf([functionOf(caller), callee, callee]);
  return [...cases, { group: 'functions', program, whole: true }];
}

/** Which registers a function mentions, and so saves. */
const MENTIONS: readonly (readonly number[])[] = [[], [6], [6, 7], [6, 7, 8], [6, 7, 8, 9], [10], [6, 10], [7, 9, 10]];

function frames(): EncodingCase[] {
  const cases: EncodingCase[] = [];
  const add = (more: Partial<JitFunctionInput>, settings: Settings, rest: Partial<JitInput> = {}): void => {
    for (const regs of MENTIONS) {
      for (const stackDepth of [0, 8, 512]) {
        const insns = [...regs.map((r) => insn(CLASS.ALU64 | ALU.MOV | SRC.X, 0, r)), insn(0xf5), EXIT];
        const program = programOf([functionOf(insns, { ...more, stackDepth })], settings, rest);
        cases.push({ group: `frame ${Object.keys({ ...more, ...rest }).join(' ')}`, program, whole: true });
      }
    }
  };
  for (const [bti, pac] of [
    [false, false],
    [false, true],
    [true, true],
  ]) {
    add({}, { bti, pac });
    add({ isSubprog: true }, { bti, pac });
    add({ exceptionBoundary: true }, { bti, pac });
    add({ isSubprog: true, exceptionCallback: true }, { bti, pac });
  }
  for (const vhe of [true, false]) add({ privateStack: true }, { vhe });
  add({}, {}, { arena: ARENA });
  add({}, { cfi: true });
  for (const clearInstruction of [true, false]) {
    for (const firmware of [undefined, 'hvc', 'smc'] as const) {
      const branchHistory = { clearInstruction, loops: 8, firmware };
      add({}, { branchHistory }, { classic: true, clearBranchHistory: true });
    }
  }
  return cases;
}

export const encodingCases = (): EncodingCase[] => [
  ...arithmetic(),
  ...jumps(),
  ...memory(),
  ...constants(),
  ...atomics(),
  ...calls(),
  ...frames(),
];
