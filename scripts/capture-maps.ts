// node scripts/capture-maps.ts: asks the running kernel what it answers about maps of every type (root, Linux 6.18),
// into testdata/kernel/maps.json.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { openLiveKernel } from '../src/live/live-kernel.ts';
import { askMaps } from './maps/scenarios.ts';

const kernel = openLiveKernel();
const answers = Object.fromEntries([...askMaps(kernel)].map(({ what, answer }, i) => [`${i} ${what}`, answer]));
kernel.closeAll();
const file = fileURLToPath(new URL('../testdata/kernel/maps.json', import.meta.url));
writeFileSync(file, `${JSON.stringify(answers, null, 1)}\n`);
process.stdout.write(`${Object.keys(answers).length} answers\n`);
