import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Insn, insn } from '../../isa/insn.ts';
import { ALU, CLASS, SRC } from '../../isa/opcode.ts';
import { checkAluOp } from './alu.ts';
import { foldConstants } from './alu-constants.ts';
import { addScalar, andScalar, mulScalar, orScalar, subScalar, xorScalar } from './alu-ranges.ts';
import { adjustScalar } from './alu-scalar.ts';
import { arsh32, arsh64, byteSwap, lsh32, lsh64, rsh32, rsh64 } from './alu-shifts.ts';
import { regBoundsSync, zeroExtend32 } from './bounds.ts';
import { constReg, testEnv, unknownReg } from './test-env.ts';
import { admits, anyValue, u64, valueInReg } from './test-ranges.ts';
import { ADD_CONST32, ADD_CONST64, REG, type RegState } from './types.ts';

const BINARY = [ALU.ADD, ALU.SUB, ALU.MUL, ALU.OR, ALU.AND, ALU.XOR];
const SHIFTS = [ALU.LSH, ALU.RSH, ALU.ARSH];
const WIDTHS = [CLASS.ALU, CLASS.ALU64];
const nameOf = (op: number): string => Object.entries(ALU).find(([, n]) => n === op)?.[0] ?? '';

/** r1 op= r2 */
const binary = (width: number, op: number): Insn => insn(width | op | SRC.X, 1, 2);

describe('ranges', () => {
  const env = testEnv();
  const all = WIDTHS.flatMap((width) =>
    [...BINARY, ...SHIFTS].map((op) => [`${width === CLASS.ALU64 ? 64 : 32} ${nameOf(op)}`, width, op] as const),
  );
  it.each(all)('%s admits the result of every value', (_name, width, op) => {
    const at = binary(width, op);
    fc.assert(
      fc.property(valueInReg, valueInReg, fc.integer({ min: 0, max: 31 }), (a, b, shift) => {
        // A mask of a known -1..0 forks the path, which is tested apart.
        regBoundsSync(a.reg);
        regBoundsSync(b.reg);
        fc.pre(!(a.reg.smax === 0n && a.reg.smin === -1n) && !(a.reg.s32max === 0 && a.reg.s32min === -1));
        const isShift = (SHIFTS as readonly number[]).includes(op);
        const src = isShift ? constReg(BigInt(shift)) : b.reg;
        expect(adjustScalar(env, at, a.reg, src)).toBe(0);
        expect(admits(a.reg, foldConstants(at, a.v, isShift ? BigInt(shift) : b.v))).toBe(true);
      }),
      { numRuns: 150 },
    );
  });

  it.each([
    ['NEG 64', insn(CLASS.ALU64 | ALU.NEG, 1)],
    ['NEG 32', insn(CLASS.ALU | ALU.NEG, 1)],
    ['be16', insn(CLASS.ALU | ALU.END | SRC.X, 1, 0, 0, 16)],
    ['le32', insn(CLASS.ALU | ALU.END, 1, 0, 0, 32)],
    ['bswap64', insn(CLASS.ALU64 | ALU.END, 1, 0, 0, 64)],
  ])('%s admits the result of every value', (_name, at) => {
    fc.assert(
      fc.property(valueInReg, ({ v, reg }) => {
        regBoundsSync(reg);
        expect(adjustScalar(env, at, reg, reg)).toBe(0);
        expect(admits(reg, foldConstants(at, v, v))).toBe(true);
      }),
      { numRuns: 150 },
    );
  });
});

describe('constants', () => {
  const rules: [number, (dst: RegState, src: RegState) => void][] = [
    [ALU.ADD, addScalar],
    [ALU.SUB, subScalar],
    [ALU.MUL, mulScalar],
    [ALU.AND, andScalar],
    [ALU.OR, orScalar],
    [ALU.XOR, xorScalar],
  ];
  it('the short way finds what the range rules find', () => {
    fc.assert(
      fc.property(anyValue, anyValue, (a, b) => {
        for (const [op, rule] of rules) {
          for (const width of WIDTHS) {
            const dst = constReg(a);
            rule(dst, constReg(b));
            if (width === CLASS.ALU) zeroExtend32(dst);
            regBoundsSync(dst);
            expect(dst).toEqual(constReg(foldConstants(binary(width, op), a, b)));
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  const shifts: [number, number, (dst: RegState, shift: number) => void][] = [
    [ALU.LSH, CLASS.ALU64, lsh64],
    [ALU.LSH, CLASS.ALU, lsh32],
    [ALU.RSH, CLASS.ALU64, rsh64],
    [ALU.RSH, CLASS.ALU, rsh32],
    [ALU.ARSH, CLASS.ALU64, arsh64],
    [ALU.ARSH, CLASS.ALU, arsh32],
  ];
  it('shifts too', () => {
    fc.assert(
      fc.property(anyValue, fc.integer({ min: 0, max: 63 }), (a, by) => {
        for (const [op, width, rule] of shifts) {
          const shift = width === CLASS.ALU ? by & 31 : by;
          const dst = constReg(a);
          rule(dst, shift);
          if (width === CLASS.ALU) zeroExtend32(dst);
          regBoundsSync(dst);
          expect(dst).toEqual(constReg(foldConstants(binary(width, op), a, BigInt(shift))));
        }
      }),
      { numRuns: 200 },
    );
  });

  it('swaps too', () => {
    const swaps = [CLASS.ALU, CLASS.ALU | SRC.X, CLASS.ALU64].flatMap((code) =>
      [16, 32, 64].map((bits) => insn(code | ALU.END, 1, 0, 0, bits)),
    );
    fc.assert(
      fc.property(anyValue, (a) => {
        for (const at of swaps) {
          const dst = constReg(a);
          byteSwap(dst, at);
          regBoundsSync(dst);
          expect(dst).toEqual(constReg(foldConstants(at, a, a)));
        }
      }),
      { numRuns: 100 },
    );
  });

  it('signed 32-bit values wrap', () => {
    expect(foldConstants(insn(CLASS.ALU | ALU.NEG), 0x80000000n, 0n)).toBe(0x80000000n);
    expect(foldConstants(binary(CLASS.ALU64, ALU.MUL), u64(-3n), 5n)).toBe(u64(-15n));
  });
});

describe('checkAluOp', () => {
  /** Runs one instruction on a frame whose registers `setup` fills. */
  function run(at: Insn, setup: (regs: RegState[]) => void) {
    const env = testEnv({ insns: [at] });
    setup(env.regs);
    const err = checkAluOp(env, at);
    return { err, env, log: env.log.text(), dst: env.regs[at.dst] };
  }

  it('division leaves nothing known, even of 32 bits', () => {
    const { err, dst } = run(insn(0x34, 1, 0, 0, 3), (regs) => regs[1].copy(constReg(9n)));
    expect([err, dst.umax, dst.varOff.mask]).toEqual([0, 0xffffffffffffffffn, 0xffffffffffffffffn]);
  });

  it('a shift by an unknown amount leaves nothing known', () => {
    const { dst } = run(insn(0x6f, 1, 2), (regs) => {
      regs[1].copy(constReg(1n));
      regs[2].copy(unknownReg());
    });
    expect(dst.umax).toBe(0xffffffffffffffffn);
  });

  it('a copy of an unknown number shares its id', () => {
    const { env } = run(insn(0xbf, 1, 2), (regs) => regs[2].copy(unknownReg()));
    expect([env.regs[1].id, env.regs[2].id]).toEqual([1, 1]);
  });

  it('a copy of a constant needs none', () => {
    const { env } = run(insn(0xbf, 1, 2), (regs) => regs[2].copy(constReg(4n)));
    expect([env.regs[1].id, env.idGen]).toEqual([0, 0]);
  });

  it('an added constant is remembered as distance, of either width', () => {
    const tied = (regs: RegState[]): void => {
      regs[1].copy(constReg(0n));
      Object.assign(regs[1], { id: 5, umax: 10n, smax: 10n, varOff: { value: 0n, mask: 15n }, u32max: 10, s32max: 10 });
    };
    expect(run(insn(0x07, 1, 0, 0, 8), tied).dst).toMatchObject({ id: ADD_CONST64 + 5, off: 8 });
    expect(run(insn(0x14, 1, 0, 0, 8), tied).dst).toMatchObject({ id: ADD_CONST32 + 5, off: -8 });
    expect(run(insn(0x17, 1, 0, 0, -0x80000000), tied).dst).toMatchObject({ id: 0, off: 0 });
    expect(run(insn(0x0f, 1, 1), tied).dst).toMatchObject({ id: 0, off: 0 });
  });

  it('a pointer moves by a constant and keeps its bounds', () => {
    const { dst } = run(insn(0x07, 2, 0, 0, -16), (regs) => regs[2].copy(regs[10]));
    expect([dst.type, dst.off, dst.umax, dst.u32max]).toEqual([REG.STACK, -16, 0n, 0]);
  });

  it('arithmetic on arena pointers is 32 bits wide', () => {
    const { env, dst } = run(insn(0x0f, 1, 2), (regs) => {
      regs[1].copy(unknownReg());
      regs[2].copy(unknownReg());
      regs[2].type = REG.ARENA;
    });
    expect([dst.type, dst.subregDef, env.aux[0].needsZext]).toEqual([REG.ARENA, 1, true]);
  });

  const NULLABLE = 1 << 8;
  const refused: [string, Insn, (regs: RegState[]) => void, number, string][] = [
    ['unknown operation', insn(0xe7, 1), () => {}, -22, 'invalid BPF_ALU opcode e0\n'],
    [
      'pointer that may be NULL',
      insn(0x07, 1, 0, 0, 8),
      (regs) => Object.assign(regs[1], { type: REG.MAP_VALUE | NULLABLE }),
      -13,
      'R1 pointer arithmetic on map_value_or_null prohibited, null-check it first\n',
    ],
    [
      'end of the packet',
      insn(0x07, 1, 0, 0, 8),
      (regs) => Object.assign(regs[1], { type: REG.PACKET_END }),
      -13,
      'R1 pointer arithmetic on pkt_end prohibited\n',
    ],
    [
      'socket',
      insn(0x07, 1, 0, 0, 0),
      (regs) => Object.assign(regs[1], { type: REG.SOCKET }),
      -13,
      'R1 pointer arithmetic on sock prohibited\n',
    ],
  ];
  it.each(refused)('refuses: %s', (_name, at, setup, errno, message) => {
    const { err, log } = run(at, setup);
    expect([err, log]).toEqual([errno, message]);
  });

  it('untrusted memory moves without being tracked', () => {
    const { err, dst } = run(insn(0x0f, 1, 2), (regs) => {
      Object.assign(regs[1], { type: REG.MEM | (1 << 14) });
      regs[2].copy(constReg(1n << 40n));
    });
    expect([err, dst.off]).toEqual([0, 0]);
  });
});
