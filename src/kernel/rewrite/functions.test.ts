import { describe, expect, it } from 'vitest';
import { disasmInsn } from '../../isa/disasm.ts';
import { decodeInsns, encodeInsns, type Insn } from '../../isa/insn.ts';
import { runCase } from '../verifier/verify-case.ts';
import { callFunction, exit, movImm } from './build.ts';

/** What a dump shows of the calls of a program; references name the callee and the distance to it. */
function shownCalls(insns: readonly Insn[]): string[] {
  const { env } = runCase({
    name: 'calls',
    type: 'xdp',
    level: 0,
    insns: Buffer.from(encodeInsns(insns)).toString('hex'),
    expect: { errno: 0, log: [] },
  });
  return decodeInsns(env.program?.xlated ?? new Uint8Array())
    .filter(({ code }) => code === callFunction(0).code)
    .map((insn) => `${disasmInsn(insn, undefined)}, distance ${insn.off}`);
}

const fill = (count: number): Insn[] => Array.from({ length: count }, () => movImm(0, 1));

describe('calls between functions', () => {
  it('show the number of the callee and the distance', () => {
    expect(shownCalls([callFunction(2), movImm(0, 0), exit(), movImm(0, 1), exit()])).toEqual([
      '(85) call pc+1, distance 2',
    ]);
  });

  // Captured: Linux looks the callee up by the shortened distance, and shows -ENOENT for its number.
  it('show a shortened distance and no callee where 16 bits do not hold it', () => {
    expect(shownCalls([movImm(1, 1), callFunction(40001), ...fill(40000), exit(), movImm(0, 1), exit()])).toEqual([
      '(85) call pc-2, distance -25535',
    ]);
  });
});
