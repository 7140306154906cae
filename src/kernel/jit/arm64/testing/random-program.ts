// Programs of every opcode that the emitter knows, with any operands: they need not make sense, only be encoded.
import { type Insn, insn, LDIMM64 } from '../../../../isa/insn.ts';
import { ALU, ATOMIC, CLASS, JMP, MODE, PSEUDO, SIZE, SRC } from '../../../../isa/opcode.ts';
import type { JitFunctionInput } from '../../jit.ts';
import { INLINED_HELPERS } from '../call.ts';
import { ARM64_DEFAULTS, type Arm64Settings } from '../settings.ts';
import { Random } from './random.ts';

const SIZES = [SIZE.B, SIZE.H, SIZE.W, SIZE.DW];
const CONDITIONS = [0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0xa0, 0xb0, 0xc0, 0xd0];
const PLAIN = [ALU.ADD, ALU.SUB, ALU.MUL, ALU.DIV, ALU.OR, ALU.AND, ALU.MOD, ALU.XOR, ALU.MOV];
const SHIFTS = [ALU.LSH, ALU.RSH, ALU.ARSH];
const { ADD, AND, OR, XOR, FETCH, XCHG, CMPXCHG, LOAD_ACQ, STORE_REL } = ATOMIC;
const READ_MODIFY_WRITE = [ADD, AND, OR, XOR, ADD | FETCH, AND | FETCH, OR | FETCH, XOR | FETCH, XCHG, CMPXCHG];

/** What a generated program may contain. */
interface Shape {
  functions: number;
  arena: boolean;
  lse: boolean;
}

type Make = (random: Random, shape: Shape) => Insn[];

const anyReg = (random: Random): number => random.below(12);

const alu: Make = (random) => {
  const cls = random.pick([CLASS.ALU, CLASS.ALU64]);
  const source = random.pick([SRC.K, SRC.X]);
  const op = random.pick(PLAIN);
  const signed = (op === ALU.DIV || op === ALU.MOD) && random.oneIn(2) ? 1 : 0;
  return [insn(cls | op | source, anyReg(random), anyReg(random), signed, random.imm())];
};
const shift: Make = (random) => {
  const cls = random.pick([CLASS.ALU, CLASS.ALU64]);
  const count = random.below(cls === CLASS.ALU ? 32 : 64);
  return [insn(cls | random.pick(SHIFTS) | random.pick([SRC.K, SRC.X]), anyReg(random), anyReg(random), 0, count)];
};
const unary: Make = (random) => [
  random.oneIn(3)
    ? insn(random.pick([CLASS.ALU, CLASS.ALU64]) | ALU.NEG, anyReg(random))
    : insn(random.pick([0xd4, 0xdc, 0xd7]), anyReg(random), 0, 0, random.pick([16, 32, 64])),
];
const specialMove: Make = (random, { arena }) => {
  const [dst, src] = [anyReg(random), anyReg(random)];
  switch (random.below(arena ? 4 : 3)) {
    case 0:
      return [insn(CLASS.ALU | ALU.MOV | SRC.X, dst, src, random.pick([8, 16]))];
    case 1:
      return [insn(CLASS.ALU64 | ALU.MOV | SRC.X, dst, src, random.pick([8, 16, 32]))];
    case 2:
      return [insn(CLASS.ALU64 | ALU.MOV | SRC.X, dst, src, -1)];
    default:
      return [insn(CLASS.ALU64 | ALU.MOV | SRC.X, dst, src, 1, 1 << 16)];
  }
};
const constant64: Make = (random, { functions }) => {
  const isFunction = functions > 1 && random.oneIn(4);
  const low = random.oneIn(3) ? random.pick([0, -1]) : random.imm();
  const high = random.oneIn(2) ? random.pick([0, -1, 0xffff, -0x10000]) : random.imm();
  const kind = isFunction ? PSEUDO.FUNC : 0;
  return [insn(LDIMM64, anyReg(random), kind, isFunction ? random.below(functions) : 0, low), insn(0, 0, 0, 0, high)];
};
const load: Make = (random, { arena }) => {
  const signed = random.oneIn(3);
  const plain = [MODE.MEM, MODE.MEM, MODE.PROBE_MEM, ...(arena ? [MODE.PROBE_MEM32] : [])];
  const extending = [MODE.MEMSX, MODE.PROBE_MEMSX, ...(arena ? [MODE.PROBE_MEM32SX] : [])];
  const size = random.pick(signed ? SIZES.slice(0, 3) : SIZES);
  return [
    insn(CLASS.LDX | random.pick(signed ? extending : plain) | size, anyReg(random), anyReg(random), random.off()),
  ];
};
const store: Make = (random, { arena }) => {
  const mode = arena && random.oneIn(3) ? MODE.PROBE_MEM32 : MODE.MEM;
  const cls = random.pick([CLASS.ST, CLASS.STX]);
  return [insn(cls | mode | random.pick(SIZES), anyReg(random), anyReg(random), random.off(), random.imm())];
};
const atomic: Make = (random, { arena, lse }) => {
  const ordered = random.oneIn(3);
  const inArena = arena && (lse || ordered) && random.oneIn(3);
  const mode = inArena ? MODE.PROBE_ATOMIC : MODE.ATOMIC;
  const size = random.pick(ordered ? SIZES : [SIZE.W, SIZE.DW]);
  const op = random.pick(ordered ? [LOAD_ACQ, STORE_REL] : READ_MODIFY_WRITE);
  return [insn(CLASS.STX | mode | size, anyReg(random), anyReg(random), random.off(), op)];
};
const call: Make = (random, { functions }) => {
  if (functions > 1 && random.oneIn(2)) return [insn(CLASS.JMP | JMP.CALL, 0, 1, random.below(functions), 1)];
  const imm = random.oneIn(3) ? random.pick([...INLINED_HELPERS]) : (random.u32() >> 8) << 4;
  return [insn(CLASS.JMP | JMP.CALL, 0, 0, 0, imm || 16)];
};
const rest: Make = (random) => [
  random.pick([insn(CLASS.JMP | JMP.EXIT), insn(CLASS.ST | 0xc0), insn(CLASS.JMP | JMP.TAIL_CALL)]),
];
/** Where it leads is filled in when the program is complete. */
const jump: Make = (random) => {
  const cls = random.pick([CLASS.JMP, CLASS.JMP32]);
  if (random.oneIn(8)) return [insn(cls | JMP.JA)];
  return [
    insn(cls | random.pick(CONDITIONS) | random.pick([SRC.K, SRC.X]), anyReg(random), anyReg(random), 0, random.imm()),
  ];
};

const MAKERS: readonly Make[] = [
  alu,
  alu,
  alu,
  shift,
  unary,
  specialMove,
  constant64,
  load,
  load,
  store,
  store,
  atomic,
  call,
  jump,
  jump,
  rest,
];

const isBranch = ({ code }: Insn): boolean => {
  const cls = code & 7;
  const op = code & 0xf0;
  if (cls === CLASS.JMP32) return true;
  return cls === CLASS.JMP && op !== JMP.CALL && op !== JMP.EXIT && op !== JMP.TAIL_CALL;
};

function aimBranches(random: Random, insns: Insn[]): void {
  const starts = insns.flatMap((_, i) => (insns[i - 1]?.code === LDIMM64 ? [] : [i]));
  insns.forEach((x, i) => {
    if (insns[i - 1]?.code === LDIMM64 || !isBranch(x)) return;
    const distance = random.pick(starts) - i - 1;
    if (x.code === (CLASS.JMP32 | JMP.JA)) x.imm = distance;
    else x.off = distance;
  });
}

function makeFunction(random: Random, shape: Shape, index: number, boundary: boolean): JitFunctionInput {
  const insns: Insn[] = [];
  const length = 1 + random.below(random.oneIn(20) ? 400 : 40);
  while (insns.length < length) insns.push(...random.pick(MAKERS)(random, shape));
  insns.push(insn(CLASS.JMP | JMP.EXIT));
  aimBranches(random, insns);
  return {
    insns,
    stackDepth: random.oneIn(3) ? 0 : random.below(513),
    isSubprog: index > 0,
    tailCallReachable: random.oneIn(2),
    exceptionCallback: boundary && index > 0 && random.oneIn(2),
    exceptionBoundary: boundary && index === 0,
    privateStack: random.oneIn(5),
  };
}

export interface RandomProgram {
  settings: Arm64Settings;
  functions: JitFunctionInput[];
  arena: { kernStart: bigint; userStart: bigint } | undefined;
  classic: boolean;
  clearBranchHistory: boolean;
  /** Where the functions lie. */
  addresses: bigint[];
  privateStacks: bigint[];
}

/** The program of a seed, with the machine it is for. */
export function randomProgram(seed: number): RandomProgram {
  const random = new Random(seed);
  const flag = (): boolean => random.oneIn(2);
  const settings: Arm64Settings = {
    ...ARM64_DEFAULTS,
    bti: flag(),
    pac: flag(),
    cfi: random.oneIn(4),
    lse: flag(),
    vhe: flag(),
    sb: flag(),
    branchHistory: {
      clearInstruction: random.oneIn(3),
      loops: random.pick([0, 8, 32]),
      firmware: random.pick([undefined, 'hvc', 'smc'] as const),
    },
  };
  const count = random.oneIn(3) ? 2 + random.below(3) : 1;
  const shape = { functions: count, arena: random.oneIn(3), lse: settings.lse };
  const boundary = random.oneIn(6);
  // Far apart now and then, so that calls between functions cannot be direct.
  const stride = random.oneIn(6) ? 0x9000000n : 0x4000n;
  const start = 0xffff800080000000n + BigInt(random.below(1 << 20)) * 8n;
  const arenaStart = BigInt(random.u32()) << 12n;
  return {
    settings,
    functions: Array.from({ length: count }, (_, i) => makeFunction(random, shape, i, boundary)),
    arena: shape.arena
      ? { kernStart: 0xffff800000000000n + arenaStart, userStart: random.pick([0n, 0x7f1200000000n, 0x100000000n]) }
      : undefined,
    classic: count === 1 && random.oneIn(4),
    clearBranchHistory: flag(),
    addresses: Array.from({ length: count }, (_, i) => start + BigInt(i) * stride),
    privateStacks: Array.from({ length: count }, () => BigInt(random.u32()) * 16n + 0x7dff00000000n),
  };
}
