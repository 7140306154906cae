// node scripts/answers/main.ts [SET…]: asks the running kernel (root, Linux 6.18) and writes testdata/kernel/SET.json.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { openLiveKernel } from '../../src/live/live-kernel.ts';
import { ANSWER_SETS, answersOf } from './sets.ts';

const wanted = process.argv.slice(2);
for (const name of wanted.length ? wanted : Object.keys(ANSWER_SETS)) {
  const kernel = openLiveKernel();
  const answers = answersOf(name, kernel);
  kernel.closeAll();
  const file = fileURLToPath(new URL(`../../testdata/kernel/${name}.json`, import.meta.url));
  writeFileSync(file, `${JSON.stringify(answers, null, 1)}\n`);
  process.stdout.write(`${name}: ${Object.keys(answers).length} answers\n`);
}
