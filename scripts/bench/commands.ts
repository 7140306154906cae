// Whole processes side by side: bpftool-ts, then the real bpftool ($BPFTOOL, or the one in PATH), in turns, so that what
// else the machine does falls on both. Shows medians and the ratio of medians, and the limits that are kept to.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BTF_KIND } from '../../src/btf/btf.ts';
import { loadImage } from '../../src/kernel/image/load.ts';
import { objectPath } from '../corpus.ts';
import { type Environment, medianOf, peakMemory, type Sample, timeRun } from './measure.ts';

const ROUNDS = 15;
const MAX_MEMORY = 120;
/** In front of all other processes: the clock then shows what it would on an idle machine. */
const REALTIME = ['chrt', '-f', '1'];

const DOCUMENT = new URL('../../docs/speed.md', import.meta.url);
const BLOCK = /(<!-- bench -->)[\s\S]*(<!-- \/bench -->)/;
/** Shown by the kernel; bpftool-ts shows that of its image under the same name. */
const SYSFS_VMLINUX = '/sys/kernel/btf/vmlinux';

interface Row {
  what: string;
  words: readonly string[];
  /** Most of the real tool's wall time, as a factor. */
  ratio?: number;
  /** Most milliseconds more than Node needs to start. */
  aboveNode?: number;
}

/** What is measured; `vmlinux` is a plain file, `struct` the id of a struct in it. */
const rowsFor = (vmlinux: string, struct: number): readonly Row[] => {
  const dump = (file: string, ...format: string[]): string[] => ['btf', 'dump', 'file', file, ...format];
  return [
    { what: 'version', words: ['version'] },
    { what: 'vmlinux, raw', words: dump(vmlinux, 'format', 'raw'), ratio: 1 },
    { what: 'vmlinux, raw, from /sys', words: dump(SYSFS_VMLINUX, 'format', 'raw'), ratio: 1 },
    { what: 'vmlinux, raw, JSON', words: ['--json', ...dump(vmlinux, 'format', 'raw')] },
    { what: 'vmlinux, C', words: dump(vmlinux, 'format', 'c'), ratio: 1.5 },
    { what: 'vmlinux, C, from /sys', words: dump(SYSFS_VMLINUX, 'format', 'c'), ratio: 1.5 },
    { what: 'vmlinux, C, unsorted', words: dump(vmlinux, 'format', 'c', 'unsorted') },
    { what: 'vmlinux, C, one struct', words: dump(vmlinux, 'format', 'c', 'root_id', String(struct)), aboveNode: 60 },
    { what: 'an object, C', words: dump(objectPath('btf_types'), 'format', 'c') },
    { what: 'prog show', words: ['prog', 'show'] },
  ];
};

const cell = (value: number | undefined, unit: string, width = 9): string =>
  (value === undefined ? '-' : `${value.toFixed(0)} ${unit}`).padStart(width);

const ratioCell = (a: number | undefined, b: number | undefined): string =>
  (a !== undefined && b ? (a / b).toFixed(2) : '-').padStart(7);

/** The limits of a row, and whether they hold. */
const verdict = (
  row: Row,
  ours: Sample,
  real: Sample | undefined,
  node: Sample,
  memory: number | undefined,
): string => {
  const limits: string[] = [];
  let over = false;
  if (row.ratio !== undefined && real) {
    limits.push(`${row.ratio.toFixed(1)} times`);
    over ||= ours.wall > real.wall * row.ratio;
  }
  if (row.aboveNode !== undefined) {
    limits.push(`Node + ${row.aboveNode} ms`);
    over ||= ours.wall > node.wall + row.aboveNode;
  }
  if (limits.length === 0) return '';
  if (memory !== undefined && memory > MAX_MEMORY) over = true;
  return `  ${limits.join(', ')}, ${MAX_MEMORY} MiB${over ? ': over' : ''}`;
};

const HEAD =
  `${''.padEnd(26)}${'wall'.padStart(9)}${'real'.padStart(9)}${'ratio'.padStart(7)}` +
  `${'CPU'.padStart(9)}${'real'.padStart(9)}${'ratio'.padStart(7)}${'memory'.padStart(9)}${'real'.padStart(9)}  limit\n`;

const run = (folder: string, rounds: number, before: readonly string[]): string => {
  let all = '';
  const say = (line: string): void => {
    process.stdout.write(line);
    all += line;
  };
  // A certificate list that Node would read at every start is no part of what is measured.
  const env: Environment = { ...process.env, BPFTOOL_STATE: join(folder, 'kernel.db'), NODE_EXTRA_CA_CERTS: undefined };
  const ours = [...before, process.execPath, fileURLToPath(new URL('../../dist/bpftool.cjs', import.meta.url))];
  const real = [...before, process.env.BPFTOOL ?? 'bpftool'];
  const image = loadImage();
  const vmlinux = join(folder, 'vmlinux');
  writeFileSync(vmlinux, image.btfBytes());

  const idle: Sample[] = [];
  for (let i = 0; i < rounds; i++) idle.push(timeRun([...before, process.execPath, '-e', '0'], env) as Sample);
  const node = medianOf(idle) as Sample;
  say(HEAD);
  say(`${'Node by itself'.padEnd(26)}${cell(node.wall, 'ms')}${cell(node.cpu, 'ms', 25)}\n`);

  for (const row of rowsFor(vmlinux, image.btf().find('sk_buff', BTF_KIND.STRUCT))) {
    const samples: [Sample[], Sample[]] = [[], []];
    const realRuns = !row.words.includes(SYSFS_VMLINUX) || existsSync(SYSFS_VMLINUX);
    for (let i = 0; i < rounds; i++) {
      for (const [side, tool] of [ours, real].entries()) {
        if (side === 1 && !realRuns) continue;
        const sample = timeRun([...tool, ...row.words], env);
        if (sample) samples[side].push(sample);
      }
    }
    const [a, b] = samples.map(medianOf);
    if (!a) throw new Error(`bpftool-ts fails: ${row.words.join(' ')}`);
    const memory = peakMemory([...ours, ...row.words], env);
    const realMemory = b && peakMemory([...real, ...row.words], env);
    say(
      `${row.what.padEnd(26)}${cell(a.wall, 'ms')}${cell(b?.wall, 'ms')}${ratioCell(a.wall, b?.wall)}` +
        `${cell(a.cpu, 'ms')}${cell(b?.cpu, 'ms')}${ratioCell(a.cpu, b?.cpu)}` +
        `${cell(memory, 'MiB')}${cell(realMemory, 'MiB')}${verdict(row, a, b, node, memory)}\n`,
    );
  }
  return all;
};

/** Puts the result into the document about it. */
const writeDocument = (result: string): void => {
  const text = readFileSync(DOCUMENT, 'utf8');
  writeFileSync(DOCUMENT, text.replace(BLOCK, `$1\n\`\`\`\n${result}\`\`\`\n$2`));
};

/** Measures and prints everything. */
export const benchCommands = ({ rounds = ROUNDS, realtime = false, write = false }): void => {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  try {
    const result = run(folder, rounds, realtime ? REALTIME : []);
    if (write) writeDocument(result);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
