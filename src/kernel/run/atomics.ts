// Atomic operations. One machine runs one program at a time, so that they are loads and stores in a row.
import type { Insn } from '../../isa/insn.ts';
import { ATOMIC, CLASS, insnSize, MODE, SIZE } from '../../isa/opcode.ts';
import { type Machine, type Op, R0, type Step } from './machine.ts';
import { RunFault } from './memory.ts';
import type { StepTable } from './steps.ts';

/** Address of an operation: `base` is the register that points. */
type AddressOf = (m: Machine, base: number, off: number) => bigint;

const plainAddress: AddressOf = (m, base, off) => BigInt.asUintN(64, m.regs[base] + BigInt(off));
const arenaAddress: AddressOf = (m, base, off) =>
  BigInt.asUintN(64, m.arenaKernelStart + BigInt(m.halves[base * 2]) + BigInt(off));

type Update = (old: bigint, operand: bigint) => bigint;
const UPDATES: Readonly<Record<number, Update>> = {
  [ATOMIC.ADD]: (a, b) => a + b,
  [ATOMIC.OR]: (a, b) => a | b,
  [ATOMIC.AND]: (a, b) => a & b,
  [ATOMIC.XOR]: (a, b) => a ^ b,
};

/** Memory becomes `update` of itself and the source; with `fetch` the source gets what was there. */
const modify =
  (address: AddressOf, update: Update, fetch: boolean): Step =>
  (m, { dst, src, off, size }: Op) => {
    const at = address(m, dst, off);
    const old = m.memory.read(at, size);
    m.memory.write(at, size, update(old, m.regs[src]));
    if (fetch) m.regs[src] = old;
  };

const exchange =
  (address: AddressOf): Step =>
  (m, { dst, src, off, size }) => {
    const at = address(m, dst, off);
    const old = m.memory.read(at, size);
    m.memory.write(at, size, m.regs[src]);
    m.regs[src] = old;
  };

/** r0 is compared, in as many bits as the access has, and gets what was there. */
const compareExchange =
  (address: AddressOf): Step =>
  (m, { dst, src, off, size }) => {
    const at = address(m, dst, off);
    const old = m.memory.read(at, size);
    if (old === BigInt.asUintN(size * 8, m.regs[R0])) m.memory.write(at, size, m.regs[src]);
    // Even where nothing is written the location must be writable.
    else m.memory.write(at, size, old);
    m.regs[R0] = old;
  };

const loadAcquire =
  (address: AddressOf): Step =>
  (m, { dst, src, off, size }) => {
    m.regs[dst] = m.memory.read(address(m, src, off), size);
  };
const storeRelease =
  (address: AddressOf): Step =>
  (m, { dst, src, off, size }) => {
    m.memory.write(address(m, dst, off), size, m.regs[src]);
  };

function atomicStep({ code, imm }: Insn, address: AddressOf): Step | undefined {
  if (imm === ATOMIC.LOAD_ACQ) return loadAcquire(address);
  if (imm === ATOMIC.STORE_REL) return storeRelease(address);
  const size = insnSize(code);
  if (size !== SIZE.W && size !== SIZE.DW) return undefined;
  if (imm === ATOMIC.XCHG) return exchange(address);
  if (imm === ATOMIC.CMPXCHG) return compareExchange(address);
  const update = UPDATES[imm & ~ATOMIC.FETCH];
  return update && modify(address, update, (imm & ATOMIC.FETCH) !== 0);
}

/** An access to an arena where there is no page gives 0 and changes nothing. */
const inArena = (insn: Insn): Step | undefined => {
  const step = atomicStep(insn, arenaAddress);
  if (step === undefined) return undefined;
  return (m, op) => {
    try {
      step(m, op);
    } catch (error) {
      if (!(error instanceof RunFault)) throw error;
      if (insn.imm === ATOMIC.LOAD_ACQ) m.regs[op.dst] = 0n;
    }
  };
};

export const ATOMIC_STEPS: StepTable = new Map();
for (const size of [SIZE.B, SIZE.H, SIZE.W, SIZE.DW]) {
  ATOMIC_STEPS.set(CLASS.STX | MODE.ATOMIC | size, (insn) => atomicStep(insn, plainAddress));
  ATOMIC_STEPS.set(CLASS.STX | MODE.PROBE_ATOMIC | size, inArena);
}
