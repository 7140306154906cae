// Maps of each kind.
import type { Insn } from '../../../isa/insn.ts';
import { ALU, SIZE } from '../../../isa/opcode.ts';
import type { HelperName, MapTypeName } from '../../../isa/uapi.ts';
import { aluImm, aluReg, exit, load, movImm, movReg, storeImm } from '../../rewrite/build.ts';
import { helper, mapFd, mapValue, type RunCase, stackAt, syscall, tc } from './case.ts';

/** Calls a map helper with key r10-8 and value r10-16, and adds its result to r7. */
const onMap = (name: HelperName, key: number, value: number, flags: number): Insn[] => [
  storeImm(SIZE.DW, 10, -8, key),
  storeImm(SIZE.DW, 10, -16, value),
  ...mapFd(1, 0),
  ...stackAt(2, -8),
  ...stackAt(3, -16),
  movImm(4, flags),
  helper(name),
  aluImm(ALU.MUL, 7, 31),
  aluReg(ALU.ADD, 7, 0),
];

const UPDATES: [HelperName, number, number, number][] = [
  ['map_update_elem', 1, 100, 0],
  ['map_update_elem', 1, 101, 1],
  ['map_update_elem', 2, 102, 1],
  ['map_update_elem', 3, 103, 2],
  ['map_update_elem', 2, 104, 2],
  ['map_update_elem', 4, 105, 3],
  ['map_delete_elem', 1, 0, 0],
  ['map_delete_elem', 1, 0, 0],
  ['map_update_elem', 3, 106, 0],
  ['map_update_elem', 5, 107, 0],
  ['map_update_elem', 6, 108, 0],
  ['map_update_elem', 7, 109, 0],
  ['map_delete_elem', 200, 0, 0],
];

export const MAPS: RunCase[] = (['hash', 'array', 'lpm_trie', 'percpu_array', 'percpu_hash'] as MapTypeName[]).map(
  (type) =>
    tc(
      `updates and removals of a map: ${type}`,
      [
        movImm(7, 0),
        ...UPDATES.flatMap(([name, key, value, flags]) => onMap(name, key, value, flags)),
        movReg(0, 7),
        exit(),
      ],
      {
        // The key of a trie is a length and the bits; here the bits are 0.
        maps: [{ type, key: type === 'lpm_trie' ? 8 : 4, value: 8, max: 4 }],
      },
    ),
);

const onQueue = (name: HelperName, value: number, flags: number): Insn[] => [
  storeImm(SIZE.DW, 10, -16, value),
  ...mapFd(1, 0),
  ...stackAt(2, -16),
  movImm(3, flags),
  helper(name),
  aluImm(ALU.MUL, 7, 31),
  aluReg(ALU.ADD, 7, 0),
  load(SIZE.DW, 1, 10, -16),
  aluReg(ALU.XOR, 7, 1),
];

export const QUEUES: RunCase[] = (['queue', 'stack'] as MapTypeName[]).map((type) =>
  tc(
    `pushes and pops: ${type}`,
    [
      movImm(7, 0),
      ...[
        onQueue('map_pop_elem', 77, 0),
        ...[1, 2, 3].map((v) => onQueue('map_push_elem', v, 0)),
        onQueue('map_push_elem', 4, 0),
        onQueue('map_push_elem', 5, 2),
        onQueue('map_push_elem', 6, 1),
        onQueue('map_peek_elem', 0, 0),
        onQueue('map_pop_elem', 0, 0),
        onQueue('map_pop_elem', 0, 0),
      ].flat(),
      movReg(0, 7),
      exit(),
    ],
    { maps: [{ type, key: 0, value: 8, max: 3 }] },
  ),
);

export const RINGBUF: RunCase[] = [
  syscall(
    'a ring buffer fills up',
    [
      movReg(6, 1),
      movImm(7, 0),
      ...[1000, 2000, 2000, 1000, 8].flatMap((size) => [
        ...mapFd(1, 0),
        ...mapValue(2, 1),
        movImm(3, size),
        movImm(4, 0),
        helper('ringbuf_output'),
        aluImm(ALU.MUL, 7, 3),
        aluReg(ALU.ADD, 7, 0),
      ]),
      ...[0, 1, 2, 3, 9].flatMap((what) => [
        ...mapFd(1, 0),
        movImm(2, what),
        helper('ringbuf_query'),
        aluImm(ALU.MUL, 7, 3),
        aluReg(ALU.ADD, 7, 0),
      ]),
      movReg(0, 7),
      exit(),
    ],
    {
      maps: [
        { type: 'ringbuf', key: 0, value: 0, max: 4096 },
        { type: 'array', key: 4, value: 4000, max: 1 },
      ],
    },
  ),
];
