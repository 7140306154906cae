import { describe, expect, it } from 'vitest';
import { type Insn, insn } from '../../isa/insn.ts';
import { MAP_TYPE } from '../../isa/uapi.ts';
import type { KMap } from '../objects.ts';
import { paperMap } from '../run/paper-map.ts';
import { MAP_KEY } from '../verifier/call-aux.ts';
import type { VerifierEnv } from '../verifier/env.ts';
import { InsnAux } from '../verifier/types.ts';
import { call, callFunction, exit, loadImm64, movImm, movReg } from './build.ts';
import { convertCtxAccesses, doMiscFixups, finishProgram, fixupCallArgs, removeDeadCode } from './index.ts';
import { testProgram } from './test-program.ts';

const TAIL_CALL = 12;

function finish(env: VerifierEnv): NonNullable<VerifierEnv['program']> {
  for (const pass of [removeDeadCode, convertCtxAccesses, doMiscFixups, fixupCallArgs, finishProgram]) {
    expect(pass(env)).toBe(0);
  }
  if (env.program === undefined) throw new Error('no program');
  return env.program;
}

const straight = (count: number): Insn[] => [...Array.from({ length: count - 1 }, () => movImm(0, 0)), exit()];

const progArray = (programAt?: (key: number) => bigint | undefined): KMap =>
  paperMap(77, { type: MAP_TYPE.prog_array, keySize: 4, valueSize: 4, maxEntries: 4, programAt });

function tailCalling(map: KMap): VerifierEnv {
  const env = testProgram({
    insns: [...loadImm64(2, map.address), movImm(3, 2), call(TAIL_CALL), movImm(0, 0), exit()],
  });
  env.usedMaps.push(map);
  env.bpfCapable = true;
  env.tailCallReachable = true;
  const aux = env.aux[3];
  aux.mapPtrState = { map, poison: false, unpriv: false };
  aux.mapKeyState = MAP_KEY.SEEN | 2n;
  return env;
}

describe('memory charged for a program', () => {
  it.each([
    [500, 4096],
    [501, 8192],
    [1012, 8192],
    [1013, 12288],
  ])('%i instructions are %i bytes', (count, bytes) => {
    expect(finish(testProgram({ insns: straight(count) })).memlock).toBe(bytes);
  });

  it('does not shrink with the program', () => {
    const unseen = Array.from({ length: 600 }, (_, i) => i);
    expect(finish(testProgram({ insns: straight(800), unseen })).memlock).toBe(8192);
  });
});

describe('functions', () => {
  const program = (): VerifierEnv =>
    testProgram({
      insns: [callFunction(1), exit(), movReg(6, 1), call(7), movReg(0, 6), exit()],
      starts: [0, 2],
      lines: [0, 1, 2, 4],
    });

  it('are shown with the number of the callee and the distance to it', () => {
    const env = program();
    env.subprogs[1].linfoIdx = 2;
    expect(finish(env).insns[0]).toMatchObject({ src: 1, off: 1, imm: 1 });
  });

  it('have names, tags and code of their own', () => {
    const env = program();
    env.subprogs[1].linfoIdx = 2;
    const { functions, tag } = finish(env);
    expect(functions.map((f) => [f.name, f.start])).toEqual([
      ['test', 0],
      ['F', 2],
    ]);
    expect(functions.map((f) => f.tag)).not.toContainEqual(tag);
    expect(functions[0].address).not.toBe(functions[1].address);
  });

  it('give each line record its address: that of the function for its first one', () => {
    const env = program();
    env.subprogs[1].linfoIdx = 2;
    const { functions, jitedLineInfo } = finish(env);
    expect(jitedLineInfo).toEqual([
      functions[0].address,
      functions[0].address + BigInt(functions[0].insnOffsets[1]),
      functions[1].address,
      functions[1].address + BigInt(functions[1].insnOffsets[2]),
    ]);
  });

  it('end with a hidden one where a throw has no callback', () => {
    const env = testProgram({ insns: [movImm(0, 0), exit()], lines: [0, 1] });
    env.seenException = true;
    const { functions, insns, jitedLineInfo } = finish(env);
    expect(functions).toHaveLength(1);
    expect(insns.slice(-2)).toEqual([movReg(0, 1), exit()]);
    // Its first record is that of the program, as in Linux.
    expect(jitedLineInfo[0]).not.toBe(functions[0].address);
  });
});

describe('direct tail calls', () => {
  it('are told with map, index and place in the code', () => {
    const { tailCalls, functions } = finish(tailCalling(progArray()));
    expect(tailCalls).toMatchObject([{ mapId: 77, key: 2, func: 0 }]);
    const { bypass, target } = tailCalls[0].site;
    expect(functions[0].jited[bypass]).toBe(0xe9);
    expect(functions[0].jited[target]).toBe(0x0f);
  });

  it('jump at once where the slot is filled', () => {
    const { tailCalls, functions } = finish(
      tailCalling(progArray((key) => (key === 2 ? 0xffffffffc0100000n : undefined))),
    );
    const { bypass, target } = tailCalls[0].site;
    expect(functions[0].jited[bypass]).toBe(0x0f);
    expect(functions[0].jited[target]).toBe(0xe9);
  });

  it('are shown as calls of the helper, maps by their id', () => {
    const { xlated } = finish(tailCalling(progArray()));
    expect(Buffer.from(xlated.subarray(0, 32)).toString('hex')).toBe(
      '181200004d0000000000000000000000b703000002000000850000000c000000',
    );
  });

  it('are indirect where several maps may be meant', () => {
    const env = tailCalling(progArray());
    env.aux[3] = Object.assign(new InsnAux(), env.aux[3], {
      mapPtrState: { map: progArray(), poison: true, unpriv: false },
    });
    const { tailCalls, insns } = finish(env);
    expect(tailCalls).toEqual([]);
    expect(insns[3]).toEqual(insn(0xf5));
  });
});
