// Fields of contexts.
import type { Insn } from '../../../isa/insn.ts';
import { ALU, SIZE } from '../../../isa/opcode.ts';
import type { ProgTypeName } from '../../../isa/uapi.ts';
import { aluImm, aluReg, exit, load, movImm, movReg, store } from '../../rewrite/build.ts';
import { FRAME, mapValue, type RunCase } from './case.ts';

/** Offsets in struct __sk_buff of all numbers that tc may read but the packet's bounds, and those of its socket. */
const SKB_WORDS = [...[0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 48, 52, 56, 60, 64, 68, 72, 84, 160, 164, 176]];
const SOCKET_WORDS = [0, 4, 16, 88, 92, 96, 100, 104, 108, 112, 116, 120, 124, 128, 132, 136];

/** All these fields in one number, which ends up in the map. */
const hashFields = (offsets: readonly number[]): Insn[] => [
  movReg(6, 1),
  movImm(7, 0),
  ...offsets.flatMap((off) => [load(SIZE.W, 1, 6, off), aluImm(ALU.MUL, 7, 31), aluReg(ALU.ADD, 7, 1)]),
  ...mapValue(1, 0),
  store(SIZE.DW, 1, 7, 0),
  movImm(0, 1),
  exit(),
];

/** Frames for everybody, some and somebody, of several protocols. */
const ODD_FRAMES: readonly (readonly [what: string, frame: string])[] = [
  ['of no address', `00112233445566778899aabb0806${FRAME.slice(28)}`],
  ['for everybody', `ffffffffffff66778899aabb0800${FRAME.slice(28)}`],
  ['for some', `01020304050666778899aabb86dd${FRAME.slice(28)}`],
  ['for nobody', `00000000000066778899aabb0800${FRAME.slice(28)}`],
];

const fields = (name: string, type: ProgTypeName, data: string, offsets: readonly number[]): RunCase => ({
  name,
  type,
  data,
  insns: hashFields(offsets),
  maps: [{ type: 'array', key: 4, value: 8, max: 1 }],
});

export const FIELDS: RunCase[] = ODD_FRAMES.flatMap(([what, data]) => [
  fields(`fields of a socket buffer ${what}`, 'sched_cls', data, SKB_WORDS),
  fields(`fields of the socket of one ${what}`, 'cgroup_skb', data, SOCKET_WORDS),
]);
