// Packets: reading and changing them, and where they go.
import { type Insn, insn } from '../../../isa/insn.ts';
import { ALU, CLASS, JMP, MODE, SIZE, SRC } from '../../../isa/opcode.ts';
import type { HelperName } from '../../../isa/uapi.ts';
import { aluImm, aluReg, exit, jumpImm, load, movImm, movReg, storeImm } from '../../rewrite/build.ts';
import { FRAME, helper, mapFd, type RunCase, stackAt } from './case.ts';

const packetByte = (size: number, off: number): Insn => insn(CLASS.LD | MODE.ABS | size, 0, 0, 0, off);

/** Loads the packet's length into r0 and ends; for XDP and tc, whose first fields are the packet's bounds. */
const lengthOf = (data: number, end: number): Insn[] => [
  load(SIZE.W, 0, 6, end),
  load(SIZE.W, 1, 6, data),
  aluReg(ALU.SUB, 0, 1),
  exit(),
];

const xdp = (name: string, body: Insn[], data: string = FRAME): RunCase => ({
  name,
  type: 'xdp',
  insns: [movReg(6, 1), ...body],
  data,
});

/** Calls an adjustment; gives its result where it failed, else the length of the packet. */
const adjust = (name: HelperName, by: number): Insn[] => [
  movImm(2, by),
  helper(name),
  jumpImm(JMP.JEQ, 0, 0, 1),
  exit(),
  ...lengthOf(0, 4),
];

const filter = (name: string, body: Insn[], data: string = FRAME): RunCase => ({
  name,
  type: 'socket_filter',
  insns: [movReg(6, 1), ...body],
  data,
});

export const PACKETS: RunCase[] = [
  ...[0, 8, 60, 100000].map((off) => filter(`a byte of the packet at ${off}`, [packetByte(SIZE.B, off), exit()])),
  filter('the network header by a negative offset', [packetByte(SIZE.W, -0x100000 + 12), exit()]),
  filter('the link header by a negative offset', [packetByte(SIZE.H, -0x200000 + 12), exit()]),
  filter('bytes in network order', [packetByte(SIZE.W, 12), exit()]),
  filter('an indirect offset', [movImm(7, 4), insn(CLASS.LD | MODE.IND | SIZE.H, 0, 7, 0, 2), exit()]),
  ...[0, 30, 60].map((off) =>
    filter(`skb_load_bytes at ${off}`, [
      storeImm(SIZE.DW, 10, -8, -1),
      movImm(2, off),
      ...stackAt(3, -8),
      movImm(4, 4),
      helper('skb_load_bytes'),
      load(SIZE.DW, 1, 10, -8),
      aluReg(ALU.ADD, 0, 1),
      exit(),
    ]),
  ),
  filter('the length of a socket buffer', [load(SIZE.W, 0, 6, 0), exit()]),
  filter('its protocol', [load(SIZE.W, 0, 6, 16), exit()]),
  ...[14, -14, 20, -20, -200, -300, 60, 40].map((by) => xdp(`xdp_adjust_head by ${by}`, adjust('xdp_adjust_head', by))),
  ...[0, 4, -4, -8, -7, -252, -300].map((by) => xdp(`xdp_adjust_meta by ${by}`, adjust('xdp_adjust_meta', by))),
  ...[0, 1, 100, 3400, 4000, -10, -46, -47, -100].map((by) =>
    xdp(`xdp_adjust_tail by ${by}`, adjust('xdp_adjust_tail', by)),
  ),
  xdp('xdp_get_buff_len', [helper('xdp_get_buff_len'), exit()]),
  ...[0, 50, 56, 60].map((off) =>
    xdp(`xdp_load_bytes at ${off}`, [
      storeImm(SIZE.DW, 10, -8, 0),
      movImm(2, off),
      ...stackAt(3, -8),
      movImm(4, 4),
      helper('xdp_load_bytes'),
      load(SIZE.W, 1, 10, -8),
      aluReg(ALU.ADD, 0, 1),
      exit(),
    ]),
  ),
  xdp('xdp_store_bytes', [
    storeImm(SIZE.DW, 10, -8, 0x55aa),
    movImm(2, 3),
    ...stackAt(3, -8),
    movImm(4, 6),
    helper('xdp_store_bytes'),
    exit(),
  ]),
  xdp('a write into the packet', [
    load(SIZE.W, 2, 6, 0),
    load(SIZE.W, 3, 6, 4),
    movReg(4, 2),
    aluImm(ALU.ADD, 4, 14),
    insn(CLASS.JMP | JMP.JGT | SRC.X, 4, 3, 3),
    storeImm(SIZE.H, 2, 12, 0x1234),
    movImm(0, 2),
    exit(),
    movImm(0, 1),
    exit(),
  ]),
];

export const REDIRECTS: RunCase[] = [0, 1, 2, 3].flatMap((flags) => [
  {
    name: `redirect of a socket buffer with flags ${flags}`,
    type: 'sched_cls',
    data: FRAME,
    insns: [movImm(1, 1), movImm(2, flags), helper('redirect'), exit()],
  } as RunCase,
  {
    name: `redirect_map into an empty slot with flags ${flags}`,
    type: 'xdp',
    data: FRAME,
    maps: [{ type: 'devmap', key: 4, value: 4, max: 2 }],
    insns: [...mapFd(1, 0), movImm(2, 1), movImm(3, flags), helper('redirect_map'), exit()],
  } as RunCase,
]);
