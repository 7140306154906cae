// Where the code of source lines begins.

/** A compiled function. */
export interface LinedFunction {
  address: bigint;
  /** Offset of the code of each of its instructions. */
  insnOffsets: readonly number[];
  /** Number of its instructions. */
  length: number;
  /** Index of its first line record; 0 of a function without records. */
  firstLine: number;
}

/**
 * Address of each line record, by the indices of the records' instructions in the whole program. Functions are gone
 * through in order, each from its first record on; one without records of its own (the hidden one) overwrites those at
 * the start, as it does in Linux.
 * rule: bpf_prog_fill_jited_linfo, 6.18
 */
export function lineAddresses(lines: readonly number[], functions: readonly LinedFunction[]): bigint[] {
  const addresses = new Array<bigint>(lines.length).fill(0n);
  if (lines.length === 0) return addresses;
  for (const { address, insnOffsets, length, firstLine } of functions) {
    const start = lines[firstLine];
    addresses[firstLine] = address;
    for (let k = firstLine + 1; k < lines.length && lines[k] < start + length; k++) {
      addresses[k] = address + BigInt(insnOffsets[lines[k] - start]);
    }
  }
  return addresses;
}
