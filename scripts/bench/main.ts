// node scripts/bench/main.ts CASE RUNS — one case on the simulated kernel; prints JSON.
import { openSimulatedKernel } from '../../src/kernel/index.ts';
import { measure } from './verifier-cases.ts';

const [name, runs] = process.argv.slice(2);
const kernel = openSimulatedKernel({ statePath: ':memory:' });
const result = measure(kernel, name, Number(runs));
kernel.closeAll();
const peakMegabytes = Math.round(process.resourceUsage().maxRSS / 1024);
process.stdout.write(`${JSON.stringify({ ...result, peakMegabytes })}\n`);
