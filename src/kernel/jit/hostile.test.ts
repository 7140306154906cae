import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SysError } from '../../errno.ts';
import type { Insn } from '../../isa/insn.ts';
import { insn } from '../../isa/insn.ts';
import { fixtureImage, PLAIN_CPU, plainFunction } from './fixture.ts';
import type { JitInput } from './jit.ts';
import { jitProgram } from './jit.ts';

const image = fixtureImage({
  release: '6.18',
  cpu: PLAIN_CPU,
  symbols: { __bpf_call_base: '0xffffffff81000000', this_cpu_off: '0xffffffff82000000' },
});

const program = (functions: Insn[][], more: Partial<JitInput> = {}): JitInput => ({
  image,
  functions: functions.map((insns, i) => plainFunction(insns, { isSubprog: i > 0 })),
  ...more,
});

const EXIT = insn(0x95);

describe('instructions that no verifier lets through', () => {
  it.each([
    ['an unknown opcode', [insn(0xdf)]],
    ['a call without target', [insn(0x85)]],
    ['a call out of reach', [insn(0x85, 0, 0, 0, -0x80000000)]],
    ['a jump out of the function', [insn(0x05, 0, 0, 5)]],
    ['a jump before the function', [insn(0x05, 0, 0, -5)]],
    ['half a 64-bit constant', [insn(0x18)]],
    ['a register that there is not', [insn(0xbf, 12, 0)]],
    ['a tail call without entry', [insn(0xf5, 0, 0, 0, 1)]],
    ['an atomic operation on a byte', [insn(0xd3, 10, 1, -8, 0)]],
    ['an unknown atomic operation', [insn(0xdb, 10, 1, -8, 0x33)]],
  ])('%s is given up with ENOTSUPP', (_, insns) => {
    expect(() => jitProgram(program([insns]))).toThrow(expect.objectContaining({ errno: 524 }));
  });

  it('a call of a function that there is not is given up', () => {
    expect(() => jitProgram(program([[insn(0x85, 0, 1, 7), EXIT], [EXIT]]))).toThrow(SysError);
  });

  it('anything at all gives code or a SysError', () => {
    const any = fc.record({
      code: fc.nat(255),
      dst: fc.nat(15),
      src: fc.nat(15),
      off: fc.integer({ min: -0x8000, max: 0x7fff }),
      imm: fc.integer(),
    });
    fc.assert(
      fc.property(fc.array(any, { maxLength: 20 }), fc.boolean(), (insns, blinding) => {
        try {
          jitProgram(program([insns, [EXIT]], { blinding, random: () => 7 }));
        } catch (error) {
          expect(error).toBeInstanceOf(SysError);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('blinding', () => {
  it('keeps the offsets of the instructions that were given', () => {
    const insns = [insn(0xb7, 0, 0, 0, 5), insn(0x07, 0, 0, 0, 1000), EXIT];
    const [plain] = jitProgram(program([insns]));
    const [blinded] = jitProgram(program([insns], { blinding: true, random: () => 0x12345678 }));
    expect(blinded.insnOffsets).toHaveLength(plain.insnOffsets.length);
    // mov r10,imm32 6 bytes; xor r10,imm32 7 bytes; mov or add with r10 3 bytes
    expect(blinded.insnOffsets).toEqual([12, 28, 44, 46]);
  });
});
