// Random numbers that can be repeated.

export interface RandomSource {
  /** 64 random bits, unsigned. */
  next(): bigint;
}

/** splitmix64 */
export function randomSource64(seed: bigint): RandomSource {
  let state = seed;
  return {
    next() {
      state = BigInt.asUintN(64, state + 0x9e3779b97f4a7c15n);
      let z = state;
      z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n);
      z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d049bb133111ebn);
      return z ^ (z >> 31n);
    },
  };
}
