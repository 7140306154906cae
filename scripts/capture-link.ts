// [BPFTOOL=…] [CLANG=…] [STRIP=…] node scripts/capture-link.ts: compiles the C files of each folder of testdata/link and
// keeps what the real `bpftool gen object` makes of them: linked.o where it succeeds, and messages.txt.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const bpftool = process.env.BPFTOOL ?? 'bpftool';
const clang = process.env.CLANG ?? 'clang-19';
const strip = process.env.STRIP ?? 'llvm-strip-19';
const folder = fileURLToPath(new URL('../testdata/link/', import.meta.url));
/** A file that begins with this line is compiled without types. */
const NO_TYPES = '//nobtf';

const run = (cwd: string, command: string, words: readonly string[]): void => {
  const r = spawnSync(command, words, { cwd, encoding: 'utf8' });
  if (r.status !== 0) throw new Error(`${command} ${words.join(' ')}\n${r.stderr}`);
};

const folders = readdirSync(folder).filter((name) => existsSync(join(folder, name, 'a.c')));
for (const name of folders) {
  const place = join(folder, name);
  const sources = readdirSync(place)
    .filter((file) => file.endsWith('.c'))
    .sort();
  const objects = sources.map((source) => {
    const object = source.replace(/c$/, 'o');
    const types = readFileSync(join(place, source), 'utf8').includes(NO_TYPES) ? [] : ['-g'];
    const options = ['-O2', ...types, '-Wno-everything', '-fdebug-compilation-dir=.', '-target', 'bpf', '-mcpu=v3'];
    run(place, clang, [...options, '-c', source, '-o', object]);
    run(place, strip, ['-g', object]);
    return object;
  });
  const linked = join(place, 'linked.o');
  rmSync(linked, { force: true });
  const { status, stderr } = spawnSync(bpftool, ['gen', 'object', 'linked.o', ...objects], { cwd: place });
  writeFileSync(join(place, 'messages.txt'), `${stderr}exit ${status}\n`);
  if (statSync(linked).size === 0) rmSync(linked);
}
process.stdout.write(`${folders.length} cases\n`);
