import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { coerceToSize, coerceToSizeSx, regBoundsSanityCheck, regBoundsSync, zeroExtend32 } from './bounds.ts';
import { coerceSubregToSizeSx } from './bounds-cast.ts';
import { narrowToS32Range } from './bounds-sync.ts';
import { regStateStr } from './print-state.ts';
import { isRegConst, markReg32Known, markRegKnown, regConst } from './scalar-marks.ts';
import { constReg, testEnv, unknownReg } from './test-env.ts';
import { admits, u64, valueInReg } from './test-ranges.ts';
import { type FuncState, type RegState, S64_MIN } from './types.ts';

const text = (reg: RegState): string => regStateStr({ frameno: 0 } as FuncState, reg);

describe('regBoundsSync', () => {
  it('never loses a possible value, and contradicts itself never', () => {
    fc.assert(
      fc.property(valueInReg, ({ v, reg }) => {
        regBoundsSync(reg);
        expect(admits(reg, v)).toBe(true);
        const env = testEnv();
        expect(regBoundsSanityCheck(env, reg, 'test')).toBe(0);
        expect(env.log.endPos).toBe(0);
      }),
      { numRuns: 2000 },
    );
  });

  it('leaves a constant and an unknown number as they are', () => {
    const unknown = unknownReg();
    regBoundsSync(unknown);
    expect(unknown).toEqual(unknownReg());
    const constant = constReg(-7n);
    regBoundsSync(constant);
    expect(constant).toEqual(constReg(-7n));
  });

  it('learns the low half of a constant', () => {
    const reg = constReg(0x1_8000_0000n);
    reg.u32min = 0;
    reg.u32max = 0xffffffff;
    reg.s32min = -0x80000000;
    reg.s32max = 0x7fffffff;
    regBoundsSync(reg);
    expect(reg).toEqual(constReg(0x1_8000_0000n));
  });

  const learned: [string, (reg: RegState) => void, string][] = [
    [
      'unsigned range gives all others',
      (r) => {
        r.umax = 255n;
      },
      'scalar(smin=smin32=0,smax=umax=smax32=umax32=255,var_off=(0x0; 0xff))',
    ],
    [
      'a signed range around zero fixes no bit',
      (r) => {
        r.smin = -5n;
        r.smax = 5n;
      },
      'scalar(smin=smin32=-5,smax=smax32=5)',
    ],
    [
      'unsigned range that meets one end of the signed one',
      (r) => {
        r.smin = -5n;
        r.smax = 100n;
        r.umax = 1000n;
      },
      'scalar(smin=smin32=0,smax=umax=smax32=umax32=100,var_off=(0x0; 0x7f))',
    ],
    [
      'unsigned range that meets the negative end',
      (r) => {
        r.smin = -5n;
        r.smax = 100n;
        r.umin = 1000n;
      },
      'scalar(smin=smin32=-5,smax=smax32=-1,umin=0xfffffffffffffffb,umin32=0xfffffffb,var_off=(0xfffffffffffffff8; 0x7))',
    ],
    [
      'known bits and a range with one common value',
      (r) => {
        r.varOff = { value: 0n, mask: 0xf0n };
        r.umin = 0x25n;
        r.umax = 0x3fn;
      },
      '48',
    ],
    [
      'a sign-extended value whose low half is positive',
      (r) => {
        r.smin = -0x80000000n;
        r.smax = 0x7fffffffn;
        r.s32min = 1;
      },
      'scalar(smin=umin=smin32=umin32=1,smax=umax=umax32=0x7fffffff,var_off=(0x0; 0x7fffffff))',
    ],
  ];
  it.each(learned)('%s', (_name, know, expected) => {
    const reg = unknownReg();
    know(reg);
    regBoundsSync(reg);
    expect(text(reg)).toBe(expected);
  });
});

describe('casts', () => {
  const check = (cut: (reg: RegState) => void, exact: (v: bigint) => bigint): void => {
    fc.assert(
      fc.property(valueInReg, ({ v, reg }) => {
        regBoundsSync(reg);
        cut(reg);
        regBoundsSync(reg);
        expect(admits(reg, u64(exact(v)))).toBe(true);
      }),
      { numRuns: 500 },
    );
  };

  it.each([1, 2, 4])('zero extension of %i bytes keeps every value', (bytes) => {
    check(
      (reg) => coerceToSize(reg, bytes),
      (v) => BigInt.asUintN(bytes * 8, v),
    );
  });

  it.each([1, 2, 4])('sign extension of %i bytes keeps every value', (bytes) => {
    check(
      (reg) => coerceToSizeSx(reg, bytes),
      (v) => BigInt.asIntN(bytes * 8, v),
    );
  });

  it.each([1, 2])('sign extension of %i bytes to 32 bits keeps every value', (bytes) => {
    check(
      (reg) => {
        coerceSubregToSizeSx(reg, bytes);
        zeroExtend32(reg);
      },
      (v) => BigInt.asUintN(32, BigInt.asIntN(bytes * 8, v)),
    );
  });

  it('a byte that is sign-extended has the range of a signed byte', () => {
    const reg = unknownReg();
    coerceToSizeSx(reg, 1);
    expect(text(reg)).toBe('scalar(smin=smin32=-128,smax=smax32=127)');
  });

  it('the upper half becomes zero where the low half is not known', () => {
    const reg = unknownReg();
    zeroExtend32(reg);
    regBoundsSync(reg);
    expect(text(reg)).toBe('scalar(smin=0,smax=umax=0xffffffff,var_off=(0x0; 0xffffffff))');
  });
});

describe('regBoundsSanityCheck', () => {
  it('reports contradicting bounds and forgets them', () => {
    const env = testEnv();
    const reg = unknownReg();
    reg.umin = 5n;
    reg.umax = 4n;
    expect(regBoundsSanityCheck(env, reg, 'true_reg1')).toBe(0);
    expect(env.log.text()).toBe(
      'verifier bug: REG INVARIANTS VIOLATION (true_reg1): range bounds violation u64=[0x5, 0x4] ' +
        's64=[0x8000000000000000, 0x7fffffffffffffff] u32=[0x0, 0xffffffff] s32=[0x80000000, 0x7fffffff] ' +
        'var_off=(0x0, 0xffffffffffffffff)\n',
    );
    expect(reg).toEqual(unknownReg());
  });

  it('names a constant whose bounds say something else', () => {
    const env = testEnv();
    const reg = constReg(3n);
    reg.smax = 4n;
    regBoundsSanityCheck(env, reg, 'alu');
    expect(env.log.text()).toContain('(alu): const tnum out of sync with range bounds u64=[0x3, 0x3]');
  });

  it('names a constant low half whose bounds say something else', () => {
    const env = testEnv();
    const reg = unknownReg();
    markReg32Known(reg, 3);
    reg.u32max = 4;
    regBoundsSanityCheck(env, reg, 'alu');
    expect(env.log.text()).toContain('const subreg tnum out of sync with range bounds');
  });

  it('refuses contradictions where the load asks for it', () => {
    const env = testEnv();
    env.testRegInvariants = true;
    const reg = unknownReg();
    reg.s32min = 1;
    reg.s32max = 0;
    expect(regBoundsSanityCheck(env, reg, 'alu')).toBe(-14);
  });
});

describe('constants', () => {
  it('a constant clears what the register referred to', () => {
    const reg = unknownReg();
    reg.id = 4;
    reg.off = 8;
    reg.memSize = 16;
    markRegKnown(reg, S64_MIN);
    expect([reg.id, reg.off, reg.memSize, reg.umin, reg.smin]).toEqual([0, 0, 0, 1n << 63n, S64_MIN]);
    expect(isRegConst(reg)).toBe(true);
  });

  it('a known low half is a constant for 32-bit comparisons only', () => {
    const reg = unknownReg();
    markReg32Known(reg, -1);
    expect([isRegConst(reg), isRegConst(reg, true), regConst(reg, true)]).toEqual([false, true, 0xffffffffn]);
  });

  it('a signed 32-bit range bounds the whole value', () => {
    const reg = unknownReg();
    expect(narrowToS32Range(testEnv(), reg, 0, 1)).toBe(0);
    expect(text(reg)).toBe('scalar(smin=smin32=0,smax=umax=smax32=umax32=1,var_off=(0x0; 0x1))');
  });
});
