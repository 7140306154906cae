// Arithmetic. Rules: ___bpf_prog_run, core.c, and what do_misc_fixups makes of divisions, 6.18.
import { ALU, CLASS, SRC } from '../../isa/opcode.ts';
import type { Step } from './machine.ts';
import { type StepTable, setLow } from './steps.ts';

type Wide = (a: bigint, b: bigint) => bigint;
type Narrow = (a: number, b: number) => number;

const s64 = (x: bigint): bigint => BigInt.asIntN(64, x);

/** Operations on unsigned 64-bit values; results are taken modulo 2^64. */
const WIDE: Readonly<Record<number, Wide>> = {
  [ALU.ADD]: (a, b) => a + b,
  [ALU.SUB]: (a, b) => a - b,
  [ALU.MUL]: (a, b) => a * b,
  [ALU.DIV]: (a, b) => (b === 0n ? 0n : a / b),
  [ALU.MOD]: (a, b) => (b === 0n ? a : a % b),
  [ALU.OR]: (a, b) => a | b,
  [ALU.AND]: (a, b) => a & b,
  [ALU.XOR]: (a, b) => a ^ b,
  [ALU.LSH]: (a, b) => a << (b & 63n),
  [ALU.RSH]: (a, b) => a >> (b & 63n),
  [ALU.ARSH]: (a, b) => s64(a) >> (b & 63n),
  [ALU.MOV]: (_, b) => b,
};

/** Operations on unsigned 32-bit values; results are taken modulo 2^32. */
const NARROW: Readonly<Record<number, Narrow>> = {
  [ALU.ADD]: (a, b) => a + b,
  [ALU.SUB]: (a, b) => a - b,
  [ALU.MUL]: (a, b) => Math.imul(a, b),
  [ALU.DIV]: (a, b) => (b === 0 ? 0 : Math.floor(a / b)),
  [ALU.MOD]: (a, b) => (b === 0 ? a : a % b),
  [ALU.OR]: (a, b) => a | b,
  [ALU.AND]: (a, b) => a & b,
  [ALU.XOR]: (a, b) => a ^ b,
  [ALU.LSH]: (a, b) => a << (b & 31),
  [ALU.RSH]: (a, b) => a >>> (b & 31),
  [ALU.ARSH]: (a, b) => (a | 0) >> (b & 31),
  [ALU.MOV]: (_, b) => b,
};

/** Signed division rounds to zero; the smallest number divided by -1 stays what it is. */
const SIGNED_WIDE: Readonly<Record<number, Wide>> = {
  [ALU.DIV]: (a, b) => (b === 0n ? 0n : s64(a) / s64(b)),
  [ALU.MOD]: (a, b) => (b === 0n ? a : s64(a) % s64(b)),
};
const SIGNED_NARROW: Readonly<Record<number, Narrow>> = {
  [ALU.DIV]: (a, b) => (b === 0 ? 0 : Math.trunc((a | 0) / (b | 0))),
  [ALU.MOD]: (a, b) => (b === 0 ? a : (a | 0) % (b | 0)),
};

const wideReg =
  (f: Wide): Step =>
  ({ regs }, { dst, src }) => {
    regs[dst] = f(regs[dst], regs[src]);
  };
const wideImm =
  (f: Wide): Step =>
  ({ regs }, { dst, imm }) => {
    regs[dst] = f(regs[dst], imm);
  };
const narrowReg =
  (f: Narrow): Step =>
  ({ halves }, { dst, src }) =>
    setLow(halves, dst, f(halves[dst * 2], halves[src * 2]));
const narrowImm =
  (f: Narrow): Step =>
  ({ halves }, { dst, imm32 }) =>
    setLow(halves, dst, f(halves[dst * 2], imm32 >>> 0));

/** Moves with sign extension from so many bits. */
const moveSigned64 =
  (bits: number): Step =>
  ({ regs }, { dst, src }) => {
    regs[dst] = BigInt.asIntN(bits, regs[src]);
  };
const moveSigned32 =
  (bits: number): Step =>
  ({ halves }, { dst, src }) =>
    setLow(halves, dst, (halves[src * 2] << (32 - bits)) >> (32 - bits));

/** `off` of a move that is a cast between the program's addresses and an arena's. rule: BPF_ADDR_SPACE_CAST */
const ADDRESS_CAST = 1;
/** `off` of a move in rewritten programs that makes a pointer of this CPU from one of all CPUs. */
const PER_CPU_ADDRESS = -1;

/** Towards the kernel the low half is what counts; towards the program the arena's upper half comes back. */
const castAddress: Step = (m, { dst, src, imm32 }) => {
  const low = m.halves[src * 2];
  if (imm32 === 1 || low === 0) setLow(m.halves, dst, low);
  else m.regs[dst] = (m.arenaUserStart & ~0xffffffffn) | BigInt(low);
};

function moveReg(off: number): Step | undefined {
  switch (off) {
    case 0:
      return wideReg(WIDE[ALU.MOV]);
    case 8:
    case 16:
    case 32:
      return moveSigned64(off);
    case ADDRESS_CAST:
      return castAddress;
    case PER_CPU_ADDRESS:
      return (m, { dst, src }) => {
        m.regs[dst] = m.regs[src] + m.perCpuOffset(m.cpu);
      };
    default:
      return undefined;
  }
}

const negate64: Step = ({ regs }, { dst }) => {
  regs[dst] = -regs[dst];
};
const negate32: Step = ({ halves }, { dst }) => setLow(halves, dst, -halves[dst * 2]);

/** The lowest `bits` bits with their bytes the other way round. */
function swapBytes(value: bigint, bits: number): bigint {
  let out = 0n;
  for (let i = 0; i < bits; i += 8) out = (out << 8n) | ((value >> BigInt(i)) & 0xffn);
  return out;
}

const swap =
  (bits: number): Step =>
  ({ regs }, { dst }) => {
    regs[dst] = swapBytes(regs[dst], bits);
  };
const truncate =
  (bits: number): Step =>
  ({ regs }, { dst }) => {
    regs[dst] = BigInt.asUintN(bits, regs[dst]);
  };

const isWidth = (bits: number): boolean => bits === 16 || bits === 32 || bits === 64;

export const ALU_STEPS: StepTable = new Map();
for (const key of Object.keys(WIDE)) {
  const op = Number(key);
  const signed = op === ALU.DIV || op === ALU.MOD;
  const isMove = op === ALU.MOV;
  ALU_STEPS.set(CLASS.ALU64 | op | SRC.K, ({ off }) => wideImm(signed && off === 1 ? SIGNED_WIDE[op] : WIDE[op]));
  ALU_STEPS.set(CLASS.ALU | op | SRC.K, ({ off }) => narrowImm(signed && off === 1 ? SIGNED_NARROW[op] : NARROW[op]));
  ALU_STEPS.set(CLASS.ALU64 | op | SRC.X, ({ off }) =>
    isMove ? moveReg(off) : wideReg(signed && off === 1 ? SIGNED_WIDE[op] : WIDE[op]),
  );
  ALU_STEPS.set(CLASS.ALU | op | SRC.X, ({ off }) => {
    if (isMove && (off === 8 || off === 16)) return moveSigned32(off);
    return narrowReg(signed && off === 1 ? SIGNED_NARROW[op] : NARROW[op]);
  });
}
ALU_STEPS.set(CLASS.ALU64 | ALU.NEG, () => negate64);
ALU_STEPS.set(CLASS.ALU | ALU.NEG, () => negate32);
ALU_STEPS.set(CLASS.ALU | ALU.END | SRC.K, ({ imm }) => (isWidth(imm) ? truncate(imm) : undefined));
ALU_STEPS.set(CLASS.ALU | ALU.END | SRC.X, ({ imm }) => (isWidth(imm) ? swap(imm) : undefined));
ALU_STEPS.set(CLASS.ALU64 | ALU.END, ({ imm }) => (isWidth(imm) ? swap(imm) : undefined));
