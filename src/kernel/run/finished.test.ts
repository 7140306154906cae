import { describe, expect, it } from 'vitest';
import { insn } from '../../isa/insn.ts';
import { ALU, JMP, SIZE } from '../../isa/opcode.ts';
import { HELPER, MAP_TYPE, PROG_TYPE } from '../../isa/uapi.ts';
import { loadImage } from '../image/load.ts';
import type { KMap } from '../objects.ts';
import { aluImm, call, callFunction, exit, jumpImm, load, movImm, movReg, store, storeImm } from '../rewrite/build.ts';
import { bpfCheck } from '../verifier/index.ts';
import { VerifierLog } from '../verifier/log.ts';
import { testRequest } from '../verifier/test-request.ts';
import { finishedProgram } from './finished.ts';
import { HELPER_TABLES } from './helpers/index.ts';
import { Machine } from './machine.ts';
import { addMap } from './maps/index.ts';
import { paperMap } from './paper-map.ts';
import { prepare } from './program.ts';

const image = loadImage();

/** Counts up element r1 & 3 of a map, in a function of its own. */
const program = () => [
  load(SIZE.W, 6, 1, 0),
  movReg(1, 6),
  callFunction(1),
  exit(),
  aluImm(ALU.AND, 1, 3),
  store(SIZE.W, 10, 1, -4),
  movReg(2, 10),
  aluImm(ALU.ADD, 2, -4),
  insn(0x18, 1, 1, 0, 3),
  insn(0),
  call(HELPER.map_lookup_elem),
  jumpImm(JMP.JNE, 0, 0, 11),
  storeImm(SIZE.DW, 10, -16, 1),
  movReg(2, 10),
  aluImm(ALU.ADD, 2, -4),
  movReg(3, 10),
  aluImm(ALU.ADD, 3, -16),
  insn(0x18, 1, 1, 0, 3),
  insn(0),
  movImm(4, 0),
  call(HELPER.map_update_elem),
  movImm(0, 1),
  exit(),
  load(SIZE.DW, 1, 0, 0),
  aluImm(ALU.ADD, 1, 1),
  store(SIZE.DW, 0, 1, 0),
  movReg(0, 1),
  exit(),
];

function finish(map: KMap) {
  const request = testRequest({
    image,
    type: PROG_TYPE.syscall,
    flags: 16,
    insns: program(),
    log: new VerifierLog(0, 0),
    mapByFd: () => map,
  });
  const { errno, env } = bpfCheck(request);
  expect(errno).toBe(0);
  if (env.program === undefined) throw new Error('no program');
  return env.program;
}

describe('finished programs', () => {
  it.each([
    ['an array', MAP_TYPE.array, BigInt(image.offsetOf('bpf_array', 'value')), [1n, 2n, 3n]],
    ['a per-CPU array', MAP_TYPE.percpu_array, undefined, [1n, 2n, 3n]],
    ['a hash table', MAP_TYPE.hash, undefined, [1n, 2n, 3n]],
    ['a per-CPU hash table', MAP_TYPE.percpu_hash, undefined, [1n, 2n, 3n]],
    ['a table that evicts', MAP_TYPE.lru_hash, undefined, [1n, 2n, 3n]],
  ])('run with their look-ups in %s inlined', (_, type, valueAt, results) => {
    const plain = paperMap(3, { type, keySize: 4, valueSize: 8, maxEntries: 4 });
    const map = { ...plain, valueAddress: valueAt === undefined ? undefined : plain.address + valueAt };
    const { insns, functions } = finish(map);
    const m = new Machine({ image, cpu: 1, possibleCpus: 2 });
    addMap(m, map);
    const starts = functions.map((f) => f.start);
    const code = prepare(finishedProgram({ name: 'p', image, insns, starts, helpers: HELPER_TABLES }));
    const context = m.memory.add({ bytes: Uint8Array.of(6, 0, 0, 0) });
    expect(results.map(() => m.run(code, context.base))).toEqual(results);
  });
});
