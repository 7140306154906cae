// [BPFTOOL=…] [CLANG=…] node scripts/split-objects.ts [COUNT [SEED [FOLDER]]]: random programs in one to four C files,
// compiled and linked by the real `bpftool gen object` and by ours; says which results or messages differ.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { strerror } from '../src/errno.ts';
import { ObjectError } from '../src/object/errors.ts';
import { Linker } from '../src/object/link/linker.ts';
import { randomSource } from './random.ts';
import { ProgramSource } from './split/program.ts';

const bpftool = process.env.BPFTOOL ?? 'bpftool';
const clang = process.env.CLANG ?? 'clang-19';
const [count = 200, seed = 1] = process.argv.slice(2, 4).map(Number);
const folder = process.argv[4] ?? mkdtempSync(join(tmpdir(), 'split-objects-'));

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

let differing = 0;
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
  writeFileSync(join(place, 'ours.o'), here.bytes);
  if (there.bytes.length) linked++;
  else refused++;
  if (Buffer.compare(there.bytes, here.bytes) === 0 && there.messages === here.messages) continue;
  differing++;
  const sizes = `${statSync(join(place, 'linked.o')).size} and ${here.bytes.length} bytes`;
  process.stdout.write(`${place}: ${sizes}\n-- theirs\n${there.messages}-- ours\n${here.messages}`);
}
process.stdout.write(`${count} programs: ${linked} linked, ${refused} refused, ${differing} differ (${folder})\n`);
process.exitCode = differing ? 1 : 0;
