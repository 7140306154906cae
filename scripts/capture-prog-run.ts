// node scripts/capture-prog-run.ts: what the helpers of programs of type syscall answer on the running kernel (root), into
// testdata/kernel/prog-run.json.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CASES, runCase } from '../src/kernel/syscall/prog-run.fixture.ts';
import { openLiveKernel } from '../src/live/live-kernel.ts';

const answers = Object.fromEntries(
  CASES.map((theCase) => {
    const kernel = openLiveKernel();
    try {
      return [theCase.name, runCase(kernel, theCase)];
    } finally {
      kernel.closeAll();
    }
  }),
);
const file = fileURLToPath(new URL('../testdata/kernel/prog-run.json', import.meta.url));
writeFileSync(file, `${JSON.stringify(answers, null, 1)}\n`);
