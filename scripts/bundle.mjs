// How the command line is bundled into one CommonJS file; yargs is ESM only and asks for import.meta.url.

/** esbuild options that the script and the executable share. */
export const bundleOptions = (root) => ({
  absWorkingDir: root,
  bundle: true,
  format: 'cjs',
  platform: 'node',
  target: 'node24',
  minify: true,
  // yargs and cli-table3 measure strings with a package that costs 30 ms to load; terminals need no more than this.
  alias: { 'string-width': './scripts/shim/string-width.cjs' },
  // The second one is yargs' way to a configuration that extends another, which this tool has not.
  define: { 'import.meta.url': '__importMetaUrl', 'import.meta.resolve': 'undefined' },
  banner: {
    js: `#!/usr/bin/env node
if(+process.versions.node.split('.')[0]<24){console.error('bpftool-ts needs Node 24 or newer, this is '+process.version);process.exit(1)}
const __importMetaUrl=require('node:url').pathToFileURL(__filename).href;`,
  },
  logLevel: 'warning',
});
