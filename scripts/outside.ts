// CORPUS=FOLDER node scripts/outside.ts NAME [--diff] [OBJECT…]
//
// Compares objects that are not of this project, such as the kernel's own selftests, with what `scripts/capture.ts`
// captured of them in the same folder. Results are kept per object in FOLDER/results, so that a run can go on where it
// was cut off; objects that are named are compared again. The sum is written to testdata/outside/NAME.json, from
// where it goes into PARITY.md.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openSimulatedKernel } from '../src/kernel/index.ts';
import { objectNames, readExpected } from './corpus.ts';
import { compareObject, type OnDifference, refusedUnseen } from './parity/compare.ts';
import { Ledger, METRICS, type Metric } from './parity/ledger.ts';
import type { OutsideResult } from './parity/outside.ts';

const folder = process.env.CORPUS;
const words = process.argv.slice(2);
const [name, ...only] = words.filter((w) => !w.startsWith('--'));
if (folder === undefined || name === undefined) throw new Error('CORPUS=FOLDER node scripts/outside.ts NAME [OBJECT…]');
const results = join(folder, 'results');
const resultPath = (object: string): string => join(results, `${object}.json`);
mkdirSync(results, { recursive: true });

const showDifference: OnDifference = (metric, what, ours, theirs) => {
  const a = ours.split('\n');
  const b = theirs.split('\n');
  const at = b.findIndex((line, i) => line !== a[i]);
  const line = (lines: string[]): string => (lines[at < 0 ? lines.length - 1 : at] ?? '').slice(0, 240);
  process.stdout.write(`${metric}: ${what}, line ${at + 1}\n  ours ${line(a)}\n  real ${line(b)}\n`);
};

const captured = objectNames().filter((object) => existsSync(join(folder, 'expected', `${object}.json.zst`)));
for (const object of captured) {
  if (only.length > 0 ? !only.includes(object) : existsSync(resultPath(object))) continue;
  const ledger = new Ledger();
  const start = performance.now();
  const onDifference = words.includes('--diff') ? showDifference : (): void => undefined;
  await compareObject(() => openSimulatedKernel({ statePath: ':memory:' }), object, ledger, onDifference);
  const seconds = (performance.now() - start) / 1000;
  writeFileSync(resultPath(object), JSON.stringify(Object.fromEntries(ledger.entries)));
  if (seconds > 20) process.stdout.write(`${object}: ${seconds.toFixed(0)} s\n`);
}

const sum = new Ledger();
let programs = 0;
let accepted = 0;
let wronglyAccepted = 0;
for (const object of captured) {
  if (!existsSync(resultPath(object))) continue;
  const entries = Object.entries(JSON.parse(readFileSync(resultPath(object), 'utf8'))) as [
    Metric,
    { total: number; differing: string[] },
  ][];
  for (const [metric, { total, differing }] of entries) {
    for (const what of differing) sum.record(metric, what, false);
    for (let i = differing.length; i < total; i++) sum.record(metric, '', true);
  }
  const truth = readExpected(object).programs.filter((p) => !refusedUnseen(p));
  programs += truth.length;
  accepted += truth.filter((p) => p.errno === 0).length;
  const verdicts = entries.find(([metric]) => metric === 'verdict')?.[1].differing ?? [];
  wronglyAccepted += truth.filter((p) => p.errno !== 0 && verdicts.includes(`${object}/${p.name}`)).length;
}
const result: OutsideResult = {
  objects: captured.filter((object) => existsSync(resultPath(object))).length,
  programs,
  accepted,
  wronglyAccepted,
  metrics: Object.fromEntries([...sum.rows()].map(([metric, { equal, total }]) => [metric, [equal, total]])),
  differing: [...sum.rows()].flatMap(([metric, { differing }]) => differing.map((what) => `${metric}: ${what}`)),
};
for (const [metric, { equal, total }, share] of sum.rows()) {
  process.stdout.write(`${metric.padEnd(12)} ${equal} of ${total}  ${share}  ${METRICS[metric]}\n`);
}
process.stdout.write(
  `${programs} programs, ${accepted} accepted; verdicts that differ on refused ones: ${wronglyAccepted}\n`,
);
const out = fileURLToPath(new URL('../testdata/outside/', import.meta.url));
mkdirSync(out, { recursive: true });
writeFileSync(join(out, `${name}.json`), `${JSON.stringify(result, null, 1)}\n`);
