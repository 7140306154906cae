import { describe, expect, it } from 'vitest';
import { insn } from '../../isa/insn.ts';
import { ALU, CLASS, JMP, SIZE, SRC } from '../../isa/opcode.ts';
import { call, callFunction, exit, load, loadImm64, movImm, movReg, storeImm } from '../rewrite/build.ts';
import { Machine } from './machine.ts';
import { prepare } from './program.ts';

describe('interpreter', () => {
  it('adds', () => {
    const m = new Machine();
    const code = prepare({
      name: 'p',
      insns: [movImm(0, 40), insn(CLASS.ALU64 | ALU.ADD | SRC.K, 0, 0, 0, 2), exit()],
    });
    expect(m.run(code, 0n)).toBe(42n);
  });

  it('calls functions, which have stacks of their own and give r6 to r9 back', () => {
    const m = new Machine();
    const code = prepare({
      name: 'p',
      insns: [
        movImm(6, 7),
        storeImm(SIZE.DW, 10, -8, 1),
        callFunction(3),
        load(SIZE.DW, 1, 10, -8),
        insn(CLASS.ALU64 | ALU.ADD | SRC.X, 0, 1),
        insn(CLASS.JMP | JMP.JA, 0, 0, 3),
        movImm(6, 9),
        storeImm(SIZE.DW, 10, -8, 100),
        insn(CLASS.JMP | JMP.JA, 0, 0, 2),
        insn(CLASS.ALU64 | ALU.ADD | SRC.X, 0, 6),
        exit(),
        load(SIZE.DW, 0, 10, -8),
        exit(),
      ],
    });
    expect(m.run(code, 0n)).toBe(108n);
  });

  it('hands r1 to r5 to helpers and takes r0 from them', () => {
    const m = new Machine();
    const code = prepare({
      name: 'p',
      insns: [...loadImm64(1, 0x1234567890n), movReg(2, 1), call(5), exit()],
      helpers: [{ ktime_get_ns: (_, a, b) => a + b }],
    });
    expect(m.run(code, 0n)).toBe(0x2468acf120n);
  });
});
