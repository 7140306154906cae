// npm run pkg: the single executable dist/bpftool. pkg puts the bundle and its assets into a copy of the running Node;
// nothing is downloaded.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { bundleOptions } from './bundle.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const require = createRequire(import.meta.url);
const image = 'linux-6.18-x86_64';
const output = join(root, 'dist', process.platform === 'win32' ? 'bpftool.exe' : 'bpftool');
const work = mkdtempSync(join(tmpdir(), 'pkg-'));

/** The disassembler reads its WebAssembly from a file beside it: inside the executable it is an asset. */
const icedFromAsset = {
  name: 'iced-from-asset',
  setup(b) {
    b.onLoad({ filter: /iced_x86\.js$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8').replace(
        /const bytes = require\('fs'\)\.readFileSync\(path\);/,
        "const bytes = require('node:sea').getRawAsset('iced_x86_bg.wasm');",
      ),
      loader: 'js',
    }));
  },
};

try {
  const bundle = join(work, 'bpftool.cjs');
  await build({
    ...bundleOptions(root),
    entryPoints: ['cmd/executable.ts'],
    outfile: bundle,
    external: ['koffi'],
    plugins: [icedFromAsset],
  });
  const node = join(work, 'node');
  copyFileSync(process.execPath, node);
  try {
    execFileSync('strip', [node], { stdio: 'ignore' });
  } catch {
    // Without binutils the executable is larger, no more.
  }
  const data = join(root, 'data', image);
  const assets = {
    'iced_x86_bg.wasm': join(root, 'node_modules/iced-x86/iced_x86_bg.wasm'),
    ...Object.fromEntries(readdirSync(data).map((file) => [`data/${file}`, join(data, file)])),
  };
  const { default: sea } = require('pkg/lib-es5/sea.js');
  await sea(bundle, {
    nodePath: node,
    signature: process.platform === 'darwin',
    targets: [
      {
        nodeRange: 'node24',
        platform: process.platform === 'darwin' ? 'macos' : process.platform,
        arch: process.arch,
        output,
      },
    ],
    seaConfig: { disableExperimentalSEAWarning: true, useSnapshot: false, useCodeCache: true, assets },
  });
} finally {
  rmSync(work, { recursive: true, force: true });
}
