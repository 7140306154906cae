// Comparisons that take too long for `npm run parity`: what the last run of each came to.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../../testdata/runs/', import.meta.url));

interface LongRun {
  /** How it was started; paths are left out. */
  command: string;
  /** What was compared and found, in one line. */
  result: string;
}

const isPath = (word: string): boolean => /^@?[./]/.test(word);

/** With RECORD=NAME in the environment, keeps the result of this run for PARITY.md. */
export function recordRun(result: string): void {
  const name = process.env.RECORD;
  if (name === undefined) return;
  const [, script, ...words] = process.argv;
  const shown = words.filter((word) => !isPath(word));
  const command = ['node', `scripts/${basename(script)}`, ...shown, ...(shown.length < words.length ? ['…'] : [])];
  const run: LongRun = { command: command.join(' '), result };
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(run, null, 2)}\n`);
}

/** All kept results, from testdata/runs. */
export function runsSection(): string {
  if (!existsSync(folder)) return '';
  const rows = readdirSync(folder)
    .sort()
    .map((file) => {
      const { command, result }: LongRun = JSON.parse(readFileSync(join(folder, file), 'utf8'));
      return `| ${basename(file, '.json')} | \`${command}\` | ${result} |`;
    });
  return `## Long runs

Made apart from this page, with \`RECORD=NAME\` in the environment of the command; the last run of each.

| what | command | result |
|---|---|---|
${rows.join('\n')}
`;
}
