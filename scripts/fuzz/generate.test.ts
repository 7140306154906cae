import { describe, expect, it } from 'vitest';
import { decodeInsns } from '../../src/isa/insn.ts';
import { Assembler } from './asm.ts';
import { generate } from './generate.ts';
import { mutate } from './mutate.ts';
import { Rng } from './rng.ts';
import { asCase } from './save-case.ts';
import { shrink } from './shrink.ts';
import { WORLD_MAPS } from './world.ts';

const XOR_IMM = 0xa7;
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('generated programs', () => {
  it('are the same for the same seed', () => {
    for (const seed of [1, 77, 123_456_789]) expect(generate(seed)).toEqual(generate(seed));
  });

  it('are of more than twenty types and name only maps of the world', () => {
    const types = new Set<string>();
    for (let seed = 1; seed <= 400; seed++) {
      const program = generate(seed);
      types.add(program.type);
      expect(program.insns.length).toBeGreaterThan(0);
      const maps = asCase(program, 'x').maps as unknown[] | undefined;
      expect(maps?.length ?? 0).toBeLessThanOrEqual(WORLD_MAPS.length);
    }
    expect(types.size).toBeGreaterThan(20);
  });

  it('keep their length when they are damaged', () => {
    for (let seed = 1; seed <= 100; seed++) {
      const { insns } = generate(seed);
      expect(mutate(new Rng(seed), insns, 4)).toHaveLength(insns.length);
    }
  });
});

describe('making a program small', () => {
  it('leaves only what the difference needs, with jumps that still lead to the same place', () => {
    const asm = new Assembler();
    const end = asm.label();
    asm.movImm(0, 1);
    asm.jumpImm(0x10, 0, 5, end);
    for (let i = 0; i < 20; i++) asm.movImm(1 + (i % 5), i);
    asm.aluImm(0xa0, 3, 7);
    asm.place(end);
    asm.exit();
    const program = { ...generate(1), insns: asm.finish(), funcs: undefined, lines: undefined };
    const has = (code: number, insns: Uint8Array): boolean => decodeInsns(insns).some((x) => x.code === code);
    const small = shrink(program, ({ insns }) => has(XOR_IMM, insns) && has(0x15, insns));
    // if r0 == 0 goto +1; r3 ^= 0
    expect(hex(small.insns)).toBe('1500010000000000a703000000000000');
  });
});
