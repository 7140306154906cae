import { describe, expect, it } from 'vitest';
import { type Insn, insn, LDIMM64 } from '../../../isa/insn.ts';
import {
  ALU,
  ATOMIC,
  CLASS,
  insnClass,
  insnMode,
  insnOp,
  insnSize,
  JMP,
  MODE,
  SIZE,
  SRC,
} from '../../../isa/opcode.ts';
import { compileProgram } from './compile.ts';
import { MACHINE_REG } from './registers.ts';
import { addressOf, answerOf } from './testing/answer.ts';
import { encodingCases } from './testing/cases.ts';
import { ARENA, functionOf, programOf } from './testing/encodings.ts';

/** What the encoding of a register depends on: the short forms of rax, cl, byte registers, REX bits, rbp and r13. */
const REGISTER_CLASSES = {
  rax: [0],
  'rdi, rsi': [1, 2],
  'rdx, rbx': [3, 6],
  rcx: [4],
  'r8, r14, r15': [5, 8, 9],
  r13: [7],
  rbp: [10],
  r10: [11],
};
type Register = keyof typeof REGISTER_CLASSES;
const ALL = Object.keys(REGISTER_CLASSES) as Register[];
const registerClass = (reg: number): string => ALL.find((name) => REGISTER_CLASSES[name].includes(reg)) ?? 'none';

const EDGES = [0, 1, -1, 127, 128, -128, -129, 0x7fffffff, -0x80000000];
const OFFSET_EDGES = [0, 1, -1, 127, 128, -127, -128, -129, 32767, -32767, -32768];
const BITS = [16, 32, 64];

const cross = (...axes: (readonly (string | number)[])[]): string[] =>
  axes.reduce<string[]>((sum, axis) => sum.flatMap((left) => axis.map((value) => `${left} ${value}`)), ['']);

/** True if the emitter has code for the opcode, whatever the operands. */
function isCompiled(code: number): boolean {
  if (code === LDIMM64) return true;
  const x = insn(code, 1, 2, 0, insnClass(code) === CLASS.STX ? ATOMIC.LOAD_ACQ : 0);
  if (code === (CLASS.JMP | JMP.CALL)) x.imm = 16;
  return answerOf(programOf([functionOf([x, insn(0x95)])], {}, { arena: ARENA })) !== 'BAD\n';
}
const OPCODES = Array.from({ length: 256 }, (_, code) => code).filter(isCompiled);

const isGuarded = (code: number): boolean => [MODE.PROBE_MEM, MODE.PROBE_MEMSX].includes(insnMode(code) as 0x20 | 0x40);
const isAtomic = (code: number): boolean => [MODE.ATOMIC, MODE.PROBE_ATOMIC].includes(insnMode(code) as 0xc0 | 0xe0);
const FETCH_LOOPS = [ATOMIC.AND, ATOMIC.OR, ATOMIC.XOR].map((op) => op | ATOMIC.FETCH);
const LOAD_STORE = [ATOMIC.LOAD_ACQ, ATOMIC.STORE_REL];
const RMW = [
  ...[ATOMIC.ADD, ATOMIC.AND, ATOMIC.OR, ATOMIC.XOR].flatMap((op) => [op, op | ATOMIC.FETCH]),
  ATOMIC.XCHG,
  ATOMIC.CMPXCHG,
];

/** Linux compiles no narrow read-modify-write, and in an arena none that needs a loop. */
function atomicOperations(code: number): number[] {
  if (insnSize(code) === SIZE.B || insnSize(code) === SIZE.H) return LOAD_STORE;
  const loops = insnMode(code) === MODE.ATOMIC;
  return [...RMW.filter((op) => loops || !FETCH_LOOPS.includes(op)), ...LOAD_STORE];
}

const isUnconditional = (code: number): boolean =>
  ([JMP.JA, JMP.CALL, JMP.EXIT, JMP.TAIL_CALL] as number[]).includes(insnOp(code));

/** Every combination of classes that this opcode must have a case for. */
function required(code: number): string[] {
  const op = insnOp(code);
  const register = (code & SRC.X) !== 0;
  switch (insnClass(code)) {
    case CLASS.LD:
      return cross(
        ALL,
        EDGES.filter((n) => n >= -129 && n !== 128 && n !== -128),
        [0, 1, -1, 0x7fffffff],
      );
    case CLASS.LDX: {
      const targets = isGuarded(code) ? ALL.filter((name) => name !== 'rbp' && name !== 'r10') : ALL;
      return cross(targets, ALL, OFFSET_EDGES).filter((key) => !key.includes('rdx'));
    }
    case CLASS.ST:
      if (code === (CLASS.ST | 0xc0)) return [''];
      return cross(ALL, OFFSET_EDGES, EDGES).filter((key) => !key.includes('rdx'));
    case CLASS.STX: {
      const keys = isAtomic(code)
        ? cross(ALL, ALL, OFFSET_EDGES, atomicOperations(code))
        : cross(ALL, ALL, OFFSET_EDGES);
      return keys.filter((key) => !key.includes('rdx'));
    }
    case CLASS.JMP:
    case CLASS.JMP32:
      if (isUnconditional(code)) return [''];
      return register ? cross(ALL, ALL) : cross(ALL, EDGES);
    default:
      if (op === ALU.END) return cross(ALL, BITS);
      if (op === ALU.NEG) return cross(ALL);
      if (op === ALU.LSH || op === ALU.RSH || op === ALU.ARSH) {
        return register ? cross(ALL, ALL) : cross(ALL, insnClass(code) === CLASS.ALU64 ? [0, 1, 31, 63] : [0, 1, 31]);
      }
      if (op === ALU.MOV && register) {
        return cross(ALL, ALL, insnClass(code) === CLASS.ALU64 ? [0, 8, 16, 32, -1, 1] : [0, 8, 16]);
      }
      if (op === ALU.DIV || op === ALU.MOD) return register ? cross(ALL, ALL, [0, 1]) : cross(ALL, EDGES, [0, 1]);
      return register ? cross(ALL, ALL) : cross(ALL, EDGES);
  }
}

/** The same of an instruction that has a case. */
function keyOf(x: Insn, next: Insn | undefined): string {
  const [dst, src] = [registerClass(x.dst), registerClass(x.src)];
  const op = insnOp(x.code);
  const register = (x.code & SRC.X) !== 0;
  const key = (...values: (string | number)[]): string => values.map((value) => ` ${value}`).join('');
  switch (insnClass(x.code)) {
    case CLASS.LD:
      return key(dst, x.imm, next?.imm ?? 0);
    case CLASS.LDX:
      return key(dst, src, x.off);
    case CLASS.ST:
      return x.code === (CLASS.ST | 0xc0) ? '' : key(dst, x.off, x.imm);
    case CLASS.STX:
      return isAtomic(x.code) ? key(dst, src, x.off, x.imm) : key(dst, src, x.off);
    case CLASS.JMP:
    case CLASS.JMP32:
      if (isUnconditional(x.code)) return '';
      return register ? key(dst, src) : key(dst, x.imm);
    default:
      if (op === ALU.NEG) return key(dst);
      if (op === ALU.END) return key(dst, x.imm);
      if (op === ALU.MOV && register) return key(dst, src, x.off);
      if (op === ALU.DIV || op === ALU.MOD) return register ? key(dst, src, x.off) : key(dst, x.imm, x.off);
      return register ? key(dst, src) : key(dst, x.imm);
  }
}

const seen = new Map<number, Set<string>>();
for (const { group, program } of encodingCases()) {
  if (group.endsWith('refused')) continue;
  for (const { insns } of program.functions) {
    for (let i = 0; i < insns.length; i++) {
      const x = insns[i];
      const keys = seen.get(x.code) ?? new Set();
      seen.set(x.code, keys.add(keyOf(x, insns[i + 1])));
      if (x.code === LDIMM64) i++;
    }
  }
}

const name = (code: number): string => `0x${code.toString(16).padStart(2, '0')}`;

describe('the cases of x86-64 machine code', () => {
  it('know 149 opcodes', () => {
    expect(OPCODES).toHaveLength(149);
  });

  it.each(OPCODES.map((code) => [name(code), code] as const))(
    'of opcode %s have each class of operands, immediates and offsets',
    (_, code) => {
      expect(required(code).filter((key) => !seen.get(code)?.has(key))).toEqual([]);
    },
  );

  it('have no opcode that the emitter does not know', () => {
    expect([...seen.keys()].filter((code) => code !== 0 && !OPCODES.includes(code)).map(name)).toEqual([]);
  });

  it('need no encodings of rsp, and of r12 only as base of the arena: no register of BPF is there', () => {
    expect(MACHINE_REG.filter((reg) => (reg & 7) === 4)).toEqual([]);
  });

  it('have each jump forward and backward, short and long', () => {
    const found = new Map<number, Set<string>>();
    for (const { program } of encodingCases().filter(({ group }) => /distance$|^JA|^EXIT/.test(group))) {
      const { insns } = program.functions[0];
      const [{ insnOffsets }] = compileProgram({ ...program, allocate: () => addressOf(0) });
      insns.forEach((x, i) => {
        const branches = insnClass(x.code) === CLASS.JMP || insnClass(x.code) === CLASS.JMP32;
        if (!branches || insns[i - 1]?.code === LDIMM64) return;
        const bytes = insnOffsets[i + 1] - insnOffsets[i];
        const off = x.code === (CLASS.JMP32 | JMP.JA) ? x.imm : x.off;
        const last = insnOp(x.code) === JMP.EXIT && i === insns.length - 1;
        const backward = off < 0 || (last && insns.filter(({ code }) => code === x.code).length > 1);
        const keys = found.get(x.code) ?? new Set();
        found.set(x.code, keys.add(`${backward ? 'back' : 'on'} ${bytes}`));
      });
    }
    const both = (short: number, long: number): string[] => [
      `on ${short}`,
      `on ${long}`,
      `back ${short}`,
      `back ${long}`,
    ];
    for (const code of OPCODES) {
      const kind = insnClass(code);
      if (kind !== CLASS.JMP && kind !== CLASS.JMP32) continue;
      const op = insnOp(code);
      if (op === JMP.CALL || op === JMP.TAIL_CALL) continue;
      const sizes = [...(found.get(code) ?? [])];
      const shortest = Math.min(...sizes.map((size) => Number(size.split(' ')[1])));
      const longer = isUnconditional(code) ? 3 : 4;
      if (op === JMP.EXIT) expect(sizes).toEqual(expect.arrayContaining(['back 2', 'back 5']));
      else expect(sizes, name(code)).toEqual(expect.arrayContaining(both(shortest || 2, (shortest || 2) + longer)));
    }
  });
});
