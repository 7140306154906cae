// Proof by exhaustion: arithmetic, casts and reconciliation of what is known of numbers never lose a number that is
// possible. What the operations do to numbers is what the interpreter does, which is compared with the kernel.
import { describe, expect, it } from 'vitest';
import { type Insn, insn } from '../../isa/insn.ts';
import { ALU, CLASS, SRC } from '../../isa/opcode.ts';
import { ALU_STEPS } from '../run/alu.ts';
import { admits } from '../run/embedding/claims.ts';
import { Machine, type Op } from '../run/machine.ts';
import { adjustScalar } from './alu-scalar.ts';
import { coerceToSize, coerceToSizeSx, regBoundsSync, zeroExtend32 } from './bounds.ts';
import { coerceSubregToSizeSx } from './bounds-cast.ts';
import { boundedRegs, EDGES, knowledge, tell } from './proof-domain.ts';
import { constReg, testEnv, unknownReg } from './test-env.ts';
import type { RegState } from './types.ts';

const DST = 1;
const SOURCE = 2;
const m = new Machine();

/** What the instruction, between r1 and r2, leaves in r1. */
function run(x: Insn, a: bigint, b: bigint): bigint {
  const step = ALU_STEPS.get(x.code)?.(x);
  if (step === undefined) throw new Error('no such instruction');
  m.regs[DST] = a;
  m.regs[SOURCE] = b;
  const imm = BigInt.asUintN(64, BigInt(x.imm));
  const op: Op = { step, dst: DST, src: SOURCE, off: 0, imm, imm32: x.imm, target: 0, size: 0, helper: undefined };
  step(m, op);
  return m.regs[DST];
}

const env = testEnv();
const ALL = boundedRegs(knowledge(EDGES), EDGES);
/** Every so-manieth, for operations on two registers. */
const FEW = 4;
const SOME = [ALL.filter((_, i) => i % FEW === 0), ALL.filter((_, i) => i % FEW === 2)];
const dst = unknownReg();
const src = unknownReg();

/** First numbers whose result is lost, of an operation on two registers. */
function lost(x: Insn): string | undefined {
  for (const a of SOME[0]) {
    for (const b of SOME[1]) {
      dst.copy(a.reg);
      src.copy(b.reg);
      env.pending.length = 0;
      if (adjustScalar(env, x, dst, src) !== 0) return 'refused';
      const forked = env.pending[0]?.state.cur.regs[x.dst];
      for (const v of a.members) {
        for (const w of b.members) {
          const result = run(x, v, w);
          if (admits(dst, result)) continue;
          // A mask was split: the other half goes through the instruction again with the value that it has.
          if (forked !== undefined && admits(forked, v)) continue;
          return `${v} and ${w} give ${result}: ${tell(a.reg)} and ${tell(b.reg)} give ${tell(dst)}`;
        }
      }
    }
  }
  return undefined;
}

const TWO_SIDED = Object.entries({
  ADD: ALU.ADD,
  SUB: ALU.SUB,
  MUL: ALU.MUL,
  AND: ALU.AND,
  OR: ALU.OR,
  XOR: ALU.XOR,
  DIV: ALU.DIV,
  MOD: ALU.MOD,
});
const WIDTHS: [string, number][] = [
  ['64', CLASS.ALU64],
  ['32', CLASS.ALU],
];

describe('no result is lost by', () => {
  for (const [bits, kind] of WIDTHS) {
    it.each(TWO_SIDED)(`%s of ${bits} bits`, (_, op) => {
      expect(lost(insn(kind | op | SRC.X, DST, SOURCE))).toBeUndefined();
    });
  }

  /** The same of an operation on one register. */
  function lostByOne(apply: (reg: RegState) => void, on: (v: bigint) => bigint): string | undefined {
    for (const { reg, members } of ALL) {
      dst.copy(reg);
      apply(dst);
      for (const v of members) {
        if (!admits(dst, on(v))) return `${v} gives ${on(v)}: ${tell(reg)} gives ${tell(dst)}`;
      }
    }
    return undefined;
  }

  for (const [bits, kind] of WIDTHS) {
    const shifts = [0, 1, 2, 7, 31, 32, 33, 63].filter((by) => by < Number(bits));
    it.each([
      ['LSH', ALU.LSH],
      ['RSH', ALU.RSH],
      ['ARSH', ALU.ARSH],
    ])(`%s of ${bits} bits by every kind of amount`, (_, op) => {
      for (const by of shifts) {
        const x = insn(kind | op | SRC.K, DST, 0, 0, by);
        const amount = constReg(BigInt(by));
        expect(
          lostByOne(
            (reg) => adjustScalar(env, x, reg, amount),
            (v) => run(x, v, 0n),
          ),
        ).toBeUndefined();
      }
    });

    it(`NEG of ${bits} bits`, () => {
      const x = insn(kind | ALU.NEG, DST);
      expect(
        lostByOne(
          (reg) => adjustScalar(env, x, reg, reg),
          (v) => run(x, v, 0n),
        ),
      ).toBeUndefined();
    });
  }

  it('byte swaps and cuts to a byte order', () => {
    for (const code of [CLASS.ALU64 | ALU.END, CLASS.ALU | ALU.END, CLASS.ALU | ALU.END | SRC.X]) {
      for (const bits of [16, 32, 64]) {
        const x = insn(code, DST, 0, 0, bits);
        const nothing = unknownReg();
        expect(
          lostByOne(
            (reg) => adjustScalar(env, x, reg, nothing),
            (v) => run(x, v, 0n),
          ),
        ).toBeUndefined();
      }
    }
  });

  it('cutting to a size, with zeroes or the sign above', () => {
    for (const bytes of [1, 2, 4]) {
      const bits = bytes * 8;
      expect(
        lostByOne(
          (reg) => coerceToSize(reg, bytes),
          (v) => BigInt.asUintN(bits, v),
        ),
      ).toBeUndefined();
      expect(
        lostByOne(
          (reg) => coerceToSizeSx(reg, bytes),
          (v) => BigInt.asUintN(64, BigInt.asIntN(bits, v)),
        ),
      ).toBeUndefined();
      if (bytes === 4) continue;
      expect(
        lostByOne(
          (reg) => {
            coerceSubregToSizeSx(reg, bytes);
            zeroExtend32(reg);
            regBoundsSync(reg);
          },
          (v) => BigInt.asUintN(32, BigInt.asIntN(bits, v)),
        ),
      ).toBeUndefined();
    }
    expect(
      lostByOne(
        (reg) => {
          zeroExtend32(reg);
          regBoundsSync(reg);
        },
        (v) => v & 0xffffffffn,
      ),
    ).toBeUndefined();
  });
});

describe('reconciliation', () => {
  const kinds = knowledge(EDGES);

  /** First knowledge that loses a number when it is reconciled. */
  function lostBy(bounds: readonly ((reg: RegState) => void)[]): string | undefined {
    const before = unknownReg();
    for (const bound of bounds) bound(before);
    const members = EDGES.filter((v) => admits(before, v));
    if (members.length === 0) return undefined;
    dst.copy(before);
    regBoundsSync(dst);
    return members.every((v) => admits(dst, v)) ? undefined : `${tell(before)} becomes ${tell(dst)}`;
  }

  it('loses no number that two kinds of knowledge allow', () => {
    for (const [i, one] of kinds.entries()) {
      for (let j = 0; j < i; j++) {
        const what = lostBy([one, kinds[j]]);
        if (what !== undefined) expect(what).toBeUndefined();
      }
    }
  });

  it('nor one that three allow', () => {
    for (let i = 0; i < kinds.length; i += 7) {
      for (let j = 1; j < kinds.length; j += 9) {
        for (let k = 2; k < kinds.length; k += 11) {
          const what = lostBy([kinds[i], kinds[j], kinds[k]]);
          if (what !== undefined) expect(what).toBeUndefined();
        }
      }
    }
  });
});
