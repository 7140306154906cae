// A small seeded random source, so that a run can be repeated.

export interface Random {
  /** An integer in [0, n). */
  below(n: number): number;
}

/** xorshift32; the seed 0 counts as 1. */
export function randomSource(seed: number): Random {
  let x = seed >>> 0 || 1;
  return {
    below(n) {
      x ^= x << 13;
      x ^= x >>> 17;
      x ^= x << 5;
      return (x >>> 0) % n;
    },
  };
}
