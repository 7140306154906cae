// BPFTOOL=/path/to/bpftool node scripts/capture-light.ts [OBJECT…]: what the real bpftool makes of light skeletons, into
// testdata/light. Root on the running kernel, since `prog load -L` loads; nothing is pinned.
import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { objectNames } from './corpus.ts';
import {
  answerOf,
  type CapturedLight,
  capturedFile,
  folderOf,
  LINES,
  lightFolder,
  ownNames,
  readCaptured,
  SIGNED,
  SIGNED_LINES,
  WHOLE,
  WHOLE_LINE,
  wordsOf,
} from './light/truth.ts';

const bpftool = process.env.BPFTOOL ?? 'bpftool';
const captured: Record<string, CapturedLight> = existsSync(capturedFile) ? readCaptured() : {};
const wanted = process.argv.slice(2);
for (const name of wanted.length ? wanted : [...ownNames(), ...objectNames()]) {
  const answers: CapturedLight = {};
  for (const line of SIGNED.includes(name) ? [...LINES, ...SIGNED_LINES] : LINES) {
    const cwd = folderOf(name);
    const r = spawnSync(bpftool, wordsOf(line, name), { cwd, encoding: 'latin1', maxBuffer: 1 << 29 });
    // A crash is no answer.
    if (r.status === null) continue;
    answers[line] = answerOf(r.status, r.stdout, r.stderr);
    if (line === WHOLE_LINE && WHOLE.includes(name)) {
      writeFileSync(join(lightFolder, `${name}.lskel.h.txt`), r.stdout, 'latin1');
    }
  }
  captured[name] = answers;
}
const sorted = Object.fromEntries(Object.entries(captured).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(capturedFile, `${JSON.stringify(sorted, null, 1)}\n`);
process.stdout.write(`${Object.keys(sorted).length} objects\n`);
