import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ERRNO } from '../../errno.ts';
import type { Insn } from '../../isa/insn.ts';
import { insn } from '../../isa/insn.ts';
import { ALU, CLASS, JMP, PSEUDO, SIZE } from '../../isa/opcode.ts';
import type { LineInfo, VerifierEnv } from '../verifier/env.ts';
import { aluImm, callFunction, exit, goto, jumpImm, load, movImm, movReg, store } from './build.ts';
import { hardWireDeadCodeBranches, removeDeadCode, sanitizeDeadCode } from './dead-code.ts';
import { Expansion } from './expand.ts';
import { removeFastcallSpillsFills } from './fastcall.ts';
import { removeNops } from './nops.ts';
import { type PatchModel, patchOne, removeSome } from './patch-model.ts';
import { hexInsns, testProgram } from './test-program.ts';
import { zextAndRandomize } from './zext.ts';

const LENGTH = 24;

/** A program of moves, jumps, calls of functions and function pointers that stay within it. */
const programs = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: LENGTH - 1 })), {
    minLength: LENGTH,
    maxLength: LENGTH,
  })
  .map((choices) =>
    choices.map(([kind, target], i) => {
      const distance = target - i - 1;
      switch (kind) {
        case 0:
          return goto(distance);
        case 1:
          return jumpImm(JMP.JEQ, 1, 5, distance);
        case 2:
          return callFunction(distance);
        case 3:
          return insn(CLASS.JMP32 | JMP.JA, 0, 0, 0, distance);
        case 4:
          return insn(0x18, 1, PSEUDO.FUNC, 0, distance);
        default:
          return movImm(kind, i);
      }
    }),
  );
const places = fc
  .uniqueArray(fc.integer({ min: 0, max: LENGTH - 1 }), { maxLength: 8 })
  .map((a) => a.sort((x, y) => x - y));

const copy = (insns: readonly Insn[]): Insn[] => insns.map((x) => ({ ...x }));
const lineAt = (insnOff: number, k: number): LineInfo => ({ insnOff, fileNameOff: 1, lineOff: 1, lineCol: k + 1 });

function modelOf(insns: readonly Insn[], starts: number[], lines: number[]): PatchModel {
  return { insns: copy(insns), starts, lines: lines.map(lineAt) };
}

function agree(env: VerifierEnv, model: PatchModel): void {
  expect(hexInsns(env.insns)).toEqual(hexInsns(model.insns));
  expect(env.subprogs.map((s) => s.start)).toEqual(model.starts);
  expect(env.lineInfo).toEqual(model.lines);
  expect(env.aux).toHaveLength(env.insns.length);
}

describe('replacing instructions in one pass', () => {
  const starts = (list: number[]): number[] => [...new Set([0, ...list])].sort((a, b) => a - b);
  const filling = [movImm(6, 1), movImm(7, 2), movImm(8, 3)];

  it('gives what replacing them one by one gives', () => {
    fc.assert(
      fc.property(programs, places, places, places, fc.boolean(), (insns, at, functions, lines, before) => {
        const env = testProgram({ insns: copy(insns), starts: starts(functions), lines });
        const model = modelOf(insns, starts(functions), lines);
        const patchFor = (own: Insn): Insn[] => (before ? [...filling, own] : [own, ...filling]).map((x) => ({ ...x }));
        const expansion = new Expansion(env);
        for (let i = 0; i < insns.length; i++) {
          if (at.includes(i)) expansion.replace(i, patchFor(expansion.take(i)));
          else expansion.keep(i);
        }
        expect(expansion.finish()).toBe(0);
        at.forEach((i, k) => {
          const now = i + k * filling.length;
          patchOne(model, now, patchFor(model.insns[now]));
        });
        agree(env, model);
      }),
    );
  });

  it('says which replacement makes a jump too long', () => {
    const far = 0x7fff - 10;
    const env = testProgram({
      insns: [jumpImm(JMP.JEQ, 1, 0, far), ...Array.from({ length: far }, () => movImm(0, 0)), exit()],
    });
    const expansion = new Expansion(env);
    env.insns.forEach((_, i) => {
      if (i > 100 && i < 120) expansion.replace(i, [movImm(0, 0), movImm(0, 0)]);
      else expansion.keep(i);
    });
    expect(expansion.finish()).toBe(-ERRNO.ENOMEM);
    expect(env.log.finish()).toBe('insn 111 cannot be patched due to 16-bit range\n');
  });

  it("leaves the verifier's notes with the last instruction of a replacement", () => {
    const env = testProgram({ insns: [movImm(0, 0), exit()] });
    const [note] = env.aux;
    const expansion = new Expansion(env);
    expansion.replace(0, [movImm(6, 1, 32), movImm(0, 0)]);
    expansion.keep(1);
    expansion.finish();
    expect(env.aux[1]).toBe(note);
    expect(env.aux.map((a) => [a.seen, a.zextDst])).toEqual([
      [1, true],
      [1, false],
      [1, false],
    ]);
  });
});

describe('removing instructions in one pass', () => {
  it('gives what removing them run by run gives', () => {
    fc.assert(
      fc.property(programs, places, places, (insns, unseen, lines) => {
        const env = testProgram({ insns: copy(insns), unseen, lines });
        const model = modelOf(insns, [0], lines);
        expect(removeDeadCode(env)).toBe(0);
        // From the front, as Linux does; what has gone shifts what is still to go.
        let gone = 0;
        for (let i = 0; i < LENGTH; i++) {
          let count = 0;
          while (unseen.includes(i + count)) count++;
          if (count === 0) continue;
          removeSome(model, i - gone, count);
          gone += count;
          i += count;
        }
        if (unseen.length < LENGTH) agree(env, model);
      }),
    );
  });

  it('takes functions with nothing left out, with their records', () => {
    const env = testProgram({
      insns: [movImm(0, 0), exit(), movImm(0, 1), exit(), movImm(0, 2), exit()],
      starts: [0, 2, 4],
      unseen: [2, 3],
      lines: [0, 2, 4],
    });
    env.funcInfo = [0, 2, 4].map((insnOff, k) => ({ insnOff, typeId: 10 + k }));
    removeDeadCode(env);
    expect(env.subprogs.map((s) => s.start)).toEqual([0, 2]);
    expect(env.funcInfo.map((f) => f.typeId)).toEqual([10, 12]);
    expect(env.lineInfo.map((l) => [l.insnOff, l.lineCol])).toEqual([
      [0, 1],
      [2, 3],
    ]);
  });

  it('hands the line of removed code to the code behind it', () => {
    const env = testProgram({ insns: [movImm(0, 0), movImm(1, 0), movImm(2, 0), exit()], unseen: [1], lines: [0, 1] });
    removeDeadCode(env);
    expect(env.lineInfo.map((l) => [l.insnOff, l.lineCol])).toEqual([
      [0, 1],
      [1, 2],
    ]);
  });
});

describe('dead code', () => {
  const branch = (): Insn[] => [jumpImm(JMP.JEQ, 1, 0, 2), movImm(0, 1), exit(), movImm(0, 2), exit()];

  it('a branch that is always taken becomes a jump', () => {
    const env = testProgram({ insns: branch(), unseen: [1, 2] });
    hardWireDeadCodeBranches(env);
    expect(env.insns[0]).toEqual(goto(2));
  });

  it('a branch that is never taken becomes a no-op, which goes', () => {
    const env = testProgram({ insns: branch(), unseen: [3, 4] });
    hardWireDeadCodeBranches(env);
    removeDeadCode(env);
    removeNops(env);
    expect(env.insns).toEqual([movImm(0, 1), exit()]);
  });

  it('is made to jump to itself where it may not be removed', () => {
    const env = testProgram({ insns: branch(), unseen: [1, 2] });
    sanitizeDeadCode(env);
    expect(env.insns.slice(0, 3)).toEqual([jumpImm(JMP.JEQ, 1, 0, 2), goto(-1), goto(-1)]);
  });
});

describe('no-ops', () => {
  const mayGoto = (off: number): Insn => insn(CLASS.JMP | JMP.JCOND, 0, 0, off);

  it('a may_goto that becomes one through the removal of another goes too', () => {
    const env = testProgram({ insns: [movImm(0, 0), mayGoto(1), mayGoto(0), exit()] });
    removeNops(env);
    expect(env.insns).toEqual([movImm(0, 0), exit()]);
  });

  it('a jump over a no-op stays, as a jump to the next instruction', () => {
    const env = testProgram({ insns: [goto(1), goto(0), exit()] });
    removeNops(env);
    expect(env.insns).toEqual([goto(0), exit()]);
  });

  it('a move of a register to itself stays', () => {
    const env = testProgram({ insns: [movReg(0, 0), exit()] });
    removeNops(env);
    expect(env.insns).toEqual([movReg(0, 0), exit()]);
  });
});

describe('spills and fills around calls that keep registers', () => {
  const program = (): VerifierEnv => {
    const env = testProgram({
      insns: [
        store(SIZE.DW, 10, 1, -16),
        store(SIZE.DW, 10, 2, -8),
        insn(0x85, 0, 0, 0, 8),
        load(SIZE.DW, 2, 10, -8),
        load(SIZE.DW, 1, 10, -16),
        exit(),
      ],
    });
    env.aux[2].fastcallSpillsNum = 2;
    env.subprogs[0].stackDepth = 16;
    return env;
  };

  it('become no-ops, and the stack shrinks to what is used otherwise', () => {
    const env = program();
    env.subprogs[0].fastcallStackOff = 0;
    removeFastcallSpillsFills(env);
    expect(env.insns.map((x) => x.code)).toEqual([0x05, 0x05, 0x85, 0x05, 0x05, 0x95]);
    expect(env.subprogs[0].stackDepth + 0).toBe(0);
  });

  it('leave the stack as it is where another call needs it', () => {
    const env = program();
    env.subprogs[0].keepFastcallStack = true;
    removeFastcallSpillsFills(env);
    expect(env.subprogs[0].stackDepth).toBe(16);
  });
});

describe('upper halves of registers', () => {
  const cmpxchg = insn(0xc3, 10, 1, -8, 0xf1);

  it('a narrow compare and exchange is followed by a zero extension where all of r0 is used', () => {
    const env = testProgram({ insns: [cmpxchg, exit()] });
    env.aux[0].zextDst = true;
    expect(zextAndRandomize(env)).toBe(0);
    expect(hexInsns(env.insns)).toEqual([...hexInsns([cmpxchg]), 'bc00000001000000', '9500000000000000']);
  });

  it('other narrow definitions need none on x86', () => {
    const env = testProgram({ insns: [movImm(0, 1, 32), exit()] });
    env.aux[0].zextDst = true;
    expect(zextAndRandomize(env)).toBe(0);
    expect(env.insns).toHaveLength(2);
  });

  it('are filled with random bits on demand where only the lower half counts', () => {
    const env = testProgram({ insns: [movImm(3, 1, 32), movImm(4, 1), exit()], flags: 4 });
    expect(zextAndRandomize(env)).toBe(0);
    const [own, random, ...rest] = env.insns;
    expect([own, random.code, random.dst, ...rest]).toEqual([
      movImm(3, 1, 32),
      0xb7,
      11,
      aluImm(ALU.LSH, 11, 32),
      insn(CLASS.ALU64 | ALU.OR | 8, 3, 11),
      movImm(4, 1),
      exit(),
    ]);
  });
});
