// Captures what the running Linux and the real bpftool say of the corpus, into testdata/corpus/expected.
//
//   BPFTOOL=/path/to/bpftool LIBBPF=/path/to/libbpf-prefix node scripts/capture.ts [OBJECT… | @system]
//
// CORPUS names another folder than testdata/corpus, with the objects in obj/: see scripts/outside.ts.
// Needs root on Linux 6.18 x86-64 with a bpf file system, a bpftool 7.8 built with libbfd, and libbpf 1.8 (headers in
// $LIBBPF/include, $LIBBPF/libbpf.a). Programs are pinned in a folder of their own and removed again.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CapturedObject, CapturedProgram } from './corpus.ts';
import {
  BTF_TEXTS,
  objectFolder,
  objectNames,
  PROG_TEXTS,
  SYSTEM_TEXTS,
  sha256,
  VMLINUX_TEXTS,
  writeExpected,
  writeSystem,
} from './corpus.ts';

const bpftool = process.env.BPFTOOL ?? 'bpftool';
const libbpf = process.env.LIBBPF;
const pins = `/sys/fs/bpf/bpftool-ts-capture-${process.pid}`;
const work = mkdtempSync(join(tmpdir(), 'capture-'));
const oracle = join(work, 'oracle');

const run = (words: readonly string[]): { status: number; stdout: string; stderr: string } => {
  const env = { ...process.env, TZ: 'UTC' };
  const r = spawnSync(bpftool, words, { encoding: 'latin1', maxBuffer: 1 << 29, env, cwd: objectFolder });
  return { status: r.status ?? -1, stdout: r.stdout, stderr: r.stderr };
};

function captureProgram(object: string, name: string, section: string): CapturedProgram {
  const pin = join(pins, name);
  const ask = (level: number, ...more: string[]): { errno: number; log: string } => {
    const log = join(work, 'log');
    const out = execFileSync(oracle, [object, name, String(level), log, ...more], {
      encoding: 'utf8',
      cwd: objectFolder,
    });
    return { errno: Number(out.trim()), log: readFileSync(log, 'latin1') };
  };
  const first = ask(1, pin);
  const second = ask(2);
  const program: CapturedProgram = { name, section, errno: first.errno, log1: first.log, log2: second.log };
  if (first.errno !== 0) return program;

  const bytes = (what: string): string => {
    const file = join(work, what);
    run(['prog', 'dump', what, 'pinned', pin, 'file', file]);
    return readFileSync(file).toString('hex');
  };
  program.xlated = bytes('xlated');
  program.jited = bytes('jited');
  const info = JSON.parse(run(['-j', 'prog', 'show', 'pinned', pin]).stdout);
  program.texts = {};
  for (const words of PROG_TEXTS) {
    const handles = words.includes('MAP')
      ? (info.map_ids ?? []).map((id: number) => ['id', String(id)])
      : [['pinned', pin]];
    program.texts[words.join(' ')] = handles
      .map((handle: string[]) => run(words.flatMap((w) => (w === 'PROG' || w === 'MAP' ? handle : [w]))).stdout)
      .join('');
  }
  rmSync(pin);
  return program;
}

function captureObject(name: string): CapturedObject {
  // Objects are named from within their folder: messages repeat the path.
  const object = `${name}.bpf.o`;
  const list = execFileSync(oracle, [object, '?'], { encoding: 'utf8', cwd: objectFolder }).trim().split('\n');
  const programs = list.map((line) => {
    const [program, section] = line.split(' ');
    return captureProgram(object, program, section);
  });
  const btf = Object.fromEntries(
    BTF_TEXTS.map((words) => [words.join(' '), run(words.map((w) => (w === 'OBJECT' ? object : w))).stdout]),
  );
  const all = join(pins, 'all');
  const { status, stderr } = run(['prog', 'loadall', object, all]);
  rmSync(all, { recursive: true, force: true });
  return { object: name, programs, btf, load: { status, stderr } };
}

/** Objects that libbpf cannot open are named and left out. */
function tryCapture(name: string): CapturedObject | undefined {
  try {
    return captureObject(name);
  } catch (e) {
    process.stdout.write(`${name}: left out: ${e instanceof Error ? e.message.split('\n')[0] : e}\n`);
    return undefined;
  }
}

if (!libbpf) throw new Error('LIBBPF names the folder with include/ and libbpf.a');
mkdirSync(pins, { recursive: true });
try {
  const source = fileURLToPath(new URL('./capture/oracle.c', import.meta.url));
  execFileSync('cc', ['-O1', '-o', oracle, source, `-I${libbpf}/include`, join(libbpf, 'libbpf.a'), '-lelf', '-lz']);
  const wanted = process.argv.slice(2);
  if (wanted.length === 0 || wanted.includes('@system')) {
    const texts = (list: readonly string[][]): [string, string][] =>
      list.map((words) => [words.join(' '), run(words).stdout]);
    const hashes = texts(VMLINUX_TEXTS).map(([words, text]) => [words, sha256(text)]);
    writeSystem({ vmlinux: Object.fromEntries(hashes), texts: Object.fromEntries(texts(SYSTEM_TEXTS)) });
  }
  for (const name of wanted.length ? wanted.filter((w) => w !== '@system') : objectNames()) {
    const captured = tryCapture(name);
    if (captured === undefined) continue;
    writeExpected(captured);
    const refused = captured.programs.filter((p) => p.errno !== 0).length;
    process.stdout.write(`${name}: ${captured.programs.length - refused} accepted, ${refused} refused\n`);
  }
} finally {
  rmSync(pins, { recursive: true, force: true });
  rmSync(work, { recursive: true, force: true });
}
