// Builds dist/bpftool.cjs (the command line, one file) and dist/lib (the library: JavaScript and types).
import { execFileSync } from 'node:child_process';
import { chmodSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { bundleOptions } from './bundle.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
rmSync(`${root}dist`, { recursive: true, force: true });

await build({
  ...bundleOptions(root),
  entryPoints: ['cmd/main.ts'],
  outfile: 'dist/bpftool.cjs',
  external: ['koffi', 'iced-x86', 'graphviz-cli'],
});
chmodSync(`${root}dist/bpftool.cjs`, 0o755);

if (!process.argv.includes('--cli-only')) {
  execFileSync(process.execPath, [`${root}node_modules/typescript/bin/tsc`, '-p', `${root}tsconfig.build.json`], {
    stdio: 'inherit',
  });
}
