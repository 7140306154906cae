// node scripts/code-cache.mjs LAUNCHER SCRIPT
//
// Runs the command line's first script for a few commands and writes what V8 has compiled by then beside it. V8 takes
// the cache only where it is the same version; any other compiles as usual.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import v8 from 'node:v8';
import { Script } from 'node:vm';

const [launcher, filename] = process.argv.slice(2);
const dump = ['btf', 'dump', 'file', '/sys/kernel/btf/vmlinux'];
const COMMANDS = [
  ['version'],
  [...dump, 'format', 'c'],
  [...dump, 'format', 'c', 'root_id', '1'],
  [...dump, 'format', 'raw'],
  ['--json', ...dump, 'root_id', '1'],
];

// V8's flags are part of the key of a cache, which has to be the key that processes start with.
v8.setFlagsFromString = () => undefined;

const script = new Script(readFileSync(filename, 'latin1'), { filename });
const start = script.runInThisContext();
const next = () => {
  const words = COMMANDS.shift();
  if (!words) {
    writeFileSync(`${filename}.cache`, script.createCachedData());
    process.off('beforeExit', next);
    return;
  }
  if (process.exitCode) throw new Error('a command failed');
  process.argv.splice(1, Infinity, launcher, ...words);
  start(createRequire(launcher), pathToFileURL(launcher).href);
  // Node tells of a second end only if something has happened since the first one.
  setImmediate(() => undefined);
};
// A command is done when nothing is left to wait for.
process.on('beforeExit', next);
