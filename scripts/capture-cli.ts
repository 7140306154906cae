// BPFTOOL=/path/to/bpftool node scripts/capture-cli.ts: runs the command lines of scripts/cli/scenario.ts with the real
// bpftool on the running kernel (root), into testdata/cli/captured.json.
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type CliAnswer, COMMANDS, FOLDER, maskCli } from './cli/scenario.ts';
import { objectFolder } from './corpus.ts';

const bpftool = process.env.BPFTOOL ?? 'bpftool';
rmSync(FOLDER, { recursive: true, force: true });
mkdirSync(FOLDER);
const answers: (CliAnswer & { words: string })[] = [];
try {
  for (const words of COMMANDS) {
    const r = spawnSync(bpftool, words, { cwd: objectFolder, encoding: 'latin1' });
    answers.push({ words: words.join(' '), status: r.status ?? -1, out: maskCli(r.stdout), err: maskCli(r.stderr) });
  }
} finally {
  rmSync(FOLDER, { recursive: true, force: true });
}
const file = fileURLToPath(new URL('../testdata/cli/captured.json', import.meta.url));
writeFileSync(file, `${JSON.stringify(answers, null, 1)}\n`);
process.stdout.write(`${answers.length} command lines\n`);
