// npm run parity [-- --live] [-- --diff] [OBJECT…]
//
// Compares with what Linux 6.18 and bpftool 7.8 said (testdata/corpus/expected) and writes PARITY.md. With --live the
// programs go through the running kernel instead of the simulated one, and nothing is written. --diff shows the first
// differing lines. Exit status 1 when a number is lower than the one in PARITY.md.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { compareAll, type OnDifference } from './parity/compare.ts';
import { DELIBERATE } from './parity/deliberate.ts';
import { Ledger, METRICS, type Metric } from './parity/ledger.ts';
import { outsideSections } from './parity/outside.ts';
import { runsSection } from './parity/runs.ts';

const file = fileURLToPath(new URL('../PARITY.md', import.meta.url));
const words = process.argv.slice(2);
const live = words.includes('--live');
const diff = words.includes('--diff');
const only = words.filter((w) => !w.startsWith('--'));

const LINES = 6;

const showDifference: OnDifference = (metric, what, ours, theirs) => {
  if (!diff) return;
  const a = ours.split('\n');
  const b = theirs.split('\n');
  const at = b.findIndex((line, i) => line !== a[i]);
  const from = Math.max(0, (at < 0 ? b.length : at) - 2);
  const cut = (lines: string[]): string =>
    lines
      .slice(from, from + LINES)
      .map((l) => l.slice(0, 300))
      .join('\n');
  process.stdout.write(`--- ${metric}: ${what}, line ${at + 1}\n<<< ours\n${cut(a)}\n>>> real\n${cut(b)}\n`);
};

const ledger = new Ledger();
if (live) {
  const { openLiveKernel } = await import('../src/live/live-kernel.ts');
  await compareAll(openLiveKernel, ledger, showDifference, only);
} else {
  const { openSimulatedKernel } = await import('../src/kernel/index.ts');
  await compareAll(() => openSimulatedKernel({ statePath: ':memory:' }), ledger, showDifference, only);
}

const table = [...ledger.rows()].map(
  ([metric, entry, share]) => `| ${metric} | ${METRICS[metric]} | ${entry.equal} | ${entry.total} | ${share} |`,
);
const differing = [...ledger.rows()].flatMap(([metric, entry]) =>
  entry.differing.map((what) => `- ${metric}: ${what}`),
);

const page = `# Parity

What equals the real thing, byte for byte: Linux 6.18 on x86-64 and bpftool 7.8 with libbpf 1.8. Made by \`npm run parity\`; the
corpus is \`testdata/corpus\`, the truth was captured by \`scripts/capture.ts\`. Ids, times and addresses are masked.

| metric | compares | equal | of | share |
|---|---|---:|---:|---:|
${table.join('\n')}

## Differing

${differing.length ? differing.join('\n') : 'Nothing.'}

${outsideSections()}
${runsSection()}
## Deliberate differences

${DELIBERATE.map(({ what, why }) => `- ${what}. ${why}`).join('\n')}
`;

/** Numbers of an earlier ledger by metric. */
function earlier(): Map<Metric, number> {
  if (!existsSync(file)) return new Map();
  const [own] = readFileSync(file, 'utf8').split('\n## ');
  const rows = own.matchAll(/^\| (.+?) \| .+? \| (\d+) \| \d+ \|/gm);
  return new Map([...rows].map(([, metric, equal]) => [metric as Metric, Number(equal)]));
}

for (const [metric, entry, share] of ledger.rows()) {
  process.stdout.write(`${metric.padEnd(12)} ${String(entry.equal).padStart(4)} of ${entry.total}  ${share}\n`);
}
if (!live && only.length === 0) {
  const before = earlier();
  const fallen = [...ledger.rows()].filter(([metric, entry]) => entry.equal < (before.get(metric) ?? 0));
  for (const [metric, entry] of fallen) {
    process.stdout.write(`${metric} fell from ${before.get(metric)} to ${entry.equal}\n`);
  }
  if (process.env.CI === undefined) writeFileSync(file, page);
  if (fallen.length > 0) process.exitCode = 1;
}
