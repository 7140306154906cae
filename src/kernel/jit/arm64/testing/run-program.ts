// Random test programs, compiled for arm64 and run.
import { createHash } from 'node:crypto';
import { type Insn, LDIMM64 } from '../../../../isa/insn.ts';
import { CALL_KIND, CLASS, JMP, PSEUDO } from '../../../../isa/opcode.ts';
import { loadImm64 } from '../../../rewrite/build.ts';
import { Machine as Interpreter } from '../../../run/machine.ts';
import { prepare } from '../../../run/program.ts';
import type { TestProgram } from '../../../run/test-programs.ts';
import { plainFunction } from '../../fixture.ts';
import type { JitFunctionInput, JitInput, JitOutput } from '../../jit.ts';
import { compileProgram } from '../compile.ts';
import { ARM64_DEFAULTS, type Arm64Settings } from '../settings.ts';
import { Machine } from './machine.ts';
import { Memory } from './memory.ts';
import { testImage } from './test-image.ts';

/** Where everything lies: in the lower half, so that the same code also runs in a process of user space. */
export const LAYOUT = {
  code: 0x40000000n,
  callBase: 0x41000000n,
  context: 0x50000000n,
  mapValue: 0x50010000n,
  stackTop: 0x60010000n,
} as const;
const STACK_BYTES = 0x10000;
/** Stack that the programs use. */
const STACK_DEPTH = 64;
/** Room for each function's code. */
const CODE_STRIDE = 0x4000n;

const isCall = ({ code, src }: Insn): boolean => code === (CLASS.JMP | JMP.CALL) && src === CALL_KIND.PSEUDO;

/** Functions of the program: calls by number, the address of the map in place. */
function functionsOf(insns: readonly Insn[]): JitFunctionInput[] {
  const targets = insns.flatMap((x, i) => (isCall(x) ? [i + 1 + x.imm] : []));
  const starts = [...new Set([0, ...targets])].sort((a, b) => a - b);
  const all = insns.map((x, i) => (isCall(x) ? { ...x, off: starts.indexOf(i + 1 + x.imm) } : { ...x }));
  insns.forEach((x, i) => {
    if (x.code === LDIMM64 && x.src === PSEUDO.MAP_VALUE) all.splice(i, 2, ...loadImm64(x.dst, LAYOUT.mapValue));
  });
  return starts.map((start, f) =>
    plainFunction(all.slice(start, starts[f + 1]), { stackDepth: STACK_DEPTH, isSubprog: f > 0 }),
  );
}

/** Machine code of the program, placed by LAYOUT. */
export function compileTestProgram(
  program: TestProgram,
  settings: Arm64Settings,
  more: Partial<JitInput> = {},
): JitOutput[] {
  let next = LAYOUT.code;
  return compileProgram({
    ...more,
    functions: functionsOf(program.insns),
    image: testImage(settings, LAYOUT.callBase),
    allocate: () => {
      const at = next;
      next += CODE_STRIDE;
      return at;
    },
  });
}

/** Machine by the name that the test data give it. */
export const MACHINES = {
  lse: { ...ARM64_DEFAULTS, bti: true },
  exclusive: { ...ARM64_DEFAULTS, lse: false, pac: false },
} as const;
export type MachineName = keyof typeof MACHINES;

/** What a run left: r0 and the context. */
export interface Outcome {
  result: bigint;
  context: string;
}

const outcome = (result: bigint, context: Uint8Array): Outcome => ({
  result,
  context: Buffer.from(context).toString('hex'),
});

/** Runs the machine code on the test processor. */
export function runCompiled(program: TestProgram, code: readonly JitOutput[]): Outcome {
  const memory = new Memory();
  const context = program.context.slice();
  for (const { address, bytes } of code) memory.map(address, bytes);
  memory.map(LAYOUT.context, context);
  memory.map(LAYOUT.mapValue, program.mapValue.slice());
  memory.map(LAYOUT.stackTop - BigInt(STACK_BYTES), new Uint8Array(STACK_BYTES));
  const machine = new Machine(memory, LAYOUT.stackTop);
  return outcome(machine.call(code[0].address, [LAYOUT.context]), context);
}

/** Runs the program itself in the interpreter. */
export function runInterpreted(program: TestProgram): Outcome {
  const machine = new Interpreter();
  const context = program.context.slice();
  const map = machine.memory.add({ name: 'map value', bytes: program.mapValue.slice() });
  const region = machine.memory.add({ name: 'context', bytes: context });
  const code = prepare({
    name: 'test',
    insns: program.insns,
    immediate: (_, { src }) => (src === PSEUDO.MAP_VALUE ? map.base : undefined),
  });
  return outcome(machine.run(code, region.base), context);
}

/** [seed, machine, r0 in hexadecimal, digest of the context]. */
export type RunRow = [seed: number, machine: MachineName, result: string, context: string];

/** Start of the SHA-256 of the context. */
const digest = (contextHex: string): string => createHash('sha256').update(contextHex).digest('hex').slice(0, 16);

export const rowOf = (seed: number, machine: MachineName, { result, context }: Outcome): RunRow => [
  seed,
  machine,
  result.toString(16),
  digest(context),
];
