// Builds dist/bpftool.cjs (the command line, one file) and dist/lib (the library: JavaScript and types).
import { execFileSync } from 'node:child_process';
import { chmodSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
rmSync(`${root}dist`, { recursive: true, force: true });

await build({
  absWorkingDir: root,
  entryPoints: ['cmd/main.ts'],
  outfile: 'dist/bpftool.cjs',
  bundle: true,
  format: 'cjs',
  platform: 'node',
  target: 'node24',
  minify: true,
  // yargs and cli-table3 measure strings with a package that costs 30 ms to load; terminals need no more than this.
  alias: { 'string-width': './scripts/shim/string-width.cjs' },
  define: { 'import.meta.url': '__importMetaUrl' },
  banner: {
    js: `#!/usr/bin/env node
if(+process.versions.node.split('.')[0]<24){console.error('bpftool-ts needs Node 24 or newer, this is '+process.version);process.exit(1)}
const __importMetaUrl=require('node:url').pathToFileURL(__filename).href;`,
  },
  external: ['koffi', 'iced-x86', 'graphviz-cli'],
  logLevel: 'warning',
});
chmodSync(`${root}dist/bpftool.cjs`, 0o755);

if (!process.argv.includes('--cli-only')) {
  execFileSync(process.execPath, [`${root}node_modules/typescript/bin/tsc`, '-p', `${root}tsconfig.build.json`], {
    stdio: 'inherit',
  });
}
