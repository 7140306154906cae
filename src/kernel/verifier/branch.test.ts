import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Insn, insn } from '../../isa/insn.ts';
import { CLASS, JMP, SRC } from '../../isa/opcode.ts';
import type { KMap } from '../objects.ts';
import { regBoundsSync } from './bounds.ts';
import { branchTaken, checkCondJmpOp } from './branch.ts';
import { refineBranches, scalarBranchTaken } from './branch-ranges.ts';
import { constReg, testEnv, unknownReg } from './test-env.ts';
import { admits, valueInReg } from './test-ranges.ts';
import { FLAG, HISTORY_FLAG, REF, REG, type RegState } from './types.ts';

const OPS = [JMP.JEQ, JMP.JNE, JMP.JSET, JMP.JGT, JMP.JGE, JMP.JLT, JMP.JLE, JMP.JSGT, JMP.JSGE, JMP.JSLT, JMP.JSLE];
const nameOf = (op: number): string => Object.entries(JMP).find(([, n]) => n === op)?.[0] ?? '';

/** The comparison as the machine does it. */
function holds(op: number, x: bigint, y: bigint, narrow: boolean): boolean {
  const bits = narrow ? 32 : 64;
  const a = BigInt.asUintN(bits, x);
  const b = BigInt.asUintN(bits, y);
  const sa = BigInt.asIntN(bits, x);
  const sb = BigInt.asIntN(bits, y);
  switch (op) {
    case JMP.JEQ:
      return a === b;
    case JMP.JNE:
      return a !== b;
    case JMP.JSET:
      return (a & b) !== 0n;
    case JMP.JGT:
      return a > b;
    case JMP.JGE:
      return a >= b;
    case JMP.JLT:
      return a < b;
    case JMP.JLE:
      return a <= b;
    case JMP.JSGT:
      return sa > sb;
    case JMP.JSGE:
      return sa >= sb;
    case JMP.JSLT:
      return sa < sb;
    default:
      return sa <= sb;
  }
}

describe.each([
  ['64', false],
  ['32', true],
])('comparisons of %s bits', (_bits, narrow) => {
  it.each(OPS.map((op) => [nameOf(op), op]))('%s: neither side loses a value that reaches it', (_name, op) => {
    const env = testEnv();
    fc.assert(
      fc.property(valueInReg, valueInReg, (a, b) => {
        regBoundsSync(a.reg);
        regBoundsSync(b.reg);
        const really = holds(op, a.v, b.v, narrow);
        const taken = scalarBranchTaken(a.reg, b.reg, op, narrow);
        if (taken >= 0) {
          expect(taken === 1).toBe(really);
          return;
        }
        const jumpA = a.reg.clone();
        const jumpB = b.reg.clone();
        refineBranches(env, jumpA, jumpB, a.reg, b.reg, op, narrow);
        expect(admits(really ? jumpA : a.reg, a.v)).toBe(true);
        expect(admits(really ? jumpB : b.reg, b.v)).toBe(true);
      }),
      { numRuns: 150 },
    );
  });
});

describe('branchTaken', () => {
  const value = (): RegState => Object.assign(constReg(0n), { type: REG.MAP_VALUE });
  it('a pointer that cannot be NULL differs from 0', () => {
    expect(branchTaken(value(), constReg(0n), JMP.JEQ, false)).toBe(0);
    expect(branchTaken(constReg(0n), value(), JMP.JNE, false)).toBe(1);
    expect(branchTaken(value(), constReg(1n), JMP.JNE, false)).toBe(-1);
    expect(branchTaken(value(), constReg(0n), JMP.JGT, false)).toBe(-1);
    const maybe = Object.assign(value(), { type: REG.MAP_VALUE | FLAG.MAYBE_NULL });
    expect(branchTaken(maybe, constReg(0n), JMP.JEQ, false)).toBe(-1);
  });

  it('two pointers are compared only where they lead into a packet', () => {
    const pkt = Object.assign(constReg(0n), { type: REG.PACKET, range: -2 });
    const end = Object.assign(constReg(0n), { type: REG.PACKET_END });
    expect(branchTaken(pkt, end, JMP.JGT, false)).toBe(1);
    expect(branchTaken(end, pkt, JMP.JGE, false)).toBe(0);
    expect(branchTaken(pkt, end, JMP.JGT, true)).toBe(-1);
    expect(branchTaken(value(), value(), JMP.JEQ, false)).toBe(-1);
  });
});

describe('checkCondJmpOp', () => {
  /** Runs one jump at instruction 0 of a program of 20. */
  function run(at: Insn, setup: (regs: RegState[]) => void, unprivileged = false) {
    const insns = [at, ...Array.from({ length: 20 }, () => insn(0x95))];
    const env = testEnv({ insns, level: 1, unprivileged });
    for (const aux of env.aux) aux.liveRegsBefore = 0x3ff;
    setup(env.regs);
    const err = checkCondJmpOp(env, at);
    return { err, env, log: env.log.text() };
  }
  const jumpK = (op: number, imm: number, width: number = CLASS.JMP): Insn => insn(width | op, 1, 0, 5, imm);
  const jumpX = (op: number): Insn => insn(CLASS.JMP | op | SRC.X, 1, 2, 5);

  it('an open comparison pushes the jump and goes on behind it', () => {
    const { err, env } = run(jumpK(JMP.JGT, 9), (regs) => regs[1].copy(unknownReg()));
    expect([err, env.insnIdx, env.pending.length]).toEqual([0, 0, 1]);
    expect(env.regs[1].umax).toBe(9n);
    expect(env.pending[0]).toMatchObject({ insnIdx: 6, prevInsnIdx: 0 });
    expect(env.pending[0].state.cur.regs[1].umin).toBe(10n);
  });

  it('a decided one follows one side and pushes nothing', () => {
    const taken = run(jumpK(JMP.JGT, 9), (regs) => regs[1].copy(constReg(10n)));
    expect([taken.env.insnIdx, taken.env.pending.length]).toEqual([5, 0]);
    const not = run(jumpK(JMP.JGT, 9), (regs) => regs[1].copy(constReg(9n)));
    expect([not.env.insnIdx, not.env.pending.length]).toEqual([0, 0]);
  });

  it('a decided one of a program that must fear Spectre simulates the dead side with unknown operands', () => {
    const { env } = run(jumpK(JMP.JGT, 9), (regs) => regs[1].copy(constReg(10n)), true);
    expect(env.pending[0]).toMatchObject({ insnIdx: 1 });
    expect(env.pending[0].state.speculative).toBe(true);
    expect(env.pending[0].state.cur.regs[1].varOff.mask).toBe(0xffffffffffffffffn);
  });

  it('a value that may be NULL is one on one side and 0 on the other, with all its copies', () => {
    const nullable = Object.assign(constReg(0n), { type: REG.MAP_VALUE | FLAG.MAYBE_NULL, id: 3 });
    nullable.map = { type: 1, valueSize: 8 } as KMap;
    const { env } = run(jumpK(JMP.JEQ, 0), (regs) => {
      regs[1].copy(nullable);
      regs[7].copy(nullable);
    });
    for (const regno of [1, 7]) {
      expect(env.regs[regno]).toMatchObject({ type: REG.MAP_VALUE, id: 0 });
      expect(env.pending[0].state.cur.regs[regno]).toMatchObject({ type: REG.SCALAR, id: 0, umax: 0n });
    }
  });

  it('a reference that turns out to be NULL is given back', () => {
    const memory = Object.assign(constReg(0n), { type: REG.MEM | FLAG.MAYBE_NULL, id: 3, refObjId: 3 });
    const { env } = run(jumpK(JMP.JNE, 0), (regs) => {
      regs[1].copy(memory);
    });
    expect(env.state.refs).toEqual([]);
    const held = { type: REF.PTR, id: 3, insnIdx: 0, ptr: undefined };
    const again = testEnv({ insns: env.insns });
    again.regs[1].copy(memory);
    again.state.refs.push(held);
    checkCondJmpOp(again, jumpK(JMP.JNE, 0));
    expect(again.state.refs).toEqual([]);
    expect(again.pending[0].state.refs).toEqual([held]);
  });

  it('scalars of one id learn together, and the history says which they were', () => {
    const { env } = run(jumpK(JMP.JGT, 9), (regs) => {
      for (const regno of [1, 4]) {
        regs[regno].copy(unknownReg());
        regs[regno].id = 2;
      }
    });
    expect(env.regs[4].umax).toBe(9n);
    expect(env.pending[0].state.cur.regs[4].umin).toBe(10n);
    expect(env.state.history).toMatchObject([
      {
        idx: 0,
        linked: [
          { frameno: 0, isReg: true, regno: 1 },
          { frameno: 0, isReg: true, regno: 4 },
        ],
      },
    ]);
  });

  it('stack pointers among the operands are noted', () => {
    const { env } = run(jumpX(JMP.JEQ), (regs) => {
      regs[1].copy(regs[10]);
      regs[2].copy(regs[10]);
    });
    expect(env.state.history[0].flags).toBe(HISTORY_FLAG.SRC_REG_STACK | HISTORY_FLAG.DST_REG_STACK);
  });

  const scalar = (regs: RegState[]): void => regs[1].copy(unknownReg());
  const refused: [string, Insn, boolean, number, string][] = [
    ['no comparison', insn(CLASS.JMP | JMP.JA, 1), false, -22, 'invalid BPF_JMP/JMP32 opcode 0\n'],
    ['operation beyond the last', insn(CLASS.JMP | 0xf0, 1), false, -22, 'invalid BPF_JMP/JMP32 opcode f0\n'],
    ['register form with immediate', insn(0x1d, 1, 1, 0, 1), false, -22, 'BPF_JMP/JMP32 uses reserved fields\n'],
    ['immediate form with register', insn(0x15, 1, 1, 0, 1), false, -22, 'BPF_JMP/JMP32 uses reserved fields\n'],
    ['unset register', insn(0x15, 2, 0, 0, 1), false, -13, 'R2 !read_ok\n'],
    ['pointer with a number', insn(0x15, 10, 0, 0, 1), true, -13, 'R10 pointer comparison prohibited\n'],
    ['number with a pointer', insn(0x1d, 1, 10), true, -13, 'R10 pointer comparison prohibited\n'],
    ['may_goto with immediate', insn(0xe5, 0, 0, 0, 7), false, -22, 'invalid may_goto imm 7\n'],
  ];
  it.each(refused)('refuses: %s', (_name, at, unprivileged, errno, message) => {
    const { err, log } = run(at, scalar, unprivileged);
    expect([err, log]).toEqual([errno, message]);
  });
});
