// Random test programs on an arm64 processor: what their machine code leaves.
import { spawnSync } from 'node:child_process';
import {
  compileTestProgram,
  LAYOUT,
  MACHINES,
  type MachineName,
  type RunRow,
  rowOf,
} from '../../src/kernel/jit/arm64/testing/run-program.ts';
import { type TestProgram, testProgram } from '../../src/kernel/run/test-programs.ts';

function question(program: TestProgram, machine: MachineName): string {
  const code = compileTestProgram(program, MACHINES[machine]);
  const map = (address: bigint, bytes: Uint8Array): string =>
    `map ${address.toString(16)} ${Buffer.from(bytes).toString('hex')}\n`;
  const maps = code.map((c) => map(c.address, c.bytes)).join('');
  const context = LAYOUT.context.toString(16);
  return `${maps}${map(LAYOUT.mapValue, program.mapValue)}${map(LAYOUT.context, program.context)}go ${code[0].address.toString(16)} ${context} ${context} ${program.context.length}\n`;
}

/** Runs programs with numbers from 1 to `count` on `runner` (words of a command), each on both machines. */
export function captureRuns(runner: readonly string[], count: number): RunRow[] {
  const names = Object.keys(MACHINES) as MachineName[];
  const asked = Array.from({ length: count }, (_, i) => i + 1).flatMap((seed) =>
    names.map((machine) => ({ seed, machine, text: question(testProgram(seed, 0), machine) })),
  );
  const [command, ...words] = runner;
  const { stdout, status } = spawnSync(command, words, {
    input: asked.map(({ text }) => text).join(''),
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new Error(`${runner.join(' ')} ended with ${status}`);
  const answers = stdout.toString().trim().split('\n');
  return asked.map(({ seed, machine }, i) => {
    const [result, context] = answers[i].split(' ');
    return rowOf(seed, machine, { result: BigInt(`0x${result}`), context });
  });
}
