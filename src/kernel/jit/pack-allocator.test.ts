import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MODULES_START, PackAllocator } from './pack-allocator.ts';

describe('PackAllocator', () => {
  it('gives chunks of 64 bytes in order, the code behind its header', () => {
    const packs = new PackAllocator();
    expect(packs.allocate(40)).toBe(MODULES_START + 8n);
    expect(packs.allocate(41)).toBe(MODULES_START + 72n);
    expect(packs.allocate(20)).toBe(MODULES_START + 200n);
  });

  it('takes what was freed first', () => {
    const packs = new PackAllocator();
    const [first] = [packs.allocate(40), packs.allocate(40)];
    packs.free(first, 40);
    expect(packs.allocate(100)).toBe(MODULES_START + 136n);
    expect(packs.allocate(10)).toBe(first);
  });

  it('opens another pack when one is full, and gives large code pages of its own', () => {
    const packs = new PackAllocator();
    packs.allocate(2 << 20);
    const next = packs.allocate((2 << 20) - 100);
    expect(next).toBe(packs.allocate((2 << 20) - 100) - BigInt((2 << 20) + 4096));
  });

  it('does not give what is reserved', () => {
    const packs = new PackAllocator();
    packs.reserve(MODULES_START + 8n, 100);
    expect(packs.allocate(10)).toBe(MODULES_START + 136n);
  });

  it('never lets two pieces of code overlap', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(100_000), { maxLength: 60 }), (sizes) => {
        const packs = new PackAllocator();
        const given = sizes.map((size) => ({ at: packs.allocate(size), size: BigInt(size) }));
        given.sort((a, b) => (a.at < b.at ? -1 : 1));
        for (let i = 1; i < given.length; i++)
          expect(given[i - 1].at + given[i - 1].size + 8n).toBeLessThanOrEqual(given[i].at);
      }),
    );
  });

  it('refuses absurd sizes', () => {
    expect(() => new PackAllocator().allocate(Number.MAX_SAFE_INTEGER)).toThrow(RangeError);
    expect(() => new PackAllocator().allocate(-1)).toThrow(RangeError);
  });
});
