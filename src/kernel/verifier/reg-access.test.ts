import { describe, expect, it } from 'vitest';
import { type Insn, insn } from '../../isa/insn.ts';
import { checkRegArg, insnDefRegno, insnHasDef32, isReg64 } from './reg-access.ts';
import { constReg, testEnv } from './test-env.ts';
import { FP, REG, RegState } from './types.ts';

const MOV64 = 0xbf;
const MOV32 = 0xbc;

describe('checkRegArg', () => {
  const envAt = (at: Insn) => testEnv({ insns: [at] });

  it('refuses registers that do not exist, are not set, or are read only', () => {
    const env = envAt(insn(MOV64, 1, 2));
    expect([checkRegArg(env, 11, 'src'), checkRegArg(env, 3, 'src'), checkRegArg(env, FP, 'dst')]).toEqual([
      -22, -13, -13,
    ]);
    expect(env.log.text()).toBe('R11 is invalid\nR3 !read_ok\nframe pointer is read only\n');
  });

  it('a written register becomes unknown unless only checked', () => {
    const env = envAt(insn(MOV64, 1, 2));
    env.regs[1].copy(constReg(5n));
    expect(checkRegArg(env, 1, 'dst-no-mark')).toBe(0);
    expect(env.regs[1].umax).toBe(5n);
    checkRegArg(env, 1, 'dst');
    expect([env.regs[1].type, env.regs[1].umin]).toEqual([REG.SCALAR, 0n]);
    expect(env.scratchedRegs).toBe(1 << 1);
  });

  it('reading the whole of a low half asks its writer to clear the rest', () => {
    const env = testEnv({ insns: [insn(MOV32, 1, 2), insn(MOV64, 3, 1)] });
    env.regs[1].copy(constReg(5n));
    checkRegArg(env, 1, 'dst-no-mark');
    expect(env.regs[1].subregDef).toBe(1);
    env.insnIdx = 1;
    checkRegArg(env, 1, 'src');
    expect([env.aux[0].zextDst, env.regs[1].subregDef]).toEqual([true, 0]);
  });

  it('the low half read as such asks nothing', () => {
    const env = testEnv({ insns: [insn(MOV32, 1, 2), insn(MOV32, 3, 1)] });
    env.regs[1].copy(constReg(5n));
    checkRegArg(env, 1, 'dst-no-mark');
    env.insnIdx = 1;
    checkRegArg(env, 1, 'src');
    expect(env.aux[0].zextDst).toBe(false);
  });
});

describe('isReg64', () => {
  const scalar = constReg(0n);
  const pointer = Object.assign(new RegState(), { type: REG.STACK });
  const cases: [string, Insn, RegState | undefined, 'src' | 'dst', boolean][] = [
    ['exit', insn(0x95), scalar, 'src', true],
    ['argument of a helper', insn(0x85, 0, 0, 0, 1), scalar, 'src', true],
    ['argument of a function of the program', insn(0x85, 0, 1, 0, 1), scalar, 'src', false],
    ['result of a helper', insn(0x85, 0, 0, 0, 1), scalar, 'dst', false],
    ['64-bit arithmetic', insn(0x0f), scalar, 'dst', true],
    ['swap of 16 bits', insn(0xd7, 1, 0, 0, 16), scalar, 'dst', false],
    ['swap of 64 bits', insn(0xdc, 1, 0, 0, 64), scalar, 'dst', true],
    ['32-bit arithmetic', insn(0x0c), scalar, 'src', false],
    ['32-bit jump', insn(0x1e), scalar, 'src', false],
    ['address of a load', insn(0x61, 1, 2), pointer, 'src', true],
    ['result of a 4-byte load', insn(0x61, 1, 2), scalar, 'dst', false],
    ['result of a sign-extending load', insn(0x81, 1, 2), scalar, 'dst', true],
    ['stored low half', insn(0x63, 1, 2), scalar, 'src', false],
    ['address of a store', insn(0x63, 1, 2), pointer, 'src', true],
    ['stored whole', insn(0x7b, 1, 2), scalar, 'src', true],
    ['64-bit constant', insn(0x18, 1), scalar, 'dst', true],
    ['result of a packet load', insn(0x20), scalar, 'dst', false],
    ['index of a packet load', insn(0x40, 0, 2), scalar, 'src', true],
    ['address of a store of a constant', insn(0x62, 1), pointer, 'src', true],
  ];
  it.each(cases)('%s', (_name, at, reg, access, expected) => {
    expect(isReg64(at, reg, access)).toBe(expected);
  });

  it('the register that an instruction defines', () => {
    const found = [
      insn(0x05),
      insn(0x62, 1),
      insn(0x63, 1, 2),
      insn(0xdb, 1, 2, 0, 0xf1),
      insn(0xc3, 1, 2, 0, 0x100),
      insn(0xc3, 1, 2, 0, 0x01),
      insn(0xc3, 1, 2, 0, 0x00),
      insn(0xb4, 4),
    ];
    expect(found.map(insnDefRegno)).toEqual([-1, -1, -1, 0, 1, 2, -1, 4]);
    expect(found.map(insnHasDef32)).toEqual([false, false, false, false, true, true, false, true]);
  });
});
