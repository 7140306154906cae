// Compares our x86-64 machine code with what the kernel's own emitter makes: every byte, offset, size and table entry,
// for any processor and mitigations.
//
//   node scripts/x86-64-oracle/main.ts cases ORACLE                          the cases of testdata/jit/x86-64
//   node scripts/x86-64-oracle/main.ts random ORACLE [FIRST-SEED [COUNT]]    generated programs on generated machines
//   node scripts/x86-64-oracle/main.ts fixture ORACLE FILE                   captures of a running kernel
//   node scripts/x86-64-oracle/main.ts text DISASSEMBLER [FIRST [COUNT]]     the text of all their instructions
//   node scripts/x86-64-oracle/main.ts capture ORACLE DISASSEMBLER           writes testdata/jit/x86-64
//
// ORACLE is what build.sh builds, DISASSEMBLER what scripts/gnu-disassemble.c becomes.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { type Fixture, fixtureImage, fixtureInput } from '../../src/kernel/jit/fixture.ts';
import type { JitInput } from '../../src/kernel/jit/jit.ts';
import { answerOf, codeOfAnswer } from '../../src/kernel/jit/x86-64/testing/answer.ts';
import { BLINDING_KEY, blindedCases, blindedHex, encodingCases } from '../../src/kernel/jit/x86-64/testing/cases.ts';
import { randomProgram } from '../../src/kernel/jit/x86-64/testing/random-program.ts';
import { ask, type Places } from './oracle.ts';
import { compareText, gnuText } from './text.ts';

const FOLDER = new URL('../../testdata/jit/x86-64/', import.meta.url);
const BATCH = 500;
const MAX_SHOWN = 5;
const RANDOM_PROGRAMS = 500;

let programs = 0;
let insns = 0;
let refused = 0;
let differences = 0;

function compare(where: string, program: JitInput, own: string, theirs: string): void {
  programs++;
  for (const f of program.functions) insns += f.insns.length;
  if (theirs === 'BAD\n') refused++;
  if (own === theirs || ++differences > MAX_SHOWN) return;
  let at = 0;
  while (own[at] === theirs[at]) at++;
  const from = Math.max(0, at - 30);
  console.log(
    `${where}, character ${at}:\n  ours   ${own.slice(from, at + 60)}\n  theirs ${theirs.slice(from, at + 60)}`,
  );
}

const blindedAnswer = (text: string): string => text.slice(2).trim();

function cases(oracle: string): void {
  const all = encodingCases();
  const answers = ask(
    oracle,
    all.map(({ program }) => program),
  );
  all.forEach(({ group, program }, i) => {
    compare(group, program, answerOf(program), answers[i]);
  });
  const blinded = blindedCases();
  const theirs = ask(
    oracle,
    blinded.map(({ program }) => program),
    { key: BLINDING_KEY },
  );
  blinded.forEach(({ group, program }, i) => {
    compare(`blinded ${group}`, program, blindedHex(program), blindedAnswer(theirs[i]));
  });
}

function random(oracle: string, first = '1', count = '10000'): void {
  for (let seed = Number(first), end = seed + Number(count); seed < end; seed += BATCH) {
    const batch = Array.from({ length: Math.min(BATCH, end - seed) }, (_, i) => randomProgram(seed + i));
    const answers = ask(oracle, batch);
    batch.forEach((program, i) => {
      compare(`seed ${seed + i}`, program, answerOf(program), answers[i]);
    });
  }
}

/** The oracle itself against a running kernel: so it is known to be built right. */
function fixture(oracle: string, file: string): void {
  const bytes = readFileSync(file);
  const text = (file.endsWith('.zst') ? zstdDecompressSync(bytes) : bytes).toString();
  const { kernel, cases: items } = JSON.parse(text) as Fixture;
  const image = fixtureImage(kernel);
  for (const item of items) {
    // The oracle does not fill the slots of constant tail calls.
    if (item.pokes?.some((target) => target !== null)) continue;
    const program = fixtureInput(item, image);
    const places: Places = {
      address: (i) => BigInt(item.functions[i].address),
      privateStack: (i) => BigInt(item.functions[i].privateStack ?? 0),
    };
    const [answer] = ask(oracle, [program], { places });
    const code = answer.split('\n').map((line) => line.split(' ')[3] ?? '');
    const shown = item.functions.map((f, i) => (f.bytes ? code[i] : ''));
    compare(item.name, program, shown.join('\n'), item.functions.map((f) => f.bytes).join('\n'));
  }
}

function write(name: string, groups: Map<string, string[]>): void {
  const lines = [...groups].map(([group, rows]) => `${JSON.stringify(group)}: ${JSON.stringify(rows)}`);
  const text = `{\n${lines.join(',\n')}\n}\n`;
  const params = { [constants.ZSTD_c_compressionLevel]: 19 };
  writeFileSync(fileURLToPath(new URL(name, FOLDER)), zstdCompressSync(text, { params }));
}

const digest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16);

function capture(oracle: string, disassembler: string): void {
  const grouped = <T extends { group: string }>(all: readonly T[], rows: readonly string[]): Map<string, string[]> => {
    const groups = new Map<string, string[]>();
    all.forEach(({ group }, i) => {
      const row = rows[i].trim();
      groups.set(group, [...(groups.get(group) ?? []), row]);
    });
    return groups;
  };
  const all = encodingCases();
  const answers = ask(
    oracle,
    all.map(({ program }) => program),
  );
  write('encodings.json.zst', grouped(all, answers));
  const texts = gnuText(disassembler, answers.map(codeOfAnswer)).map((functions) => digest(functions.join('')));
  write('text.json.zst', grouped(all, texts));
  const blinded = blindedCases();
  const theirs = ask(
    oracle,
    blinded.map(({ program }) => program),
    { key: BLINDING_KEY },
  );
  write(
    'blinded.json.zst',
    grouped(
      blinded,
      theirs.map((text) => digest(blindedAnswer(text))),
    ),
  );
  const seeds = Array.from({ length: RANDOM_PROGRAMS }, (_, i) => randomProgram(i + 1));
  const digests = ask(oracle, seeds).map((text) => JSON.stringify(digest(text)));
  writeFileSync(fileURLToPath(new URL('programs.json', FOLDER)), `[\n${digests.join(',\n')}\n]\n`);
}

const [what, oracle, ...rest] = process.argv.slice(2);
if (what === 'capture') capture(oracle, rest[0]);
else if (what === 'text') await compareText(oracle, Number(rest[0] ?? 1), Number(rest[1] ?? 1000));
else {
  if (what === 'cases') cases(oracle);
  else if (what === 'random') random(oracle, ...rest);
  else fixture(oracle, rest[0]);
  console.log(`${programs} programs, ${insns} instructions, ${refused} refused by Linux, ${differences} differences`);
  process.exitCode = differences ? 1 : 0;
}
