import { describe, expect, it } from 'vitest';
import { encodeInsns, type Insn, insn } from '../../../isa/insn.ts';
import { ALU, CLASS, JMP, MODE, SIZE } from '../../../isa/opcode.ts';
import { aluImm, exit, jumpImm, load, movImm, movReg, store } from '../../rewrite/build.ts';
import type { VerifierEnv, VerifyRequest } from '../../verifier/env.ts';
import { REG } from '../../verifier/types.ts';
import { makeRequest, readCases } from '../../verifier/verify-case.ts';
import { testProgram } from '../test-programs.ts';
import { embed } from './embed.ts';
import { ClaimGraph } from './graph.ts';

const SLEEPABLE = 16;

function request(insns: readonly Insn[], valueBytes = 0): VerifyRequest {
  return makeRequest({
    name: 'p',
    type: 'syscall',
    insns: Buffer.from(encodeInsns(insns)).toString('hex'),
    flags: SLEEPABLE,
    level: 0,
    ...(valueBytes ? { maps: [{ type: 'array', key: 4, value: valueBytes, max: 1 }] } : {}),
    expect: { errno: 0, log: [] },
  });
}

/** Claims of each number one less than what the verifier has as its greatest value. */
class NarrowClaims extends ClaimGraph {
  override visit(env: VerifierEnv): void {
    super.visit(env);
    for (const frame of this.newest?.frames ?? []) {
      frame.regs.forEach((reg, i) => {
        if (reg.type !== REG.SCALAR || reg.umax === 0n || reg.umax !== 7n) return;
        const narrow = reg.clone();
        narrow.umax--;
        frame.regs[i] = narrow;
      });
    }
  }
}

describe('runs stay inside the claims of the verifier', () => {
  it('in all cases that Linux accepts', () => {
    const departures: string[] = [];
    let runs = 0;
    for (const { file, cases } of readCases()) {
      for (const theCase of cases.filter((c) => c.expect.errno === 0)) {
        const result = embed(makeRequest(theCase), { runs: 2 });
        runs += result.runs;
        departures.push(...result.problems.map((p) => `${file}: ${theCase.name}: ${p}`));
      }
    }
    expect(departures).toEqual([]);
    expect(runs).toBeGreaterThan(900);
  });

  it('in random programs with calls, loops and atomics', () => {
    for (let seed = 1; seed <= 60; seed++) {
      const { insns, mapValue } = testProgram(seed, 1);
      const result = embed(request(insns, mapValue.length), { runs: 2 });
      expect({ seed, errno: result.errno, problems: result.problems }).toEqual({ seed, errno: 0, problems: [] });
    }
  });
});

describe('a departure shows', () => {
  it('when a claim is too narrow by one', () => {
    const insns = [
      load(SIZE.W, 1, 1, 0),
      aluImm(ALU.AND, 1, 7),
      jumpImm(JMP.JEQ, 1, 3, 1),
      movImm(2, 0),
      movImm(0, 0),
      exit(),
    ];
    expect(embed(request(insns), { runs: 60 }).problems).toEqual([]);
    const found = embed(request(insns), { runs: 60, graph: new NarrowClaims() }).problems;
    expect(found[0]).toMatch(/^run \d+: insn 2: frame0 r1 = 0x7: var_off=\(0x0; 0x7\) u=\[0x0,0x6\]/);
  });

  it('where Linux keeps the id of a spilled number although it is extended by its sign', () => {
    const insns = [
      load(SIZE.W, 2, 1, 0),
      movReg(3, 2),
      store(SIZE.DW, 10, 2, -8),
      insn(CLASS.LDX | SIZE.W | MODE.MEMSX, 4, 10, -8),
      movImm(0, 0),
      exit(),
    ];
    expect(embed(request(insns), { runs: 60 }).problems).toEqual([]);
    const found = embed(request(insns), { runs: 60, excuses: false }).problems;
    expect(found[0]).toMatch(/insn 4: frame0 r\d = .* have id/);
  });
});
