// Builds dist/bpftool.cjs and dist/chunks (the command line, by what is needed when) and dist/lib (the library:
// JavaScript and types).
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { zstdDecompressSync } from 'node:zlib';
import { build } from 'esbuild';
import { bundleOptions } from './bundle.mjs';
import { builtinModules, launcherAndChunks } from './chunks.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const cliOnly = process.argv.includes('--cli-only');
for (const part of cliOnly ? ['chunks', 'data'] : ['']) rmSync(`${root}dist/${part}`, { recursive: true, force: true });

/** Copies the kernel images with their BTF unpacked: it is read by most commands and takes 10 ms to unpack. */
function copyImages() {
  cpSync(`${root}data`, `${root}dist/data`, { recursive: true });
  for (const image of readdirSync(`${root}dist/data`)) {
    const packed = `${root}dist/data/${image}/vmlinux.btf.zst`;
    writeFileSync(packed.replace(/\.zst$/, ''), zstdDecompressSync(readFileSync(packed)));
    rmSync(packed);
  }
}

const { banner, ...options } = bundleOptions(root);
const result = await build({
  ...options,
  format: 'esm',
  splitting: true,
  metafile: true,
  write: false,
  entryPoints: ['cmd/main.ts'],
  outdir: 'dist/chunks',
  outExtension: { '.js': '.cjs' },
  plugins: [builtinModules],
  external: ['koffi', 'iced-x86', '@viz-js/viz'],
});
const { files, first } = launcherAndChunks(result, {
  launcher: 'bpftool.cjs',
  folder: 'chunks',
  // The entry, and what is used so often or so quickly done that reading another file would show.
  hot: ['cmd/main.ts', 'cmd/btf.ts', 'cmd/btf/dump.ts', 'src/kernel/image/load.ts'],
  banner: banner.js,
});
mkdirSync(`${root}dist/chunks`, { recursive: true });
copyImages();
for (const [name, text] of files) writeFileSync(`${root}dist/${name}`, text);
execFileSync(process.execPath, [`${root}scripts/code-cache.mjs`, `${root}dist/bpftool.cjs`, `${root}dist/${first}`], {
  stdio: 'ignore',
});
chmodSync(`${root}dist/bpftool.cjs`, 0o755);

if (!cliOnly) {
  execFileSync(process.execPath, [`${root}node_modules/typescript/bin/tsc`, '-p', `${root}tsconfig.build.json`], {
    stdio: 'inherit',
  });
}
