import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CliAnswer, COMMANDS, FOLDER, maskCli } from '../scripts/cli/scenario.ts';
import { objectFolder } from '../scripts/corpus.ts';
import { openSimulatedKernel } from '../src/kernel/index.ts';
import type { Kernel } from '../src/syscall.ts';
import { keptOpen, runKept } from './test-run.ts';

const file = new URL('../testdata/cli/captured.json', import.meta.url);
const captured: (CliAnswer & { words: string })[] = JSON.parse(readFileSync(file, 'utf8'));

/**
 * Lines whose answer differs by design: usage texts are shown where bpftool's own program path stands, and what only
 * our tool has; a batch fails in the real one where its last command, a success, has left an error number behind.
 */
const DELIBERATE: ReadonlySet<string> = new Set(['version extra words', 'batch file ../../cli/batch/good.txt']);

const kernel: Kernel = openSimulatedKernel({ statePath: ':memory:' });
const kept = keptOpen(kernel);
const answers: CliAnswer[] = [];

// One line uses what earlier ones made: all are run first, in order.
beforeAll(async () => {
  kernel.treeMkdir(FOLDER);
  for (const words of COMMANDS) {
    const { status, out, err } = await runKept(
      words.map((w) => (w.endsWith('.bpf.o') || w.startsWith('../') ? join(objectFolder, w) : w)),
      () => kept,
    );
    // The capture named the objects from within their folder.
    const answer = (text: string): string => maskCli(text.replaceAll(`${objectFolder}/`, ''));
    answers.push({ status, out: answer(out), err: answer(err) });
  }
});
afterAll(() => kernel.closeAll());

describe('command lines are answered as bpftool 7.8 on Linux 6.18 answers them', () => {
  test.each(captured.map((c, i) => ({ ...c, i })).filter((c) => !DELIBERATE.has(c.words)))(
    '$i: $words',
    ({ i, status, out, err }) => {
      expect(answers[i]).toEqual({ status, out, err });
    },
  );
});
