// [BPFTOOL=…] [CLANG=…] node scripts/split-objects.ts [COUNT [SEED [FOLDER]]] [--load]: random programs in one to four C
// files, compiled and linked by the real `bpftool gen object` and by ours; says which results or messages differ. With
// --load each result is loaded, too (the real one into the running kernel), and types, messages, verdicts, maps and
// programs are compared.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { strerror } from '../src/errno.ts';
import { ObjectError } from '../src/object/errors.ts';
import { Linker } from '../src/object/link/linker.ts';
import { differingLine } from './lines.ts';
import { recordRun } from './parity/runs.ts';
import { randomSource } from './random.ts';
import { loadHere, loadThere } from './split/load.ts';
import { ProgramSource } from './split/program.ts';

const bpftool = process.env.BPFTOOL ?? 'bpftool';
const clang = process.env.CLANG ?? 'clang-19';
const args = process.argv.slice(2).filter((word) => word !== '--load');
const [count = 200, seed = 1] = args.slice(0, 2).map(Number);
const folder = args[2] ?? mkdtempSync(join(tmpdir(), 'split-objects-'));

interface Result {
  bytes: Uint8Array;
  messages: string;
}

const compile = (source: string, object: string, target: string): void => {
  const words = ['-O2', '-g', '-Wno-everything', '-target', target, '-mcpu=v3', '-c', source, '-o', object];
  const r = spawnSync(clang, words, { encoding: 'utf8' });
  if (r.status !== 0) throw new Error(`${clang} ${words.join(' ')}\n${r.stderr}`);
};

const linkThere = (output: string, objects: readonly string[]): Result => {
  rmSync(output, { force: true });
  const { stderr } = spawnSync(bpftool, ['gen', 'object', output, ...objects], { encoding: 'utf8' });
  return { bytes: readFileSync(output), messages: stderr };
};

const linkHere = (objects: readonly string[]): Result => {
  let messages = '';
  const linker = new Linker((level, text) => {
    if (level === 'warn') messages += text;
  });
  for (const object of objects) {
    try {
      linker.add(readFileSync(object), object);
    } catch (error) {
      if (!(error instanceof ObjectError)) throw error;
      messages += `Error: failed to link '${object}': ${strerror(error.errno)} (${error.errno})\n`;
      return { bytes: new Uint8Array(0), messages };
    }
  }
  return { bytes: linker.finish(), messages };
};

/** Loads both results; false after saying what differs. */
const loadsAlike = async (place: string): Promise<boolean> => {
  const there = loadThere(bpftool, join(place, 'linked.o'));
  loaded += Number(there.pinned.length > 0);
  const here = await loadHere(join(place, 'ours', 'linked.o'), there.pinned, join(place, 'kernel.db'));
  const fault = there.answers.findIndex((answer, i) => answer !== here[i]);
  if (fault < 0) return true;
  const line = differingLine(there.answers[fault], here[fault]);
  process.stdout.write(`${place}: loaded, answer ${fault}: ${line}\n`);
  return false;
};

let differing = 0;
let loaded = 0;
let linked = 0;
let refused = 0;
for (let n = 0; n < count; n++) {
  const random = randomSource((seed + n) * 2654435761);
  const place = join(folder, `${seed + n}`);
  mkdirSync(place, { recursive: true });
  const target = random.below(10) === 0 ? 'bpfeb' : 'bpf';
  const objects = new ProgramSource(random).files().map((text, i) => {
    const source = join(place, `${i}.c`);
    const object = join(place, `${i}.o`);
    writeFileSync(source, text);
    compile(source, object, target);
    return object;
  });
  const there = linkThere(join(place, 'linked.o'), objects);
  const here = linkHere(objects);
  // The same name, since maps are named after the file.
  mkdirSync(join(place, 'ours'), { recursive: true });
  writeFileSync(join(place, 'ours', 'linked.o'), here.bytes);
  if (there.bytes.length) linked++;
  else refused++;
  if (Buffer.compare(there.bytes, here.bytes) === 0 && there.messages === here.messages) {
    if (!process.argv.includes('--load') || there.bytes.length === 0) continue;
    if (await loadsAlike(place)) continue;
    differing++;
    continue;
  }
  differing++;
  const sizes = `${statSync(join(place, 'linked.o')).size} and ${here.bytes.length} bytes`;
  process.stdout.write(`${place}: ${sizes}\n-- theirs\n${there.messages}-- ours\n${here.messages}`);
}
const result = `${count} programs: ${linked} linked, ${refused} refused, ${loaded} loaded by the real tool, ${differing} differ`;
process.stdout.write(`${result} (${folder})\n`);
recordRun(result);
process.exitCode = differing ? 1 : 0;
