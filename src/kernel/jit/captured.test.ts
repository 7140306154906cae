import { readFileSync } from 'node:fs';
import { zstdDecompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Fixture } from './fixture.ts';
import { fixtureImage, fixtureInput } from './fixture.ts';
import { jitProgram, setTailCallTarget } from './jit.ts';

const file = (name: string): Buffer => readFileSync(new URL(`../../../testdata/jit/${name}`, import.meta.url));
const { kernel, cases } = JSON.parse(file('captured.json').toString()) as Fixture;
const edges = JSON.parse(zstdDecompressSync(file('x86-64/edges.json.zst')).toString()) as Fixture;
const image = fixtureImage(kernel);
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('machine code of captured programs', () => {
  it.each(cases)('$name equals the code that Linux made', (item) => {
    const ours = jitProgram(fixtureInput(item, image));
    item.functions.forEach((f, i) => {
      if (f.bytes) expect(hex(ours[i].bytes)).toBe(f.bytes);
      expect(ours[i].address).toBe(BigInt(f.address));
    });
  });

  it('with each edge of immediates, offsets and distances equals the code that Linux made', () => {
    const edgeImage = fixtureImage(edges.kernel);
    for (const item of edges.cases) {
      const ours = jitProgram(fixtureInput(item, edgeImage)).map(({ bytes }) => hex(bytes));
      expect(ours, item.name).toEqual(item.functions.map(({ bytes }) => bytes));
    }
    expect(edges.cases.length).toBeGreaterThan(400);
  });

  it('gives every instruction its place', () => {
    for (const item of cases) {
      for (const [i, code] of jitProgram(fixtureInput(item, image)).entries()) {
        expect(code.insnOffsets).toHaveLength(item.functions[i].insns.length / 16 + 1);
        expect(code.insnOffsets.at(-1)).toBe(code.bytes.length);
        expect(code.insnOffsets).toEqual([...code.insnOffsets].sort((a, b) => a - b));
      }
    }
  });
});

describe('setTailCallTarget', () => {
  const filled = cases.filter((item) => item.pokes?.some((target) => target !== null));

  it('makes of an empty slot what a load with a filled slot gives, and back', () => {
    expect(filled.length).toBeGreaterThan(0);
    for (const item of filled) {
      const empty = jitProgram(fixtureInput({ ...item, pokes: item.pokes?.map(() => null) }, image));
      const full = jitProgram(fixtureInput(item, image));
      empty.forEach((code, i) => {
        const before = hex(code.bytes);
        const target = (index: number): bigint | undefined => {
          const address = item.pokes?.[index];
          return address ? BigInt(address) : undefined;
        };
        for (const site of code.pokes) setTailCallTarget(code, site, target(site.index), image);
        expect(hex(code.bytes)).toBe(hex(full[i].bytes));
        for (const site of code.pokes) setTailCallTarget(code, site, undefined, image);
        expect(hex(code.bytes)).toBe(before);
      });
    }
  });
});
