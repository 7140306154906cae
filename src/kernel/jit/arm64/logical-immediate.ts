// Constants that the logical instructions of arm64 can carry: a run of ones, rotated, and repeated to fill the register.

/** Number of ones. */
function popcount(value: bigint): number {
  let count = 0;
  for (let left = value; left !== 0n; left &= left - 1n) count++;
  return count;
}

/** Number of the lowest bit set. */
function lowestBit(value: bigint): number {
  let bit = 0;
  while (((value >> BigInt(bit)) & 1n) === 0n) bit++;
  return bit;
}

/** True of one run of ones. */
function isRun(value: bigint): boolean {
  const low = value >> BigInt(lowestBit(value));
  return (low & (low + 1n)) === 0n;
}

/** Length of the shortest pattern, a power of two of at least 2, that repeats to `value` of `bits` bits. */
function period(value: bigint, bits: number): number {
  let length = bits;
  for (let half = bits / 2; half >= 2; half /= 2) {
    const mask = (1n << BigInt(half)) - 1n;
    if ((value & mask) !== ((value >> BigInt(half)) & mask)) break;
    length = half;
  }
  return length;
}

/**
 * The fields N, immr and imms of a constant, in place; undefined where there are none for it. `value` is unsigned and
 * has 32 or 64 bits. rule: aarch64_encode_immediate, 6.18
 */
export function logicalImmediate(value: bigint, wide: boolean): number | undefined {
  const bits = wide ? 64 : 32;
  if (value === 0n || value === (1n << BigInt(bits)) - 1n || value >> BigInt(bits) !== 0n) return undefined;
  const length = period(value, bits);
  const mask = (1n << BigInt(length)) - 1n;
  const pattern = value & mask;
  const zeros = ~pattern & mask;
  let rotation: number;
  if (isRun(pattern)) rotation = lowestBit(pattern);
  else if (isRun(zeros)) rotation = zeros.toString(2).length;
  else return undefined;
  const immr = (length - rotation) % length;
  // Ones above the length say how long the pattern is.
  const imms = (~(2 * length - 1) | (popcount(pattern) - 1)) & 63;
  return ((length === 64 ? 1 : 0) << 22) | (immr << 16) | (imms << 10);
}
