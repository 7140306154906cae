// Arithmetic of the test processor.
import { bits, type Machine } from './machine.ts';

const widthOf = (wide: boolean): number => (wide ? 64 : 32);

/** a + b + carry, with flags if asked for. Subtraction adds the complement and a carry. */
function addWithCarry(m: Machine, wide: boolean, a: bigint, b: bigint, carry: bigint, setFlags: boolean): bigint {
  const width = widthOf(wide);
  const unsigned = a + b + carry;
  const result = BigInt.asUintN(width, unsigned);
  if (setFlags) {
    const signed = BigInt.asIntN(width, a) + BigInt.asIntN(width, b) + carry;
    m.n = result >> BigInt(width - 1) === 1n;
    m.z = result === 0n;
    m.c = result !== unsigned;
    m.v = BigInt.asIntN(width, result) !== signed;
  }
  return result;
}

function addOrSubtract(m: Machine, word: number, wide: boolean, a: bigint, b: bigint): bigint {
  const subtract = bits(word, 30, 1) === 1;
  const operand = subtract ? BigInt.asUintN(widthOf(wide), ~b) : b;
  return addWithCarry(m, wide, a, operand, subtract ? 1n : 0n, bits(word, 29, 1) === 1);
}

/** and, orr, eor, ands by the two bits of the operation. */
function logical(m: Machine, word: number, wide: boolean, a: bigint, b: bigint): bigint {
  const op = bits(word, 29, 2);
  const result = op === 1 ? a | b : op === 2 ? a ^ b : a & b;
  if (op === 3) {
    m.n = result >> BigInt(widthOf(wide) - 1) === 1n;
    m.z = result === 0n;
    m.c = false;
    m.v = false;
  }
  return result;
}

/** `count` ones. */
const ones = (count: number): bigint => (1n << BigInt(count)) - 1n;
const rotateRight = (value: bigint, by: number, width: number): bigint =>
  ((value >> BigInt(by)) | (value << BigInt(width - by))) & ones(width);

/** DecodeBitMasks of the manual: the mask of a logical immediate, and that of a bit field's place. */
function bitMasks(n: number, imms: number, immr: number, width: number): { wmask: bigint; tmask: bigint } {
  const length = 31 - Math.clz32((n << 6) | (~imms & 63));
  const size = 1 << length;
  const s = imms & (size - 1);
  const r = immr & (size - 1);
  const w = rotateRight(ones(s + 1), r, size);
  const t = ones(((s - r) & (size - 1)) + 1);
  let wmask = 0n;
  let tmask = 0n;
  for (let at = 0; at < width; at += size) {
    wmask |= w << BigInt(at);
    tmask |= t << BigInt(at);
  }
  return { wmask, tmask };
}

function moveWide(m: Machine, word: number, wide: boolean): boolean {
  const shift = BigInt(bits(word, 21, 2) * 16);
  const value = BigInt(bits(word, 5, 16)) << shift;
  const rd = word & 31;
  const op = bits(word, 29, 2);
  if (op === 1 || (!wide && shift > 16n)) return false;
  if (op === 3) m.set(rd, wide, (m.get(rd, wide) & ~(0xffffn << shift)) | value);
  else m.set(rd, wide, op === 0 ? ~value : value);
  return true;
}

function bitfield(m: Machine, word: number, wide: boolean): boolean {
  const width = widthOf(wide);
  const [immr, imms] = [bits(word, 16, 6), bits(word, 10, 6)];
  const op = bits(word, 29, 2);
  if (op === 1 || op === 3 || bits(word, 22, 1) !== (wide ? 1 : 0)) return false;
  const { wmask, tmask } = bitMasks(wide ? 1 : 0, imms, immr, width);
  const source = m.get(bits(word, 5, 5), wide);
  const low = rotateRight(source, immr % width, width) & wmask;
  const sign = op === 0 && (source >> BigInt(imms)) & 1n ? ones(width) : 0n;
  m.set(word & 31, wide, (sign & ~tmask) | (low & tmask));
  return true;
}

/** Register of the second operand, shifted left. Other shifts are not used. */
function shiftedOperand(m: Machine, word: number, wide: boolean): bigint | undefined {
  if (bits(word, 22, 2) !== 0) return undefined;
  const value = m.get(bits(word, 16, 5), wide) << BigInt(bits(word, 10, 6));
  return BigInt.asUintN(widthOf(wide), value);
}

function divide(a: bigint, b: bigint): bigint {
  return b === 0n ? 0n : a / b;
}

function twoSources(m: Machine, word: number, wide: boolean): boolean {
  const width = widthOf(wide);
  const a = m.get(bits(word, 5, 5), wide);
  const b = m.get(bits(word, 16, 5), wide);
  const count = b % BigInt(width);
  const signed = (value: bigint): bigint => BigInt.asIntN(width, value);
  const results: Record<number, () => bigint> = {
    2: () => divide(a, b),
    3: () => divide(signed(a), signed(b)),
    8: () => a << count,
    9: () => a >> count,
    10: () => signed(a) >> count,
  };
  const result = results[bits(word, 10, 6)];
  if (!result) return false;
  m.set(word & 31, wide, result());
  return true;
}

/** Reverses the bytes within units of so many bytes. */
function reverse(value: bigint, width: number, unit: number): bigint {
  let result = 0n;
  for (let at = 0; at < width / 8; at++) {
    const to = at - (at % unit) + (unit - 1 - (at % unit));
    result |= ((value >> BigInt(at * 8)) & 0xffn) << BigInt(to * 8);
  }
  return result;
}

function oneSource(m: Machine, word: number, wide: boolean): boolean {
  const op = bits(word, 10, 6);
  if (op < 1 || op > (wide ? 3 : 2)) return false;
  m.set(word & 31, wide, reverse(m.get(bits(word, 5, 5), wide), widthOf(wide), 1 << op));
  return true;
}

/** True if the instruction is one of these. */
export function executeData(m: Machine, word: number): boolean {
  const wide = word >>> 31 === 1;
  const rd = word & 31;
  const rn = bits(word, 5, 5);
  const family = (mask: number, value: number): boolean => (word & mask) >>> 0 === value;
  if (family(0x1f800000, 0x11000000) || family(0x1f800000, 0x11800000)) {
    if (bits(word, 23, 1)) return false;
    const imm = BigInt(bits(word, 10, 12)) << (bits(word, 22, 1) ? 12n : 0n);
    const result = addOrSubtract(m, word, wide, m.getOrSp(rn, wide), imm);
    if (bits(word, 29, 1)) m.set(rd, wide, result);
    else m.setOrSp(rd, wide, result);
  } else if (family(0x1fc00000, 0x11400000)) {
    const result = addOrSubtract(m, word, wide, m.getOrSp(rn, wide), BigInt(bits(word, 10, 12)) << 12n);
    if (bits(word, 29, 1)) m.set(rd, wide, result);
    else m.setOrSp(rd, wide, result);
  } else if (family(0x1f800000, 0x12000000)) {
    const { wmask } = bitMasks(bits(word, 22, 1), bits(word, 10, 6), bits(word, 16, 6), widthOf(wide));
    const result = logical(m, word, wide, m.get(rn, wide), wmask);
    if (bits(word, 29, 2) === 3) m.set(rd, wide, result);
    else m.setOrSp(rd, wide, result);
  } else if (family(0x1f800000, 0x12800000)) {
    return moveWide(m, word, wide);
  } else if (family(0x1f800000, 0x13000000)) {
    return bitfield(m, word, wide);
  } else if (family(0x1f000000, 0x0a000000) || family(0x1f200000, 0x0b000000)) {
    const operand = shiftedOperand(m, word, wide);
    if (operand === undefined) return false;
    const a = m.get(rn, wide);
    if (bits(word, 24, 1)) m.set(rd, wide, addOrSubtract(m, word, wide, a, operand));
    else
      m.set(rd, wide, logical(m, word, wide, a, bits(word, 21, 1) ? BigInt.asUintN(widthOf(wide), ~operand) : operand));
  } else if (family(0x7fe00000, 0x1ac00000)) {
    return twoSources(m, word, wide);
  } else if (family(0x7fff0000, 0x5ac00000)) {
    return oneSource(m, word, wide);
  } else if (family(0x7fe00000, 0x1b000000)) {
    const product = m.get(rn, wide) * m.get(bits(word, 16, 5), wide);
    const addend = m.get(bits(word, 10, 5), wide);
    m.set(rd, wide, bits(word, 15, 1) ? addend - product : addend + product);
  } else {
    return false;
  }
  return true;
}
