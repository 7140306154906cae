// The corpus on disk: objects, and what the real kernel and the real bpftool said of each of their programs.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';

const root = fileURLToPath(new URL('../testdata/corpus/', import.meta.url));

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

export const objectNames = (): string[] =>
  readdirSync(objectFolder)
    .filter((f) => f.endsWith('.bpf.o'))
    .map((f) => f.slice(0, -'.bpf.o'.length))
    .sort();

const expectedPath = (name: string): string => join(root, 'expected', `${name}.json.zst`);

export const readExpected = (name: string): CapturedObject =>
  JSON.parse(zstdDecompressSync(readFileSync(expectedPath(name))).toString());

export const writeExpected = (captured: CapturedObject): void =>
  writeFileSync(expectedPath(captured.object), zstdCompressSync(Buffer.from(JSON.stringify(captured, null, 1))));
