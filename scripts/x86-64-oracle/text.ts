// The text of machine code as the GNU disassembler has it, and ours.
import { spawnSync } from 'node:child_process';
import { answerOf, codeOfAnswer, type PlacedCode } from '../../src/kernel/jit/x86-64/testing/answer.ts';
import { encodingCases } from '../../src/kernel/jit/x86-64/testing/cases.ts';
import { randomProgram } from '../../src/kernel/jit/x86-64/testing/random-program.ts';
import { loadDisassembler } from '../../src/print/x86/att.ts';

const MAX_ANSWER = 1 << 30;
const MAX_SHOWN = 10;

/** Offset, length and pieces of each instruction, a line each; of each function of each program. */
export function gnuText(disassembler: string, programs: readonly PlacedCode[][]): string[][] {
  const lines = programs
    .flat()
    .map(({ address, bytes }) => `${address.toString(16)} ${Buffer.from(bytes).toString('hex')}\n`);
  const { stdout, status } = spawnSync(disassembler, { input: lines.join(''), maxBuffer: MAX_ANSWER });
  if (status !== 0) throw new Error(`${disassembler} ended with ${status}`);
  const answers = stdout.toString().split('\n\n');
  let next = 0;
  return programs.map((functions) => functions.map(() => `${answers[next++]}\n`));
}

/** Compares all cases and generated programs. */
export async function compareText(disassembler: string, first: number, count: number): Promise<void> {
  const ours = await loadDisassembler();
  const generated = Array.from({ length: count }, (_, i) => randomProgram(first + i));
  const programs = [...encodingCases().map(({ program }) => program), ...generated].map((p) =>
    codeOfAnswer(answerOf(p)),
  );
  const theirs = gnuText(disassembler, programs).flat();
  let insns = 0;
  let differences = 0;
  programs.flat().forEach(({ address, bytes }, i) => {
    const expected = theirs[i].split('\n');
    let line = 0;
    for (const { offset, length, pieces } of ours.disassemble(bytes, address)) {
      insns++;
      const own = `${offset.toString(16)} ${length} ${pieces.join('\x1f')}`;
      if (own === expected[line++] || ++differences > MAX_SHOWN) continue;
      console.log(`${JSON.stringify(own)}\n${JSON.stringify(expected[line - 1])}`);
    }
    if (expected.length !== line + 1) differences++;
  });
  console.log(`${theirs.length} functions, ${insns} instructions, ${differences} differences`);
  process.exitCode = differences ? 1 : 0;
}
