// Programs whose runs the kernel has been asked about; what it answered stands in testdata/run/cases.json.
import { type Insn, insn, LDIMM64 } from '../../isa/insn.ts';
import { ALU, CLASS, JMP, MODE, PSEUDO, SIZE, SRC } from '../../isa/opcode.ts';
import { HELPER, type HelperName, type MapTypeName, type ProgTypeName } from '../../isa/uapi.ts';
import {
  aluImm,
  aluReg,
  call,
  callFunction,
  exit,
  jumpImm,
  load,
  movImm,
  movReg,
  store,
  storeImm,
} from '../rewrite/build.ts';

export interface RunCaseMap {
  type: MapTypeName;
  key: number;
  value: number;
  max: number;
  /** Elements in hex, key and value. */
  elements?: [string, string][];
}

export interface RunCase {
  name: string;
  type: ProgTypeName;
  insns: Insn[];
  maps?: RunCaseMap[];
  /** Packet and context in hex. */
  data?: string;
  context?: string;
  /** This program stands in these slots of map 0, a program array. */
  ownSlots?: number[];
}

/** What the kernel answered. */
export interface RunAnswer {
  retval: number;
  data?: string;
  context?: string;
  /** Elements of each map, sorted by key. */
  maps?: [string, string][][];
}

const helper = (name: HelperName): Insn => call(HELPER[name]);
const mapFd = (dst: number, index: number): Insn[] => [insn(LDIMM64, dst, PSEUDO.MAP_FD, 0, index + 1), insn(0)];
const mapValue = (dst: number, index: number): Insn[] => [insn(LDIMM64, dst, PSEUDO.MAP_VALUE, 0, index + 1), insn(0)];
/** Address of the function `far` instructions after this one's two slots. */
const func = (dst: number, far: number): Insn[] => [insn(LDIMM64, dst, PSEUDO.FUNC, 0, far), insn(0)];
/** r`dst` = r10 + off */
const stackAt = (dst: number, off: number): Insn[] => [movReg(dst, 10), aluImm(ALU.ADD, dst, off)];
const packetByte = (size: number, off: number): Insn => insn(CLASS.LD | MODE.ABS | size, 0, 0, 0, off);

/** Ethernet, IPv4, UDP and some bytes. */
const FRAME =
  '001122334455667788990a0b0800' +
  '4500002e1234400040110000c0a80001c0a80002' +
  '04d2162e001a0000' +
  '000102030405060708090a0b0c0d0e0f1011';

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

const syscall = (name: string, insns: Insn[], rest: Partial<RunCase> = {}): RunCase => ({
  name,
  type: 'syscall',
  insns,
  context: '000102030405060708090a0b0c0d0e0f1011121314151617',
  ...rest,
});

/** Offsets in struct __sk_buff of all numbers that tc may read but the packet's bounds, and those of its socket. */
const SKB_WORDS = [...[0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 48, 52, 56, 60, 64, 68, 72, 84, 160, 164, 176]];
const SOCKET_WORDS = [0, 4, 16, 88, 92, 96, 100, 104, 108, 112, 116, 120, 124, 128, 132, 136];

/** All these fields in one number. */
const hashFields = (offsets: readonly number[]): Insn[] => [
  movReg(6, 1),
  movImm(7, 0),
  ...offsets.flatMap((off) => [load(SIZE.W, 1, 6, off), aluImm(ALU.MUL, 7, 31), aluReg(ALU.ADD, 7, 1)]),
  movReg(0, 7),
  exit(),
];

/** Frames for everybody, some and somebody, of several protocols. */
const ODD_FRAMES: readonly (readonly [what: string, frame: string])[] = [
  ['of no address', `00112233445566778899aabb0806${FRAME.slice(28)}`],
  ['for everybody', `ffffffffffff66778899aabb0800${FRAME.slice(28)}`],
  ['for some', `01020304050666778899aabb86dd${FRAME.slice(28)}`],
  ['for nobody', `00000000000066778899aabb0800${FRAME.slice(28)}`],
];

const FIELDS: RunCase[] = ODD_FRAMES.flatMap(([what, data]) => [
  { name: `fields of a socket buffer ${what}`, type: 'sched_cls', data, insns: hashFields(SKB_WORDS) } as RunCase,
  { name: `fields of the socket of one ${what}`, type: 'cgroup_skb', data, insns: hashFields(SOCKET_WORDS) } as RunCase,
]);

const PACKETS: RunCase[] = [
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

/** Bytes by single stores, since most contexts cannot be read as bytes. */
function bytesOnStack(bytes: Uint8Array, off: number): Insn[] {
  return Array.from(bytes, (byte, i) => storeImm(SIZE.B, 10, off + i, byte));
}

const CHECKSUMS: RunCase[] = (
  [
    ['000102030405060708090a0b', 0, 4, 0],
    ['000102030405060708090a0b', 0, 8, 0xffff],
    ['ffffffffffffffffffffffff', 4, 8, 1],
    ['fffefdfcfbfaf9f80102ff00', 8, 4, -1],
    ['00000000ffff0000ffff0000', 4, 0, 0x12345],
    ['123456789abcdef0ffeeddcc', 8, 0, 0],
    ['123456789abcdef0ffeeddcc', 0, 0, 0x123456],
    ['123456789abcdef0ffeeddcc', 8, 8, 0xfffff],
  ] as [string, number, number, number][]
).map(([bytes, from, to, seed]) => ({
  name: `csum_diff of ${bytes}: ${from} bytes become ${to}, seed ${seed}`,
  type: 'sched_cls',
  data: FRAME,
  insns: [
    ...bytesOnStack(Buffer.from(bytes, 'hex'), -16),
    storeImm(SIZE.W, 10, -4, 0x01020304),
    ...stackAt(1, -16),
    movImm(2, from),
    ...stackAt(3, -8),
    movImm(4, to),
    movImm(5, seed),
    helper('csum_diff'),
    exit(),
  ],
}));

const NUMBERS: RunCase[] = (
  [
    ['42', 0],
    ['-42', 0],
    ['0x1f', 0],
    ['0x1f', 16],
    ['017', 0],
    ['019', 0],
    ['  77 ', 10],
    ['9223372036854775807', 10],
    ['-9223372036854775808', 10],
    ['9223372036854775808', 10],
    ['18446744073709551615', 10],
    ['18446744073709551616', 10],
    ['zz', 0],
    ['', 0],
    ['-', 0],
    ['0x', 0],
    ['12', 7],
    ['+5', 10],
  ] as [string, number][]
).flatMap(([text, flags]) =>
  (['strtol', 'strtoul'] as const).map((name) =>
    syscall(`${name} of "${text}" with flags ${flags}`, [
      movReg(6, 1),
      ...bytesOnStack(Buffer.from(text.padEnd(24, '\0')), -24),
      storeImm(SIZE.DW, 10, -32, -1),
      ...stackAt(1, -24),
      movImm(2, 24),
      movImm(3, flags),
      ...stackAt(4, -32),
      helper(name),
      load(SIZE.DW, 1, 10, -32),
      store(SIZE.DW, 6, 1, 0),
      exit(),
    ]),
  ),
);

const LOOPS: RunCase[] = [
  syscall('bpf_loop runs its callback, which may stop it', [
    movReg(6, 1),
    storeImm(SIZE.DW, 10, -8, 0),
    movImm(1, 10),
    ...func(2, 8),
    ...stackAt(3, -8),
    movImm(4, 0),
    helper('loop'),
    load(SIZE.DW, 1, 10, -8),
    store(SIZE.DW, 6, 1, 0),
    exit(),
    load(SIZE.DW, 3, 2, 0),
    aluReg(ALU.ADD, 3, 1),
    store(SIZE.DW, 2, 3, 0),
    movImm(0, 0),
    jumpImm(JMP.JLT, 1, 6, 1),
    movImm(0, 1),
    exit(),
  ]),
  syscall('bpf_loop with a flag', [
    movImm(1, 10),
    ...func(2, 5),
    movImm(3, 0),
    movImm(4, 1),
    helper('loop'),
    exit(),
    movImm(0, 0),
    exit(),
  ]),
  syscall(
    'for_each_map_elem goes through an array in order',
    [
      movReg(6, 1),
      storeImm(SIZE.DW, 10, -8, 0),
      ...mapFd(1, 0),
      ...func(2, 8),
      ...stackAt(3, -8),
      movImm(4, 0),
      helper('for_each_map_elem'),
      load(SIZE.DW, 1, 10, -8),
      store(SIZE.DW, 6, 1, 0),
      exit(),
      load(SIZE.W, 5, 2, 0),
      load(SIZE.DW, 3, 3, 0),
      load(SIZE.DW, 2, 4, 0),
      aluImm(ALU.MUL, 2, 10),
      aluReg(ALU.ADD, 2, 3),
      store(SIZE.DW, 4, 2, 0),
      movImm(0, 0),
      jumpImm(JMP.JLT, 5, 3, 1),
      movImm(0, 1),
      exit(),
    ],
    {
      maps: [
        {
          type: 'array',
          key: 4,
          value: 8,
          max: 6,
          elements: [0, 1, 2, 3, 4, 5].map((i) => [`0${i}000000`, `0${i + 1}00000000000000`]),
        },
      ],
    },
  ),
  {
    name: 'a tail call to itself happens 33 times, then goes on',
    type: 'sched_cls',
    data: FRAME,
    ownSlots: [1],
    maps: [
      { type: 'prog_array', key: 4, value: 4, max: 3 },
      { type: 'array', key: 4, value: 8, max: 1 },
    ],
    insns: [
      movReg(6, 1),
      ...mapValue(1, 1),
      load(SIZE.DW, 2, 1, 0),
      aluImm(ALU.ADD, 2, 1),
      store(SIZE.DW, 1, 2, 0),
      movReg(1, 6),
      ...mapFd(2, 0),
      movImm(3, 1),
      helper('tail_call'),
      movImm(0, 7),
      exit(),
    ],
  },
  {
    name: 'a tail call into an empty slot and one behind the array go on',
    type: 'sched_cls',
    data: FRAME,
    maps: [{ type: 'prog_array', key: 4, value: 4, max: 3 }],
    insns: [
      movReg(6, 1),
      ...mapFd(2, 0),
      movImm(3, 2),
      helper('tail_call'),
      movReg(1, 6),
      ...mapFd(2, 0),
      movImm(3, 77),
      helper('tail_call'),
      movImm(0, 9),
      exit(),
    ],
  },
];

/** Calls a map helper with key r10-8 and value r10-16, and adds its result to r7. */
const tc = (name: string, insns: Insn[], rest: Partial<RunCase>): RunCase => ({
  name,
  type: 'sched_cls',
  insns,
  data: FRAME,
  ...rest,
});

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

const MAPS: RunCase[] = (['hash', 'array', 'lpm_trie', 'percpu_array', 'percpu_hash'] as MapTypeName[]).map((type) =>
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

const QUEUES: RunCase[] = (['queue', 'stack'] as MapTypeName[]).map((type) =>
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

const REDIRECTS: RunCase[] = [0, 1, 2, 3].flatMap((flags) => [
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

const RINGBUF: RunCase[] = [
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

const CALLS: RunCase[] = [
  syscall('r6 to r9 outlive a call, the stack of the callee is its own', [
    movReg(6, 1),
    movImm(7, 5),
    storeImm(SIZE.DW, 10, -8, 3),
    movReg(1, 7),
    callFunction(3),
    load(SIZE.DW, 1, 10, -8),
    aluReg(ALU.ADD, 0, 1),
    exit(),
    storeImm(SIZE.DW, 10, -8, 100),
    movImm(6, 0),
    movImm(7, 0),
    aluImm(ALU.MUL, 1, 2),
    movReg(0, 1),
    exit(),
  ]),
];

export const RUN_CASES: readonly RunCase[] = [
  ...FIELDS,
  ...PACKETS,
  ...CHECKSUMS,
  ...NUMBERS,
  ...LOOPS,
  ...MAPS,
  ...QUEUES,
  ...REDIRECTS,
  ...RINGBUF,
  ...CALLS,
];
