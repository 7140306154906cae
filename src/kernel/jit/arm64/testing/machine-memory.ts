// Loads and stores of the test processor.
import { bits, type Machine, signedBits } from './machine.ts';

/** Loads into rt: zero-extended, or sign-extended to 64 or 32 bits by the two bits of the operation. */
function transfer(m: Machine, word: number, address: bigint): boolean {
  const size = 1 << (word >>> 30);
  const rt = word & 31;
  const op = bits(word, 22, 2);
  if (op === 0) m.memory.write(address, size, m.get(rt, true));
  else if (op === 1) m.set(rt, size === 8, m.memory.read(address, size));
  else if (op === 2 && size < 8) m.set(rt, true, BigInt.asIntN(size * 8, m.memory.read(address, size)));
  else return false;
  return true;
}

/** stp and ldp of 64-bit registers with the base changed. */
function pair(m: Machine, word: number): boolean {
  const mode = bits(word, 23, 2);
  if (word >>> 30 !== 2 || (mode !== 1 && mode !== 3)) return false;
  const rn = bits(word, 5, 5);
  const offset = BigInt(signedBits(word, 15, 7) * 8);
  const base = m.getOrSp(rn, true);
  const address = BigInt.asUintN(64, mode === 3 ? base + offset : base);
  const regs = [word & 31, bits(word, 10, 5)];
  regs.forEach((reg, i) => {
    const at = address + BigInt(8 * i);
    if (bits(word, 22, 1)) m.set(reg, true, m.memory.read(at, 8));
    else m.memory.write(at, 8, m.get(reg, true));
  });
  m.setOrSp(rn, true, base + offset);
  return true;
}

/** Atomic operations of LSE: rt takes the old value, memory the new one. */
function atomic(m: Machine, word: number): boolean {
  const size = 1 << (word >>> 30);
  const address = m.getOrSp(bits(word, 5, 5), true);
  const operand = BigInt.asUintN(size * 8, m.get(bits(word, 16, 5), true));
  const old = m.memory.read(address, size);
  const results: Record<number, bigint> = {
    0: old + operand,
    1: old & ~operand,
    2: old ^ operand,
    3: old | operand,
    8: operand,
  };
  const result = results[bits(word, 12, 4)];
  if (result === undefined) return false;
  m.memory.write(address, size, result);
  m.set(word & 31, size === 8, old);
  return true;
}

/** Exclusive, acquiring and releasing accesses, and compare-and-swap. */
function ordered(m: Machine, word: number): boolean {
  const size = 1 << (word >>> 30);
  const address = m.getOrSp(bits(word, 5, 5), true);
  const [rt, rs] = [word & 31, bits(word, 16, 5)];
  const load = bits(word, 22, 1) === 1;
  if (bits(word, 21, 1)) {
    const old = m.memory.read(address, size);
    if (old === BigInt.asUintN(size * 8, m.get(rs, true))) m.memory.write(address, size, m.get(rt, true));
    m.set(rs, size === 8, old);
  } else if (load) {
    m.set(rt, size === 8, m.memory.read(address, size));
  } else {
    m.memory.write(address, size, m.get(rt, true));
    if (!bits(word, 23, 1)) m.set(rs, false, 0n);
  }
  return true;
}

/** Index register: 64 bits, without shift. */
const indexed = (m: Machine, word: number): bigint | undefined =>
  (bits(word, 13, 3) === 3 || bits(word, 13, 3) === 7) && !bits(word, 12, 1)
    ? m.get(bits(word, 16, 5), true)
    : undefined;

/** True if the instruction, which stands at `at`, is one of these. */
export function executeMemory(m: Machine, word: number, at: bigint): boolean {
  const family = (mask: number, value: number): boolean => (word & mask) >>> 0 === value;
  const base = (): bigint => m.getOrSp(bits(word, 5, 5), true);
  if (family(0x3b000000, 0x39000000)) {
    return transfer(m, word, BigInt.asUintN(64, base() + BigInt(bits(word, 10, 12) << (word >>> 30))));
  }
  if (family(0x3b200c00, 0x38200800)) {
    const index = indexed(m, word);
    return index !== undefined && transfer(m, word, BigInt.asUintN(64, base() + index));
  }
  if (family(0x3b200c00, 0x38200000)) return atomic(m, word);
  if (family(0x3f000000, 0x08000000)) return ordered(m, word);
  if (family(0x3e000000, 0x28000000)) return pair(m, word);
  if (family(0xff000000, 0x58000000)) {
    m.set(word & 31, true, m.memory.read(BigInt.asUintN(64, at + 4n * BigInt(signedBits(word, 5, 19))), 8));
    return true;
  }
  return false;
}
