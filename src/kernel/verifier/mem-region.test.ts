import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ERRNO } from '../../errno.ts';
import { checkPtrAlignment } from './alignment.ts';
import { regBoundsSync } from './bounds.ts';
import type { VerifierEnv } from './env.ts';
import { checkMemRegionAccess, checkPtrOffset } from './mem-region.ts';
import { testEnv } from './test-env.ts';
import { valueInReg } from './test-ranges.ts';
import { REG, type RegState } from './types.ts';

/** An environment whose R1 points somewhere, by an offset of which `scalar` tells what is known. */
function pointing(type: number, scalar: RegState): VerifierEnv {
  const env = testEnv();
  regBoundsSync(scalar);
  env.regs[1].copy(scalar);
  env.regs[1].type = type;
  return env;
}

const offset = fc.integer({ min: -64, max: 64 });
const size = fc.constantFrom(1, 2, 4, 8);

describe('checkMemRegionAccess', () => {
  it('lets nothing pass that could lie outside', () => {
    let passed = 0;
    fc.assert(
      fc.property(valueInReg, offset, size, fc.nat(512), ({ v, reg }, off, bytes, memory) => {
        const env = pointing(REG.MAP_VALUE, reg);
        const err = checkMemRegionAccess(env, 1, off, bytes, memory, false);
        if (err !== 0) {
          expect(err).toBe(-ERRNO.EACCES);
          expect(env.log.endPos).toBeGreaterThan(0);
          return;
        }
        passed++;
        const at = BigInt.asIntN(64, v) + BigInt(off);
        expect(at).toBeGreaterThanOrEqual(0n);
        expect(at + BigInt(bytes)).toBeLessThanOrEqual(BigInt(memory));
      }),
      { numRuns: 3000, seed: 7 },
    );
    expect(passed).toBeGreaterThan(50);
  });

  it('lets an empty access pass only where it may be empty', () => {
    const at = (zeroSizeAllowed: boolean): number =>
      checkMemRegionAccess(pointing(REG.MEM, testEnv().regs[10]), 1, 8, 0, 8, zeroSizeAllowed);
    expect(at(true)).toBe(0);
    expect(at(false)).toBe(-ERRNO.EACCES);
  });

  const names: [number, string][] = [
    [REG.MAP_KEY, 'invalid access to map key, key_size=4 off=2 size=4'],
    [REG.MAP_VALUE, 'invalid access to map value, value_size=4 off=2 size=4'],
    [REG.PACKET, 'invalid access to packet, off=2 size=4, R1(id=0,off=2,r=4)'],
    [REG.MEM, 'invalid access to memory, mem_size=4 off=2 size=4'],
  ];
  it.each(names)('names the memory of register type %i', (type, text) => {
    const env = pointing(type, testEnv().regs[10]);
    expect(checkMemRegionAccess(env, 1, 2, 4, 4, false)).toBe(-ERRNO.EACCES);
    expect(env.log.finish()).toBe(`${text}\nR1 min value is outside of the allowed memory range\n`);
  });
});

describe('checkPtrAlignment', () => {
  it('lets nothing pass that could be misaligned, where it is strict', () => {
    let passed = 0;
    fc.assert(
      fc.property(valueInReg, offset, size, offset, ({ v, reg }, off, bytes, fixed) => {
        const env = pointing(REG.MAP_VALUE, reg);
        env.regs[1].off = fixed;
        if (checkPtrAlignment(env, env.regs[1], off, bytes, true) !== 0) return;
        passed++;
        expect((BigInt.asIntN(64, v) + BigInt(off + fixed)) % BigInt(bytes)).toBe(0n);
      }),
      { numRuns: 2000, seed: 7 },
    );
    expect(passed).toBeGreaterThan(50);
  });

  it('is strict with the stack only, unless the program asks for more', () => {
    const misaligned = (type: number, strict: boolean): number => {
      const env = pointing(type, testEnv().regs[10]);
      env.strictAlignment = strict;
      return checkPtrAlignment(env, env.regs[1], 3, 4, false);
    };
    expect(misaligned(REG.STACK, false)).toBe(-ERRNO.EACCES);
    expect(misaligned(REG.MAP_VALUE, false)).toBe(0);
    expect(misaligned(REG.MAP_VALUE, true)).toBe(-ERRNO.EACCES);
    expect(misaligned(REG.ARENA, true)).toBe(0);
  });

  it('counts the two bytes by which packets are off', () => {
    const env = pointing(REG.PACKET, testEnv().regs[10]);
    env.strictAlignment = true;
    expect(checkPtrAlignment(env, env.regs[1], 14, 4, false)).toBe(0);
    expect(checkPtrAlignment(env, env.regs[1], 12, 4, false)).toBe(-ERRNO.EACCES);
  });
});

describe('checkPtrOffset', () => {
  const plain = (change: (reg: RegState) => unknown): [number, string] => {
    const env = pointing(REG.CTX, testEnv().regs[10]);
    change(env.regs[1]);
    return [checkPtrOffset(env, env.regs[1], 1), env.log.finish()];
  };
  it('takes a pointer that was not moved', () => {
    expect(plain(() => undefined)).toEqual([0, '']);
  });
  it('says in which way a pointer was moved', () => {
    expect(plain((reg) => Object.assign(reg, { off: -4 }))).toEqual([
      -ERRNO.EACCES,
      'negative offset ctx ptr R1 off=-4 disallowed\n',
    ]);
    expect(plain((reg) => Object.assign(reg, { off: 4 }))).toEqual([
      -ERRNO.EACCES,
      'dereference of modified ctx ptr R1 off=4 disallowed\n',
    ]);
    expect(plain((reg) => Object.assign(reg, { varOff: { value: 0n, mask: 12n } }))).toEqual([
      -ERRNO.EACCES,
      'variable ctx access var_off=(0x0; 0xc) disallowed\n',
    ]);
  });
});
