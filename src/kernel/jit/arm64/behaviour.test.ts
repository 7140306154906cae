import { describe, expect, it } from 'vitest';
import { type Insn, insn } from '../../../isa/insn.ts';
import { ALU, CLASS, JMP, MODE, SIZE, SRC } from '../../../isa/opcode.ts';
import {
  aluReg,
  callFunction,
  exit,
  goto,
  load,
  loadImm64,
  movImm,
  movReg,
  store,
  storeImm,
} from '../../rewrite/build.ts';
import { plainFunction } from '../fixture.ts';
import type { JitFunctionInput, JitInput, JitOutput } from '../jit.ts';
import { compileProgram } from './compile.ts';
import { ADD_SUB_REG, BRANCH_REG, branchReg, LOGIC_REG, MOVE_WIDE, moveWide, threeReg } from './encoding.ts';
import { ARM64_DEFAULTS, type Arm64Settings } from './settings.ts';
import { Machine } from './testing/machine.ts';
import { Memory } from './testing/memory.ts';
import { CALL_BASE, testImage } from './testing/test-image.ts';

const CODE = 0xffff800080300000n;
/** Too far from the kernel's functions for a direct call. */
const FAR_CODE = 0xffff8000c0000000n;
const DATA = 0xffff000011110000n;
const STACK = 0xffff800100000000n;
const STACK_BYTES = 0x4000;
const CALLEE_SAVED = [19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29];
const HELPER_DISTANCE = 0x1000;

const tailCall = (): Insn => insn(CLASS.JMP | JMP.TAIL_CALL);
const helper = (): Insn => insn(CLASS.JMP | JMP.CALL, 0, 0, 0, HELPER_DISTANCE);

const functionOf = (insns: Insn[], more: Partial<JitFunctionInput> = {}): JitFunctionInput =>
  plainFunction(insns, { stackDepth: 32, ...more });

function compile(functions: JitFunctionInput[], settings: Partial<Arm64Settings> = {}, more: Partial<JitInput> = {}) {
  let at = CODE;
  return compileProgram({
    functions,
    image: testImage({ ...ARM64_DEFAULTS, ...settings }),
    allocate: () => {
      at += 0x1000n;
      return at;
    },
    ...more,
  });
}

/** Little-endian bytes of instructions. */
function bytesOf(words: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(words.length * 4);
  const view = new DataView(bytes.buffer);
  words.forEach((word, i) => {
    view.setUint32(i * 4, word >>> 0, true);
  });
  return bytes;
}

/** A kernel function: x0 = ((x0 + x1) ^ x2) + x3 - x4; every register that it may spoil is spoilt. */
const KERNEL_FUNCTION = bytesOf([
  threeReg(ADD_SUB_REG.ADD, true, 0, 0, 1),
  threeReg(LOGIC_REG.EOR, true, 0, 0, 2),
  threeReg(ADD_SUB_REG.ADD, true, 0, 0, 3),
  threeReg(ADD_SUB_REG.SUB, true, 0, 0, 4),
  ...Array.from({ length: 18 }, (_, i) => moveWide(MOVE_WIDE.MOVZ, true, i + 1, 0xbad0 + i, 48)),
  branchReg(BRANCH_REG.RET, 30),
]);

class Setup {
  readonly data = new Uint8Array(0x1000);
  readonly kernelFunction = new Uint8Array(0x100);
  readonly view = new DataView(this.data.buffer);
  readonly memory = new Memory();
  readonly machine = new Machine(this.memory, STACK);

  constructor(...programs: JitOutput[][]) {
    for (const { address, bytes } of programs.flat()) this.memory.map(address, bytes);
    this.memory.map(DATA, this.data);
    this.memory.map(STACK - BigInt(STACK_BYTES), new Uint8Array(STACK_BYTES));
    this.kernelFunction.set(KERNEL_FUNCTION);
    this.memory.map(CALL_BASE + BigInt(HELPER_DISTANCE), this.kernelFunction);
  }

  /** Calls it with the address of the data; what belongs to the caller must be as before. */
  run([{ address }]: JitOutput[], ...args: bigint[]): bigint {
    const { machine } = this;
    for (const reg of CALLEE_SAVED) machine.x[reg] = BigInt(reg) * 0x0101010101n;
    const result = machine.call(address, [DATA, ...args]);
    expect(machine.sp).toBe(STACK);
    expect(CALLEE_SAVED.map((reg) => machine.x[reg])).toEqual(CALLEE_SAVED.map((reg) => BigInt(reg) * 0x0101010101n));
    return result;
  }
}

describe('calls of kernel functions', () => {
  const insns = [
    ...[6, 7, 8, 9].map((r) => movImm(r, r * 100)),
    ...[1, 2, 3, 4, 5].map((r) => movImm(r, r)),
    helper(),
    ...[6, 7, 8, 9].map((r) => aluReg(ALU.ADD, 0, r)),
    exit(),
  ];

  it.each([CODE, FAR_CODE])('from 0x%s hand over r1 to r5 and keep r6 to r9', (address) => {
    const code = compile([functionOf(insns)], {}, { allocate: () => address });
    expect(new Setup(code).run(code)).toBe(BigInt(((1 + 2) ^ 3) + 4 - 5 + 3000));
  });

  it('that the emitter does itself read the processor and the task of sp_el0', () => {
    const task = DATA + 0x100n;
    for (const [number, expected] of [
      [8, 5n],
      [35, task],
      [158, task],
    ] as const) {
      const code = compile([functionOf([insn(CLASS.JMP | JMP.CALL, 0, 0, 0, number), exit()])]);
      const setup = new Setup(code);
      setup.view.setUint32(0x100 + 16, 5, true);
      setup.machine.system.set(0x4208, task);
      expect(setup.run(code)).toBe(expected);
    }
  });
});

describe('tail calls', () => {
  const ARRAY = 0x200;
  const PROGRAM = 0x100;
  /** An array with `slots` entries at ARRAY and a program whose code is `target` at PROGRAM. */
  function prepare(setup: Setup, slots: number, target: bigint): void {
    setup.view.setUint32(ARRAY + 76, slots, true);
    setup.view.setBigUint64(PROGRAM + 72, target, true);
    setup.view.setBigUint64(ARRAY + 312 + 8, DATA + BigInt(PROGRAM), true);
  }
  const caller = (index: number): Insn[] => [
    movReg(6, 1),
    ...loadImm64(2, DATA + BigInt(ARRAY)),
    movImm(3, index),
    tailCall(),
    movImm(0, -1),
    exit(),
  ];
  const flavours = [
    { bti: false, pac: false },
    { bti: true, pac: true },
  ];

  it.each(flavours)('lead to the program in the slot, else to the next instruction: %o', (settings) => {
    const target = compile([functionOf([movReg(8, 10), load(SIZE.DW, 0, 1, 8), exit()])], settings, {
      allocate: () => CODE + 0x80000n,
    });
    for (const [index, slots, expected] of [
      [1, 2, 77n],
      [0, 2, 0xffffffffffffffffn],
      [1, 1, 0xffffffffffffffffn],
      [-1, 2, 0xffffffffffffffffn],
    ] as const) {
      const main = compile([functionOf(caller(index))], settings);
      const setup = new Setup(main, target);
      prepare(setup, slots, target[0].address);
      setup.view.setBigUint64(8, 77n, true);
      expect(setup.run(main)).toBe(expected);
    }
  });

  it('end after 33, counted together in all functions', () => {
    const count = [load(SIZE.DW, 0, 1, 0), insn(CLASS.ALU64 | ALU.ADD, 0, 0, 0, 1), store(SIZE.DW, 1, 0, 0)];
    const inSubprogram = [movReg(7, 1), insn(CLASS.JMP | JMP.CALL, 0, 1, 1, 1), movReg(1, 7), ...caller(1)];
    const main = compile([
      functionOf([...count, ...inSubprogram], { tailCallReachable: true }),
      functionOf(caller(1), { isSubprog: true, tailCallReachable: true }),
    ]);
    const setup = new Setup(main);
    prepare(setup, 2, main[0].address);
    setup.run(main);
    expect(setup.view.getBigUint64(0, true)).toBe(34n);
  });
});

describe('memory that may not be there', () => {
  const arena = { kernStart: DATA & ~0xffffffffn, userStart: 0x7f1200000000n };
  const low = Number(DATA & 0xffffffffn);

  /** Runs with the handlers of the exception table. */
  function runGuarded(code: JitOutput[]): bigint {
    const setup = new Setup(code);
    setup.view.setBigUint64(8, 0x8899aabbccddeeffn, true);
    for (const { address, exceptionTable } of code) {
      for (const { insnOffset, fixup } of exceptionTable) {
        const reg = fixup >>> 27;
        setup.machine.faults.set(address + BigInt(insnOffset), (m) => {
          if (reg !== 5) m.x[reg] = 0n;
        });
      }
    }
    return setup.run(code);
  }

  it.each([MODE.PROBE_MEM32, MODE.PROBE_MEM32SX])('reads an arena by its lower half, mode %s', (mode) => {
    const code = compile(
      [functionOf([movImm(2, low, 32), insn(CLASS.LDX | mode | SIZE.W, 0, 2, 8), exit()])],
      {},
      { arena },
    );
    expect(runGuarded(code)).toBe(mode === MODE.PROBE_MEM32 ? 0xccddeeffn : 0xffffffffccddeeffn);
  });

  it('clears the register of a load that faults and skips a store', () => {
    const nowhere = [movImm(2, 0x7000, 32), movImm(0, 5), movImm(3, 9)];
    const loads = [nowhere, insn(CLASS.LDX | MODE.PROBE_MEM32 | SIZE.DW, 0, 2, 8), exit()].flat();
    const stores = [
      nowhere,
      insn(CLASS.STX | MODE.PROBE_MEM32 | SIZE.W, 2, 3),
      insn(CLASS.ST | MODE.PROBE_MEM32, 2),
      exit(),
    ];
    const probe = [nowhere, insn(CLASS.LDX | MODE.PROBE_MEM | SIZE.B, 0, 2, 1), exit()];
    const atomic = [nowhere, insn(CLASS.STX | MODE.PROBE_ATOMIC | SIZE.DW, 2, 3), exit()];
    const run = (insns: Insn[]): bigint => runGuarded(compile([functionOf(insns)], {}, { arena }));
    expect([loads, stores.flat(), probe.flat(), atomic.flat()].map(run)).toEqual([0n, 5n, 0n, 5n]);
  });

  it('casts to addresses of user space, and null to null', () => {
    const cast = insn(CLASS.ALU64 | ALU.MOV | SRC.X, 0, 2, 1, 1 << 16);
    const run = (address: bigint): bigint =>
      runGuarded(compile([functionOf([...loadImm64(2, address), cast, exit()])], {}, { arena }));
    expect(run(0x1234567811112222n)).toBe(0x7f1211112222n);
    expect(run(0x1234567800000000n)).toBe(0n);
  });
});

describe('stacks', () => {
  const fill = [storeImm(SIZE.DW, 10, -8, 11), storeImm(SIZE.W, 10, -32, 22)];

  it('of functions are their own', () => {
    const caller = [...fill, callFunction(0), load(SIZE.DW, 1, 10, -8), aluReg(ALU.ADD, 0, 1), exit()];
    caller[2].off = 1;
    const callee = [storeImm(SIZE.DW, 10, -8, 100), load(SIZE.DW, 0, 10, -8), exit()];
    const code = compile([functionOf(caller), functionOf(callee, { isSubprog: true, stackDepth: 8 })]);
    expect(new Setup(code).run(code)).toBe(111n);
  });

  it.each([true, false])('are in per-CPU memory if so wanted (VHE: %s)', (vhe) => {
    const insns = [...fill, load(SIZE.DW, 0, 10, -8), load(SIZE.W, 1, 10, -32), aluReg(ALU.ADD, 0, 1), exit()];
    const pointer = 0x7dff00010000n;
    const code = compile([functionOf(insns, { privateStack: true })], { vhe }, { allocatePerCpu: () => pointer });
    const setup = new Setup(code);
    setup.machine.system.set(vhe ? 0x6682 : 0x4684, DATA - pointer);
    expect(setup.run(code)).toBe(33n);
    const words = [0, 8, 16, 40, 48, 56].map((at) => setup.view.getBigUint64(at, true));
    expect(words).toEqual([0n, 0n, 22n, 11n, 0n, 0n]);
  });

  it('are left behind by exceptions', () => {
    const main = [movImm(6, 5), insn(CLASS.JMP | JMP.CALL, 0, 1, 1, 1), movImm(0, -1), exit()];
    const middle = [movImm(6, 6), movImm(7, 7), ...fill, helper(), exit()];
    const callback = [movReg(0, 1), insn(CLASS.ALU64 | ALU.ADD, 0, 0, 0, 1), exit()];
    const code = compile([
      functionOf(main, { exceptionBoundary: true }),
      functionOf(middle, { isSubprog: true }),
      functionOf(callback, { isSubprog: true, exceptionCallback: true }),
    ]);
    const setup = new Setup(code);
    // Throws: finds the frame of the main function, one up (ldr x2, [x29]), and goes to the callback.
    const throws = [moveWide(MOVE_WIDE.MOVZ, true, 0, 41, 0), 0xf94003a2, moveWide(MOVE_WIDE.MOVZ, true, 9, 0, 0)];
    for (const shift of [0, 16, 32, 48]) {
      const half = Number((code[2].address >> BigInt(shift)) & 0xffffn);
      throws.push(moveWide(MOVE_WIDE.MOVK, true, 9, half, shift));
    }
    setup.kernelFunction.set(bytesOf([...throws, branchReg(BRANCH_REG.BR, 9)]));
    expect(setup.run(code)).toBe(42n);
  });
});

describe('per-CPU addresses', () => {
  it('are those of this processor', () => {
    const insns = [...loadImm64(2, 0x1000n), insn(CLASS.ALU64 | ALU.MOV | SRC.X, 0, 2, -1), goto(0), exit()];
    const code = compile([functionOf(insns)]);
    const setup = new Setup(code);
    setup.machine.system.set(0x6682, 0x500000n);
    expect(setup.run(code)).toBe(0x501000n);
  });
});
