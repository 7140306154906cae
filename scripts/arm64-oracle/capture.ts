// Test data of arm64 code generation: testdata/jit/arm64/*.json.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type EncodingCase, encodingCases } from '../../src/kernel/jit/arm64/testing/encodings.ts';
import { Random } from '../../src/kernel/jit/arm64/testing/random.ts';
import { randomProgram } from '../../src/kernel/jit/arm64/testing/random-program.ts';
import { testInput } from '../../src/kernel/jit/arm64/testing/test-image.ts';
import { findRow } from '../../src/print/arm64/disassembler.ts';
import { type Row, TABLE } from '../../src/print/arm64/table.ts';
import { ask, type Question } from './oracle.ts';
import { captureRuns } from './runs.ts';

const FOLDER = new URL('../../testdata/jit/arm64/', import.meta.url);
const RANDOM_PROGRAMS = 400;
const RUNS = 120;
const WORDS_PER_ROW = 5;
const MAX_TRIES = 100_000;
const WHERE = 0xffff800080001000n;

const write = (name: string, lines: readonly string[], brackets: string): void =>
  writeFileSync(fileURLToPath(new URL(name, FOLDER)), `${brackets[0]}\n${lines.join(',\n')}\n${brackets[1]}\n`);

const placed = ({ program }: EncodingCase): Question => ({
  program,
  addresses: program.functions.map((_, i) => 0xffff800080001000n + BigInt(i) * 0x4000n),
  privateStacks: program.functions.map((_, i) => 0x7dff00010000n + BigInt(i) * 0x1000n),
});

/** The part of an answer that a case is about: words of the first instruction, or the answer without sizes. */
function part(answer: string, whole: boolean): string {
  if (answer === 'BAD\n') return 'BAD';
  if (whole) return answer.trim();
  const [, , , code, ...rest] = answer.split(' ');
  const [first, second] = [Number(rest[1]) / 4, Number(rest[2]) / 4];
  return code.slice(first * 8, second * 8);
}

function encodings(oracle: string): void {
  const cases = encodingCases();
  const answers = ask(oracle, cases.map(placed));
  const groups = new Map<string, string[]>();
  cases.forEach(({ group, whole }, i) => {
    groups.set(group, [...(groups.get(group) ?? []), part(answers[i], whole)]);
  });
  write(
    'encodings.json',
    [...groups].map(([name, rows]) => `${JSON.stringify(name)}: ${JSON.stringify(rows)}`),
    '{}',
  );
}

function programs(oracle: string): void {
  const seeds = Array.from({ length: RANDOM_PROGRAMS }, (_, i) => i + 1);
  const questions = seeds.map((seed): Question => {
    const p = randomProgram(seed);
    return { program: testInput(p), addresses: p.addresses, privateStacks: p.privateStacks };
  });
  const answers = ask(oracle, questions).slice(0, seeds.length);
  const digests = answers.map((text) => createHash('sha256').update(text).digest('hex').slice(0, 16));
  write(
    'programs.json',
    digests.map((d) => JSON.stringify(d)),
    '[]',
  );
}

/** Words that the row is the one for, with edges and random bits in the operands. */
function wordsOf(row: Row, random: Random): number[] {
  const words: number[] = [];
  for (let i = 0; i < MAX_TRIES && words.length < WORDS_PER_ROW; i++) {
    const any = [0, -1, random.u32(), random.u32() & random.u32() & random.u32()][i % 4];
    const word = ((any & ~row.mask) | row.value) >>> 0;
    if (findRow(word) === row && !words.includes(word)) words.push(word);
  }
  return words;
}

function text(disassembler: string): void {
  const random = new Random(1);
  const words = TABLE.flatMap((row) => wordsOf(row, random));
  const bytes = Buffer.alloc(words.length * 4);
  words.forEach((word, i) => {
    bytes.writeUInt32LE(word, i * 4);
  });
  const input = `${WHERE.toString(16)} ${bytes.toString('hex')}\n`;
  const { stdout } = spawnSync(disassembler, ['aarch64'], { input, maxBuffer: 1 << 28 });
  const lines = stdout.toString().trim().split('\n');
  const rows = words.map((word, i) => {
    const pieces = lines[i].split(' ').slice(2).join(' ').split('\x1f');
    return JSON.stringify([WHERE.toString(16), (i * 4).toString(16), word.toString(16), pieces]);
  });
  write('disassembly.json', rows, '[]');
}

/** Asks the kernel's emitter, the GNU disassembler and a processor (words of a command), and writes the answers. */
export function capture(oracle: string, disassembler: string, ...runner: string[]): void {
  encodings(oracle);
  programs(oracle);
  text(disassembler);
  write(
    'runs.json',
    captureRuns(runner, RUNS).map((row) => JSON.stringify(row)),
    '[]',
  );
}
