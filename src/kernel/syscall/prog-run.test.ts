import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { encodeInsns, insn, LDIMM64 } from '../../isa/insn.ts';
import { ALU, PSEUDO, SIZE } from '../../isa/opcode.ts';
import { HELPER, MAP_TYPE, PROG_TYPE } from '../../isa/uapi.ts';
import { openSimulatedKernel } from '../index.ts';
import { aluImm, call, exit, jumpImm, load, movImm, movReg, store } from '../rewrite/build.ts';
import { errnoOf } from '../test-errno.ts';
import { CASES, runCase } from './prog-run.fixture.ts';
import type { SimulatedKernel } from './simulated.ts';

const file = new URL('../../../testdata/kernel/prog-run.json', import.meta.url);
const captured: Record<string, unknown> = JSON.parse(readFileSync(file, 'utf8'));

let kernel: SimulatedKernel;
beforeEach(() => {
  kernel = openSimulatedKernel({ statePath: ':memory:' });
});
afterEach(() => kernel.closeAll());

const FIRST = new Uint8Array(4);
const makeMap = (type: number, valueSize: number): number =>
  kernel.mapCreate({ type, keySize: 4, valueSize, maxEntries: 1, name: 'v' });

const loadProgram = (insns: ReturnType<typeof insn>[], type = PROG_TYPE.syscall, fdArray: number[] = []): number =>
  kernel.progLoad({
    type,
    insns: encodeInsns(insns),
    license: 'GPL',
    flags: type === PROG_TYPE.syscall ? 0x10 : 0,
    fdArray,
  });

describe('helpers of programs of type syscall answer as those of Linux 6.18', () => {
  test.each(CASES)('$name', (theCase) => {
    expect(runCase(kernel, theCase)).toEqual(captured[theCase.name]);
  });
});

describe('running a program', () => {
  test('gives its result and what it made of its context', () => {
    const prog = loadProgram([
      load(SIZE.W, 2, 1, 0),
      aluImm(ALU.ADD, 2, 1),
      store(SIZE.W, 1, 2, 4),
      movImm(0, -3),
      exit(),
    ]);
    const context = Uint8Array.from([41, 0, 0, 0, 0, 0, 0, 0, 9]);
    expect(kernel.progRun(prog, { context })).toBe(0xfffffffd);
    expect(Array.from(context)).toEqual([41, 0, 0, 0, 42, 0, 0, 0, 9]);
  });

  test('writes into arrays, frozen ones included', () => {
    const map = makeMap(MAP_TYPE.array, 8);
    kernel.mapUpdate(map, FIRST, Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8]));
    kernel.mapFreeze(map);
    const prog = loadProgram(
      [insn(LDIMM64, 1, PSEUDO.MAP_IDX_VALUE), insn(0), movImm(2, 7), store(SIZE.B, 1, 2, 3), movImm(0, 0), exit()],
      PROG_TYPE.syscall,
      [map],
    );
    kernel.progRun(prog, { context: new Uint8Array(0) });
    expect(Array.from(kernel.mapLookup(map, FIRST))).toEqual([1, 2, 3, 7, 5, 6, 7, 8]);
  });

  test('leaves what it opened to the process', () => {
    const [create] = CASES.filter(({ gives }) => gives === 'descriptor');
    runCase(kernel, create);
    const ids: number[] = [];
    for (let id = 0; ; ) {
      try {
        id = kernel.nextId('map', id);
      } catch {
        break;
      }
      ids.push(id);
    }
    const types = ids.map((id) => kernel.mapInfo(kernel.fdById('map', id)).type);
    expect(types).toContain(MAP_TYPE.hash);
  });

  test('needs a context that holds all that the program may touch, and no more than 65535 bytes', () => {
    const prog = loadProgram([movImm(0, 0), jumpImm(0x10, 0, 0, 1), load(SIZE.W, 0, 1, 12), movImm(0, 0), exit()]);
    const touching = loadProgram([load(SIZE.W, 0, 1, 12), movImm(0, 0), exit()]);
    const run = (fd: number, bytes: number): number =>
      errnoOf(() => kernel.progRun(fd, { context: new Uint8Array(bytes) }));
    expect([run(touching, 15), run(touching, 16), run(touching, 65535), run(touching, 65536)]).toEqual([22, 0, 0, 22]);
    expect(run(prog, 0)).toBe(0);
  });

  test('is for programs of type syscall, and of those for the ones that use arrays only', () => {
    const filter = loadProgram([movImm(0, 0), exit()], PROG_TYPE.socket_filter);
    expect(errnoOf(() => kernel.progRun(filter, { context: new Uint8Array(0) }))).toBe(524);
    expect(errnoOf(() => kernel.progRun(makeMap(MAP_TYPE.array, 4), { context: FIRST }))).toBe(22);
    expect(errnoOf(() => kernel.progRun(1000, { context: FIRST }))).toBe(9);
    const hash = makeMap(MAP_TYPE.hash, 8);
    const usesHash = loadProgram(
      [
        insn(LDIMM64, 1, PSEUDO.MAP_IDX),
        insn(0),
        movReg(2, 10),
        aluImm(ALU.ADD, 2, -4),
        insn(0x62, 10, 0, -4, 0),
        call(HELPER.map_lookup_elem),
        movImm(0, 0),
        exit(),
      ],
      PROG_TYPE.syscall,
      [hash],
    );
    expect(() => kernel.progRun(usesHash, { context: FIRST })).toThrow(
      'programs with maps of type hash cannot run here',
    );
  });

  test('is refused where it is signed: this kernel cannot verify signatures', () => {
    const insns = encodeInsns([movImm(0, 0), exit()]);
    const load = { type: PROG_TYPE.syscall, insns, license: 'GPL', flags: 0x10, signature: new Uint8Array(16) };
    expect(errnoOf(() => kernel.progLoad(load))).toBe(95);
  });
});
