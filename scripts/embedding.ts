// node scripts/embedding.ts [--runs N] [--seed N] [--only TEXT] [--random N] [--fuzz N] [OBJECT…]
//
// Proof by running: every value that a run of an accepted program shows lies inside what the verifier claimed for that
// point (src/kernel/run/embedding says exactly what that means). Runs the programs of the objects, N random and N generated ones,
// or else those of the corpus and the cases of testdata/verifier, and tells every departure.
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { SysError } from '../src/errno.ts';
import { encodeInsns } from '../src/isa/insn.ts';
import { loadImage } from '../src/kernel/image/load.ts';
import { type EmbeddingResult, embed } from '../src/kernel/run/embedding/embed.ts';
import { testProgram } from '../src/kernel/run/test-programs.ts';
import type { VerifyRequest } from '../src/kernel/verifier/env.ts';
import { makeRequest, readCases } from '../src/kernel/verifier/verify-case.ts';
import { LoadError } from '../src/object/errors.ts';
import { loadObject } from '../src/object/load.ts';
import { openObject } from '../src/object/open.ts';
import { entryPrograms } from '../src/object/spec.ts';
import { fuzzedRequest } from './embedding/fuzzed.ts';
import { PaperKernel } from './embedding/paper-kernel.ts';
import { recordRun } from './parity/runs.ts';

const CORPUS = fileURLToPath(new URL('../testdata/corpus/obj', import.meta.url));
const SLOW_MS = 10_000;
/** BPF_F_SLEEPABLE */
const SLEEPABLE = 16;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
    fuzz: { type: 'string', default: '0' },
    random: { type: 'string', default: '0' },
    only: { type: 'string', default: '' },
  },
});
const runs = Number(values.runs);
const seed = Number(values.seed);
const image = loadImage();

const total = { programs: 0, rejected: 0, truncated: 0, runs: 0, steps: 0, departures: 0 };
const endings = new Map<string, number>();

function tell(name: string, result: EmbeddingResult): void {
  if (result.errno !== 0) {
    total.rejected++;
    return;
  }
  total.programs++;
  if (result.truncated) total.truncated++;
  total.runs += result.runs;
  total.steps += result.steps;
  for (const [what, n] of result.endings) {
    endings.set(what, (endings.get(what) ?? 0) + n);
    if (what.startsWith('fault')) process.stdout.write(`${name}: ${what} (${n} of ${result.runs} runs)\n`);
  }
  if (result.problems.length === 0) return;
  total.departures++;
  process.stdout.write(`${name}: DEPARTS\n${result.problems.map((p) => `  ${p}\n`).join('')}`);
}

function check(name: string, request: VerifyRequest): void {
  if (!name.includes(values.only)) return;
  const start = performance.now();
  tell(name, embed(request, { runs, seed }));
  const took = performance.now() - start;
  if (took > SLOW_MS) process.stdout.write(`${name}: ${Math.round(took)} ms\n`);
}

function checkObject(path: string): void {
  const open = () => openObject(readFileSync(path), { path });
  let names: string[];
  try {
    names = entryPrograms(open()).map((p) => p.name);
  } catch (error) {
    if (error instanceof SysError) return;
    throw error;
  }
  for (const program of names) {
    const kernel = new PaperKernel(image);
    let request: VerifyRequest | undefined;
    try {
      const loaded = loadObject(kernel, open(), { programs: [program], kernelBtf: image.btf() });
      request = kernel.requests.get(loaded.programs.get(program)?.fd ?? -1);
    } catch (error) {
      if (error instanceof LoadError || error instanceof SysError) continue;
      throw error;
    }
    if (request !== undefined) check(`${basename(path)}/${program}`, request);
  }
}

/** A random program and its map of one value. */
function randomRequest(number: number): VerifyRequest {
  const { insns, mapValue } = testProgram(number, 1);
  return makeRequest({
    name: `random ${number}`,
    type: 'syscall',
    insns: Buffer.from(encodeInsns(insns)).toString('hex'),
    flags: SLEEPABLE,
    level: 0,
    maps: [{ type: 'array', key: 4, value: mapValue.length, max: 1 }],
    expect: { errno: 0, log: [] },
  });
}

const random = Number(values.random);
for (let i = 0; i < random; i++) check(`random program ${seed + i}`, randomRequest(seed + i));

const fuzzed = Number(values.fuzz);
for (let i = 0; i < fuzzed; i++) check(`generated program ${seed + i}`, fuzzedRequest(image, seed + i));

if (positionals.length > 0) {
  for (const path of positionals) checkObject(path);
} else if (random === 0 && fuzzed === 0) {
  for (const file of readdirSync(CORPUS)
    .filter((f) => f.endsWith('.o'))
    .sort())
    checkObject(join(CORPUS, file));
  for (const { file, cases } of readCases()) {
    for (const theCase of cases.filter((c) => c.expect.errno === 0))
      check(`${file}: ${theCase.name}`, makeRequest(theCase));
  }
}
process.stdout.write(`${JSON.stringify(total)}\n`);
recordRun(
  `${total.programs} accepted programs, ${total.runs} runs, ${total.steps} steps; ${total.departures} programs depart from what was claimed`,
);
for (const [what, n] of [...endings].sort((a, b) => b[1] - a[1])) process.stdout.write(`${n} ${what}\n`);
