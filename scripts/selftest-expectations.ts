// node scripts/selftest-expectations.ts [--log] [--hooks] OBJECT…
//
// Loads every program of the kernel's own BPF tests into the simulated kernel, and says which do not meet what their
// tags (__success, __failure, __msg, __xlated and so on) expect. --hooks looks at programs of the types tracing, lsm and
// ext only; --log shows the last lines of the log.
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { SysError } from '../src/errno.ts';
import { openObject } from '../src/object/open.ts';
import { HOOKS, runTests } from './expectations/run.ts';

const TAIL = 12;
const words = process.argv.slice(2);
const [showLog, hooksOnly] = ['--log', '--hooks'].map((word) => words.includes(word));
let passed = 0;
let failed = 0;
let missing = 0;
for (const path of words.filter((word) => !word.startsWith('--'))) {
  try {
    const object = openObject(readFileSync(path), { path });
    const types = new Map(object.programs.map((p) => [p.name, p.type]));
    if (hooksOnly && !object.programs.some((p) => HOOKS.has(p.type))) continue;
    for (const { program, name, problem, lacking, log } of runTests(object)) {
      if (hooksOnly && !HOOKS.has(types.get(program) ?? 0)) continue;
      if (problem === undefined) {
        passed++;
        continue;
      }
      if (lacking) {
        missing++;
        continue;
      }
      failed++;
      process.stdout.write(`${basename(path, '.bpf.o')}/${name}: ${problem}\n`);
      if (showLog) process.stdout.write(`    ${log.trim().split('\n').slice(-TAIL).join('\n    ')}\n`);
    }
  } catch (e) {
    if (!(e instanceof SysError)) throw e;
    process.stdout.write(`${basename(path)}: ${e.message}\n`);
  }
}
process.stdout.write(`${passed} as expected, ${failed} not, ${missing} for a kernel with other modules\n`);
