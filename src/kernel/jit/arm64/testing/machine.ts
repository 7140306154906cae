// An arm64 processor for tests: the integer instructions that Linux emits for BPF programs, decoded after the Arm manual
// (and not by the emitter's own tables). Exclusive stores always succeed, return addresses are not signed.
import { executeData } from './machine-data.ts';
import { executeMemory } from './machine-memory.ts';
import { Fault, type Memory } from './memory.ts';

/** Address that ends a run when code returns to it. */
const RETURN = 0xdead0000n;

export const bits = (word: number, low: number, count: number): number => (word >>> low) & (2 ** count - 1);
export const signedBits = (word: number, low: number, count: number): number =>
  (bits(word, low, count) << (32 - count)) >> (32 - count);

const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);

/** A load or store that may fault, by its address: what happens instead. */
export type FaultHandler = (machine: Machine, address: bigint) => void;

export class Machine {
  readonly memory: Memory;
  readonly x: bigint[] = new Array(31).fill(0n);
  sp: bigint;
  pc = 0n;
  n = false;
  z = false;
  c = false;
  v = false;
  /** System registers by their number in mrs. */
  readonly system: Map<number, bigint> = new Map();
  /** Handlers by the address of the instruction. */
  readonly faults: Map<bigint, FaultHandler> = new Map();
  steps = 0;

  /** `stackTop` is the stack pointer at the entry. */
  constructor(memory: Memory, stackTop: bigint) {
    this.memory = memory;
    this.sp = stackTop;
  }

  /** Value of a register, 0 of 31; the lower half where not `wide`. */
  get(reg: number, wide: boolean): bigint {
    const value = reg === 31 ? 0n : this.x[reg];
    return wide ? value : BigInt.asUintN(32, value);
  }

  set(reg: number, wide: boolean, value: bigint): void {
    if (reg !== 31) this.x[reg] = BigInt.asUintN(wide ? 64 : 32, value);
  }

  /** The same where 31 is the stack pointer. */
  getOrSp(reg: number, wide: boolean): bigint {
    return reg === 31 ? BigInt.asUintN(wide ? 64 : 32, this.sp) : this.get(reg, wide);
  }

  setOrSp(reg: number, wide: boolean, value: bigint): void {
    if (reg === 31) this.sp = BigInt.asUintN(wide ? 64 : 32, value);
    else this.set(reg, wide, value);
  }

  holds(condition: number): boolean {
    const { n, z, c, v } = this;
    const result = [z, c, n, v, c && !z, n === v, n === v && !z, true][condition >> 1];
    return (condition & 1) === 1 && condition !== 15 ? !result : result;
  }

  /** Calls a function with up to eight arguments; gives x0. Throws Fault, or Error for what is no known instruction. */
  call(entry: bigint, args: readonly bigint[], maxSteps = 100_000): bigint {
    for (const [i, value] of args.entries()) this.set(i, true, value);
    this.x[30] = RETURN;
    this.pc = entry;
    for (this.steps = 0; this.pc !== RETURN; this.steps++) {
      if (this.steps === maxSteps) throw new Error('the code does not end');
      this.step();
    }
    return this.x[0];
  }

  private step(): void {
    const at = this.pc;
    const word = Number(this.memory.read(at, 4));
    this.pc = u64(at + 4n);
    try {
      if (!executeBranch(this, word, at) && !executeData(this, word) && !executeMemory(this, word, at)) {
        throw new Error(`unknown instruction ${word.toString(16).padStart(8, '0')}`);
      }
    } catch (error) {
      const handler = this.faults.get(at);
      if (!(error instanceof Fault) || !handler) throw error;
      handler(this, error.address);
    }
  }
}

/** Branches, hints, barriers and system registers. True if the instruction is one. */
function executeBranch(m: Machine, word: number, at: bigint): boolean {
  const jump = (low: number, count: number): void => {
    m.pc = u64(at + 4n * BigInt(signedBits(word, low, count)));
  };
  if ((word & 0x7c000000) === 0x14000000) {
    if (word >>> 31) m.x[30] = u64(at + 4n);
    jump(0, 26);
  } else if ((word & 0xff000010) >>> 0 === 0x54000000) {
    if (m.holds(word & 15)) jump(5, 19);
  } else if ((word & 0x7e000000) === 0x34000000) {
    const isZero = m.get(word & 31, word >>> 31 === 1) === 0n;
    if (isZero !== (bits(word, 24, 1) === 1)) jump(5, 19);
  } else if ((word & 0xff9ffc1f) >>> 0 === 0xd61f0000) {
    const target = m.get(bits(word, 5, 5), true);
    if (bits(word, 21, 2) === 1) m.x[30] = u64(at + 4n);
    m.pc = target;
  } else if ((word & 0xfff00000) >>> 0 === 0xd5300000) {
    const value = m.system.get(bits(word, 5, 15));
    if (value === undefined) return false;
    m.set(word & 31, true, value);
  } else {
    return (word & 0xfffff01f) >>> 0 === 0xd503201f || (word & 0xfffff01f) >>> 0 === 0xd503301f;
  }
  return true;
}
