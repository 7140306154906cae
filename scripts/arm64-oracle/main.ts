// Compares our arm64 machine code with what the kernel's own emitter makes: every word, offset, size and table entry.
//
//   node scripts/arm64-oracle/main.ts random ORACLE [FIRST-SEED [COUNT]]     generated programs
//   node scripts/arm64-oracle/main.ts objects ORACLE DISASSEMBLER OBJECT…    programs of objects that are accepted; their
//                                                                           text also with the GNU disassembler
//   node scripts/arm64-oracle/main.ts capture ORACLE DISASSEMBLER RUNNER…    writes testdata/jit/arm64
//
// RUNNER is what run.c becomes, with the words before it that it needs (qemu-aarch64).
// ORACLE is what build.sh builds, DISASSEMBLER what gnu-disassemble.c becomes with libraries that know aarch64.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { loadImage } from '../../src/kernel/image/load.ts';
import { openSimulatedKernel } from '../../src/kernel/index.ts';
import { randomProgram } from '../../src/kernel/jit/arm64/testing/random-program.ts';
import { testInput } from '../../src/kernel/jit/arm64/testing/test-image.ts';
import type { JitOutput } from '../../src/kernel/jit/jit.ts';
import { Database } from '../../src/kernel/store/database.ts';
import { foreignInput } from '../../src/kernel/syscall/foreign-code.ts';
import { loadObject } from '../../src/object/load.ts';
import { openObject } from '../../src/object/open.ts';
import { entryPrograms } from '../../src/object/spec.ts';
import { wordPieces } from '../../src/print/arm64/disassembler.ts';
import { capture } from './capture.ts';
import { ask, ours, type Question } from './oracle.ts';

const BATCH = 500;
const MAX_SHOWN = 3;

/** Counts, and the first differences. */
class Report {
  readonly counts = new Map<string, number>();

  count(what: string, n = 1): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + n);
  }

  differ(what: string, where: string, own: string, theirs: string): void {
    this.count(what);
    if ((this.counts.get(what) ?? 0) <= MAX_SHOWN) console.log(`${where}: ${what}\n  ours  ${own}\n  theirs ${theirs}`);
  }

  end(): void {
    for (const [what, n] of this.counts) console.log(`${what}: ${n}`);
    process.exitCode = [...this.counts.keys()].some((what) => what.startsWith('different')) ? 1 : 0;
  }
}

function random(report: Report, oracle: string, first = '1', count = '10000'): void {
  for (let seed = Number(first), end = seed + Number(count); seed < end; seed += BATCH) {
    const seeds = Array.from({ length: Math.min(BATCH, end - seed) }, (_, i) => seed + i);
    const questions = seeds.map((s): Question => {
      const p = randomProgram(s);
      return { program: testInput(p), addresses: p.addresses, privateStacks: p.privateStacks };
    });
    ask(oracle, questions)
      .slice(0, seeds.length)
      .forEach((theirs, i) => {
        const { answer, code } = ours(questions[i]);
        report.count('programs');
        report.count(
          'words',
          code.reduce((sum, c) => sum + c.bytes.length / 4, 0),
        );
        if (answer !== theirs) report.differ('different code', `seed ${seeds[i]}`, answer, theirs);
      });
  }
}

/** The text of every instruction against the GNU disassembler's. */
function compareText(report: Report, where: string, disassembler: string, code: readonly JitOutput[]): void {
  const input = code.map((c) => `${c.address.toString(16)} ${Buffer.from(c.bytes).toString('hex')}\n`).join('');
  const { stdout } = spawnSync(disassembler, ['aarch64'], { input, maxBuffer: 1 << 30 });
  const runs = stdout.toString().split('\n\n');
  code.forEach(({ bytes, address }, f) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const lines = runs[f].split('\n');
    for (let at = 0; at < bytes.length; at += 4) {
      const own = wordPieces(view.getUint32(at, true), address + BigInt(at)).join('\x1f');
      const theirs = lines[at / 4].split(' ').slice(2).join(' ');
      report.count('words');
      if (own !== theirs) report.differ('different text', where, own, theirs);
    }
  });
}

const image = loadImage();
const isFault = (error: unknown): boolean => error instanceof TypeError || error instanceof RangeError;

/** Every program of an object that is accepted, each loaded by itself. */
function object(report: Report, oracle: string, disassembler: string, path: string): void {
  const open = (): ReturnType<typeof openObject> => openObject(readFileSync(path), { path });
  const folder = mkdtempSync(join(tmpdir(), 'arm64-'));
  const statePath = join(folder, 'state.db');
  const kernel = openSimulatedKernel({ statePath, image });
  const db = new Database(statePath, () => undefined);
  const asked: { where: string; question: Question }[] = [];
  const load = (name: string): void => {
    const loaded = loadObject(kernel, open(), { programs: [name] });
    const { id, mapIds } = kernel.progInfo(loaded.programs.get(name)?.fd ?? -1);
    const row = db.get('SELECT * FROM prog WHERE id = ?', id);
    if (!row) throw new Error(`${name} is not stored`);
    const maps = mapIds.map((map) => db.get('SELECT * FROM map WHERE id = ?', map));
    const program = foreignInput(row, image, maps).input;
    const addresses = program.functions.map((_, i) => 0xffffffffc0000000n + BigInt(i) * 0x100000n);
    const privateStacks = program.functions.map((_, i) => BigInt(i + 1) << 16n);
    asked.push({ where: `${basename(path)} ${name}`, question: { program, addresses, privateStacks } });
    for (const object of [...loaded.programs.values(), ...loaded.maps.values()]) kernel.close(object.fd);
  };
  try {
    for (const { name } of entryPrograms(open())) {
      try {
        load(name);
      } catch (error) {
        report.count(`not loaded: ${(error as Error).name}`);
        if (isFault(error)) console.log(basename(path), name, error);
      }
    }
    const questions = asked.map(({ question }) => question);
    const answers = ask(oracle, questions);
    asked.forEach(({ where, question }, i) => {
      const { answer, code } = ours(question);
      report.count('programs');
      if (answer === 'BAD\n') report.count('programs refused by both');
      if (answer !== answers[i]) report.differ('different code', where, answer, answers[i]);
      compareText(report, where, disassembler, code);
    });
  } catch (error) {
    report.count(`objects: ${(error as Error).name}`);
    if (isFault(error)) console.log(basename(path), error);
  } finally {
    kernel.closeAll();
    rmSync(folder, { recursive: true });
  }
}

const [what, oracle, ...rest] = process.argv.slice(2);
const report = new Report();
if (what === 'capture') capture(oracle, ...(rest as [string, ...string[]]));
else if (what === 'random') random(report, oracle, ...rest);
else for (const path of rest.slice(1)) object(report, oracle, rest[0], path);
report.end();
