// Numbers for generated test programs: the same seed gives the same ones.

/** Values that machine code treats in a way of their own: the edges of every immediate field. */
export const EDGES: readonly number[] = [
  0, 1, -1, 2, -2, 7, 8, 15, 16, 31, 32, 63, 255, 256, 0xfff, 0x1000, 0x1001, -0xfff, -0x1000, -0x1001, 0x7fff, 0x8000,
  -0x8000, 0xffff, 0x10000, 0x10001, -0x10000, -0x10001, 0xfff000, 0xfff001, 0x1000000, -0xfff000, -0x1000000,
  0x7fff0000, 0x7fffffff, -0x80000000, -0x7fffffff, 0x55555555, 0x33333333, 0x0f0f0f0f, 0x00ff00ff, 0x01010101,
  0x12345678, -0x12345678, 0x1234ffff, -0x12350000, 0x7e000000, 0x003ffc00, -0x3fc01,
];

/** Source of numbers, by George Marsaglia's xorshift. */
export class Random {
  private state: number;

  constructor(seed: number) {
    this.state = (Math.imul(seed, 0x9e3779b1) ^ 0x5bd1e995) | 1;
    for (let i = 0; i < 4; i++) this.u32();
  }

  u32(): number {
    let x = this.state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.state = x;
    return x >>> 0;
  }

  /** 0 … n - 1 */
  below(n: number): number {
    return this.u32() % n;
  }

  /** One in n times. */
  oneIn(n: number): boolean {
    return this.below(n) === 0;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)];
  }

  /** Signed 32-bit number: an edge, a small one, or any. */
  imm(): number {
    switch (this.below(4)) {
      case 0:
        return this.u32() | 0;
      case 1:
        return this.below(512) - 256;
      default:
        return this.pick(EDGES);
    }
  }

  /** Signed 16-bit number. */
  off(): number {
    return this.oneIn(3)
      ? (this.u32() << 16) >> 16
      : this.pick([0, 1, -1, 4, 8, -8, -16, 0xff8, 0x7ff8, 0x7fff, -0x8000]);
  }
}
