import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ERRNO, SysError } from '../../../errno.ts';
import { decodeInsns, type Insn, insn, LDIMM64 } from '../../../isa/insn.ts';
import { ATOMIC, CLASS, JMP, MODE, SIZE } from '../../../isa/opcode.ts';
import { callFunction, exit, goto, movImm } from '../../rewrite/build.ts';
import { testProgram } from '../../run/test-programs.ts';
import { plainFunction } from '../fixture.ts';
import type { JitInput, JitOutput } from '../jit.ts';
import { jitProgram } from '../jit.ts';
import { ARM64_DEFAULTS, type Arm64Settings } from './settings.ts';
import { Random } from './testing/random.ts';
import { compileTestProgram, runCompiled, runInterpreted } from './testing/run-program.ts';
import { testImage } from './testing/test-image.ts';

const compile = (insns: Insn[], settings: Partial<Arm64Settings> = {}, more: Partial<JitInput> = {}): JitOutput[] =>
  jitProgram({ functions: [plainFunction(insns)], image: testImage({ ...ARM64_DEFAULTS, ...settings }), ...more });

/** Error number that compiling ends with. */
function errnoOf(insns: Insn[], settings: Partial<Arm64Settings> = {}, more: Partial<JitInput> = {}): number {
  try {
    compile(insns, settings, more);
    return 0;
  } catch (error) {
    expect(error).toBeInstanceOf(SysError);
    return (error as SysError).errno;
  }
}

describe('jitProgram', () => {
  it('compiles for the machine of the image, or for the one asked for', () => {
    const image = testImage();
    const code = (more: Partial<JitInput>): Uint8Array =>
      jitProgram({ functions: [plainFunction([exit()])], image, ...more })[0].bytes;
    const x86 = { ...image, machine: 'x86_64' };
    expect(code({ image: x86, arch: 'arm64' })).toEqual(code({}));
    expect(code({ arch: 'x86-64' })).toEqual(code({ image: x86 }));
    expect(code({ arch: 'x86-64' })).not.toEqual(code({}));
  });

  it('gives each instruction its place', () => {
    const [{ bytes, insnOffsets }] = compile([movImm(0, 0x12345678), insn(LDIMM64, 1, 0, 0, 1), insn(0), exit()]);
    const start = insnOffsets[0];
    expect(insnOffsets).toEqual([start, start + 8, start + 12, start + 12, start + 12]);
    expect(bytes.length).toBeGreaterThan(start + 12);
  });

  it('counts the word before a function with CFI to the places, but not to the code', () => {
    const [plain] = compile([exit()]);
    const [hashed] = compile([exit()], { cfi: true });
    expect(hashed.address).toBe(plain.address + 4n);
    expect(hashed.insnOffsets).toEqual(plain.insnOffsets.map((n) => n + 4));
    expect(Buffer.from(hashed.bytes).subarray(0, 12)).toEqual(Buffer.from(plain.bytes).subarray(0, 12));
  });

  it('calls functions that are too far away through a register', () => {
    const main = [callFunction(0), exit()];
    main[0].off = 1;
    const functions = [plainFunction(main), plainFunction([exit()], { isSubprog: true })];
    const lengths = [0x1000n, 0x7f00000n, 0x8100000n].map((distance) => {
      let next = 0xffff800080000000n;
      const allocate = (): bigint => {
        const at = next;
        next += distance;
        return at;
      };
      const [start, end] = jitProgram({ functions, image: testImage(), allocate })[0].insnOffsets;
      return end - start;
    });
    expect(lengths).toEqual([8, 8, 20]);
  });

  it('leaves programs with blinded constants what they were', () => {
    const random = new Random(7);
    for (let seed = 1; seed < 40; seed++) {
      const program = testProgram(seed, 0);
      const blinded = compileTestProgram(program, ARM64_DEFAULTS, { blinding: true, random: () => random.u32() });
      const plain = compileTestProgram(program, ARM64_DEFAULTS);
      expect(blinded[0].bytes.length).toBeGreaterThan(plain[0].bytes.length);
      expect(runCompiled(program, blinded)).toEqual(runInterpreted(program));
    }
  });
});

describe('what cannot be compiled', () => {
  const unsupported: readonly (readonly [string, Insn[]])[] = [
    ['an unknown opcode', [insn(0xe5), exit()]],
    ['an operation that only the verifier knows', [insn(CLASS.JMP | JMP.JCOND), exit()]],
    ['a register that is none', [movImm(12, 0), exit()]],
    ['half a 64-bit constant', [insn(LDIMM64)]],
    ['a jump out of the function', [goto(5), exit()]],
    ['a jump before the function', [goto(-3), exit()]],
    ['an atomic operation that is none', [insn(CLASS.STX | MODE.ATOMIC | SIZE.DW, 1, 2, 0, 0x33), exit()]],
    ['a shift beyond the register', [insn(CLASS.ALU64 | 0x60, 1, 0, 0, 64), exit()]],
    ['a jump that does not reach', [insn(0x15, 1, 0, 32000, 0), ...Array.from({ length: 32001 }, farAway), exit()]],
  ];

  /** As much code as a single instruction makes. */
  function farAway(): Insn {
    return insn(CLASS.JMP | JMP.TAIL_CALL);
  }

  it.each(unsupported)('%s is not supported', (_, insns) => {
    expect(errnoOf(insns)).toBe(ERRNO.ENOTSUPP);
  });

  it('exclusive access to an arena is not supported', () => {
    const insns = [insn(CLASS.STX | MODE.PROBE_ATOMIC | SIZE.DW, 1, 2, 0, ATOMIC.ADD), exit()];
    expect(errnoOf(insns, { lse: false })).toBe(ERRNO.ENOTSUPP);
    expect(errnoOf(insns)).toBe(0);
  });

  it('blinding needs keys, functions need each other', () => {
    expect(errnoOf([exit()], {}, { blinding: true })).toBe(ERRNO.ENOTSUPP);
    const call = [callFunction(0), exit()];
    call[0].off = 7;
    const functions = [plainFunction(call), plainFunction([exit()], { isSubprog: true })];
    expect(errnoOf([], {}, { functions })).toBe(ERRNO.ENOTSUPP);
  });

  it('of any bytes, an error tells so', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 160 }), fc.boolean(), (bytes, lse) => {
        expect([0, ERRNO.ENOTSUPP]).toContain(errnoOf(decodeInsns(bytes), { lse }));
      }),
    );
  });
});
