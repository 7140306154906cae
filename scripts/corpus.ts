// The corpus on disk: objects, and what the real kernel and the real bpftool said of each of their programs.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';

/** CORPUS names another folder with obj/ (and then expected/): objects that are not of this project. */
const root = process.env.CORPUS ?? fileURLToPath(new URL('../testdata/corpus/', import.meta.url));

/** What was printed for one accepted program; ids, times and addresses are still those of the capture. */
export interface CapturedProgram {
  name: string;
  section: string;
  /** 0 or a positive error number. */
  errno: number;
  log1: string;
  log2: string;
  /** Hex of the bytes; absent when rejected. */
  xlated?: string;
  jited?: string;
  /** Standard output of bpftool by its words, such as "prog dump xlated opcodes". */
  texts?: Record<string, string>;
}

export interface CapturedObject {
  object: string;
  programs: CapturedProgram[];
  /** `btf dump file` in each format. */
  btf: Record<string, string>;
  /** `prog loadall` of the whole object: exit status and standard error. */
  load: { status: number; stderr: string };
}

/** What does not depend on an object: SHA-256 of the dumps of vmlinux, and the text of the probes. */
export interface CapturedSystem {
  vmlinux: Record<string, string>;
  texts: Record<string, string>;
}

export const VMLINUX_TEXTS: readonly string[][] = [
  ['btf', 'dump', 'file', '/sys/kernel/btf/vmlinux', 'format', 'raw'],
  ['btf', 'dump', 'file', '/sys/kernel/btf/vmlinux', 'format', 'c'],
  ['-j', 'btf', 'dump', 'file', '/sys/kernel/btf/vmlinux', 'format', 'raw'],
];

export const SYSTEM_TEXTS: readonly string[][] = [
  ['feature', 'probe'],
  ['-j', 'feature', 'probe', 'full'],
  ['feature', 'probe', 'macros', 'prefix', 'X_'],
  ...['prog_types', 'map_types', 'attach_types', 'link_types', 'helpers'].flatMap((group) => [
    ['feature', 'list_builtins', group],
    ['-j', 'feature', 'list_builtins', group],
  ]),
  ['version'],
];

/** Words after `prog` or `map`, run on the loaded program; PROG and MAPS stand for handles. */
export const PROG_TEXTS: readonly string[][] = [
  ['prog', 'show', 'PROG'],
  ['-j', 'prog', 'show', 'PROG'],
  ['-p', 'prog', 'show', 'PROG'],
  ['prog', 'dump', 'xlated', 'PROG'],
  ['prog', 'dump', 'xlated', 'PROG', 'opcodes'],
  ['prog', 'dump', 'xlated', 'PROG', 'linum'],
  ['prog', 'dump', 'xlated', 'PROG', 'visual'],
  ['-j', 'prog', 'dump', 'xlated', 'PROG', 'opcodes', 'linum'],
  ['prog', 'dump', 'jited', 'PROG'],
  ['prog', 'dump', 'jited', 'PROG', 'opcodes', 'linum'],
  ['-j', 'prog', 'dump', 'jited', 'PROG', 'opcodes', 'linum'],
  ['map', 'show', 'MAP'],
  ['-j', 'map', 'show', 'MAP'],
];

export const BTF_TEXTS: readonly string[][] = [
  ['btf', 'dump', 'file', 'OBJECT', 'format', 'raw'],
  ['btf', 'dump', 'file', 'OBJECT', 'format', 'c'],
  ['-j', 'btf', 'dump', 'file', 'OBJECT', 'format', 'raw'],
  ['-p', 'btf', 'dump', 'file', 'OBJECT', 'format', 'c', 'unsorted'],
];

/** Where the objects are. */
export const objectFolder = join(root, 'obj');

export const objectPath = (name: string): string => join(objectFolder, `${name}.bpf.o`);

const systemPath = join(root, 'expected', '@system.json.zst');

export const sha256 = (text: string): string => createHash('sha256').update(text, 'latin1').digest('hex');

const readPacked = <T>(path: string): T => JSON.parse(zstdDecompressSync(readFileSync(path)).toString());
function writePacked(path: string, value: unknown): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, zstdCompressSync(Buffer.from(JSON.stringify(value, null, 1))));
}

export const readSystem = (): CapturedSystem => readPacked(systemPath);
export const writeSystem = (captured: CapturedSystem): void => writePacked(systemPath, captured);

export const objectNames = (): string[] =>
  readdirSync(objectFolder)
    .filter((f) => f.endsWith('.bpf.o'))
    .map((f) => f.slice(0, -'.bpf.o'.length))
    .sort();

const expectedPath = (name: string): string => join(root, 'expected', `${name}.json.zst`);

export const readExpected = (name: string): CapturedObject => readPacked(expectedPath(name));
export const writeExpected = (captured: CapturedObject): void => writePacked(expectedPath(captured.object), captured);
