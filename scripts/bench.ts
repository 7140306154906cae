// npm run bench
//
// Times whole processes side by side in one run: bpftool-ts, and the real bpftool where $BPFTOOL or PATH has one.
// Prints the minimum of several rounds, since other work on the machine only ever adds time, and the ratio.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { objectPath } from './corpus.ts';

const ROUNDS = 7;
const root = fileURLToPath(new URL('..', import.meta.url));
const ours = [process.execPath, join(root, 'dist/bpftool.cjs')];
const real = process.env.BPFTOOL ?? 'bpftool';
const vmlinux = '/sys/kernel/btf/vmlinux';
const folder = mkdtempSync(join(tmpdir(), 'bench-'));
// A certificate list that Node would read at every start is no part of what is measured.
const env = { ...process.env, BPFTOOL_STATE: join(folder, 'kernel.db'), NODE_EXTRA_CA_CERTS: undefined };

/** Milliseconds of one run; undefined where it cannot run. */
function once(command: readonly string[]): number | undefined {
  const start = performance.now();
  const { status } = spawnSync(command[0], command.slice(1), { stdio: 'ignore', env });
  return status === 0 ? performance.now() - start : undefined;
}

const CASES: readonly { what: string; words: readonly string[]; file?: string }[] = [
  { what: 'version', words: ['version'] },
  { what: 'btf dump vmlinux, raw', words: ['btf', 'dump', 'file', vmlinux, 'format', 'raw'], file: vmlinux },
  { what: 'btf dump vmlinux, C', words: ['btf', 'dump', 'file', vmlinux, 'format', 'c'], file: vmlinux },
  { what: 'btf dump of an object, C', words: ['btf', 'dump', 'file', objectPath('btf_types'), 'format', 'c'] },
  { what: 'prog show', words: ['prog', 'show'] },
];

try {
  process.stdout.write(`${'case'.padEnd(30)} ${'bpftool-ts'.padStart(12)} ${'bpftool'.padStart(12)}   ratio\n`);
  for (const { what, words, file } of CASES) {
    const times: [number[], number[]] = [[], []];
    for (let i = 0; i < ROUNDS; i++) {
      const a = once([...ours, ...words]);
      const b = file && !existsSync(file) ? undefined : once([real, ...words]);
      if (a !== undefined) times[0].push(a);
      if (b !== undefined) times[1].push(b);
    }
    const [a, b] = times.map((t) => (t.length ? Math.min(...t) : undefined));
    const ms = (t: number | undefined): string => (t === undefined ? '-' : `${t.toFixed(0)} ms`).padStart(12);
    const ratio = a !== undefined && b !== undefined ? (a / b).toFixed(2) : '-';
    process.stdout.write(`${what.padEnd(30)} ${ms(a)} ${ms(b)}   ${ratio}\n`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
