// Proof by exhaustion: what is concluded of two numbers from a comparison, before it and on either side of it.
import { describe, expect, it } from 'vitest';
import { insn } from '../../isa/insn.ts';
import { CLASS, JMP, SRC } from '../../isa/opcode.ts';
import { admits } from '../run/embedding/claims.ts';
import { JUMP_STEPS } from '../run/jumps.ts';
import { Machine, type Op } from '../run/machine.ts';
import { refineBranches, scalarBranchTaken } from './branch-ranges.ts';
import { type Bounded, boundedRegs, EDGES, knowledge, tell } from './proof-domain.ts';
import { constReg, testEnv, unknownReg } from './test-env.ts';

const env = testEnv();
const m = new Machine();
const ALL = boundedRegs(knowledge(EDGES), EDGES);
const FEW = 8;
const CONSTANTS: Bounded[] = EDGES.map((v) => ({ reg: constReg(v), members: [v] }));
const LEFT = ALL.filter((_, i) => i % FEW === 0);
const RIGHT = [...CONSTANTS, ...ALL.filter((_, i) => i % FEW === 4)];

const CONDITIONS = Object.entries({
  JEQ: JMP.JEQ,
  JNE: JMP.JNE,
  JGT: JMP.JGT,
  JGE: JMP.JGE,
  JLT: JMP.JLT,
  JLE: JMP.JLE,
  JSGT: JMP.JSGT,
  JSGE: JMP.JSGE,
  JSLT: JMP.JSLT,
  JSLE: JMP.JSLE,
  JSET: JMP.JSET,
});

/** Whether the jump between r1 and r2 is taken, as the interpreter has it. */
function jumps(op: number, narrow: boolean): (a: bigint, b: bigint) => boolean {
  const x = insn((narrow ? CLASS.JMP32 : CLASS.JMP) | op | SRC.X, 1, 2);
  const step = JUMP_STEPS.get(x.code)?.(x);
  if (step === undefined) throw new Error('no such instruction');
  const taken: Op = { step, dst: 1, src: 2, off: 0, imm: 0n, imm32: 0, target: 1, size: 0, helper: undefined };
  return (a, b) => {
    m.pc = 0;
    m.regs[1] = a;
    m.regs[2] = b;
    step(m, taken);
    return m.pc === 1;
  };
}

const [jumpA, jumpB, onA, onB] = [unknownReg(), unknownReg(), unknownReg(), unknownReg()];

/** What is concluded wrongly of two registers, if anything. */
function wrong(a: Bounded, b: Bounded, op: number, narrow: boolean, holds: (v: bigint, w: bigint) => boolean) {
  const verdict = scalarBranchTaken(a.reg, b.reg, op, narrow);
  for (const side of [jumpA, onA]) side.copy(a.reg);
  for (const side of [jumpB, onB]) side.copy(b.reg);
  if (verdict === -1) refineBranches(env, jumpA, jumpB, onA, onB, op, narrow);
  for (const v of a.members) {
    for (const w of b.members) {
      const taken = holds(v, w);
      if (verdict !== -1 && taken !== (verdict === 1)) return `${v} and ${w}: predicted ${verdict}`;
      const [x, y] = taken ? [jumpA, jumpB] : [onA, onB];
      if (!admits(x, v) || !admits(y, w)) return `${v} and ${w}, taken ${taken}: ${tell(x)} and ${tell(y)}`;
    }
  }
  return undefined;
}

describe('no possible number is lost by what is concluded from', () => {
  for (const narrow of [false, true]) {
    it.each(CONDITIONS)(`%s of ${narrow ? 32 : 64} bits`, (_, op) => {
      const holds = jumps(op, narrow);
      for (const a of LEFT) {
        for (const b of RIGHT) {
          const what = wrong(a, b, op, narrow, holds);
          if (what !== undefined) expect(`${tell(a.reg)} and ${tell(b.reg)}: ${what}`).toBeUndefined();
        }
      }
    });
  }

  it('a comparison with every constant, of every register', () => {
    for (const [, op] of CONDITIONS) {
      for (const narrow of [false, true]) {
        const holds = jumps(op, narrow);
        for (const a of ALL) {
          for (const b of CONSTANTS) {
            const what = wrong(a, b, op, narrow, holds);
            if (what !== undefined) expect(`${tell(a.reg)} and ${tell(b.reg)}: ${what}`).toBeUndefined();
          }
        }
      }
    }
  });
});
