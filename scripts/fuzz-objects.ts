// node scripts/fuzz-objects.ts [COUNT] [SEED] [--from N] [--load]
//
// Gives COUNT (100,000) mutated object files and BTF data to everything that reads them: bits flipped, pieces copied,
// ends cut, and fields of headers, sections, symbols, relocations and types changed. Fails where anything but an error
// of the input is thrown, a call takes over 1 s, or memory grows over 512 MB. Input number N is the same in every run
// with the same SEED (1); --from N begins with it.
//
// With --load, COUNT (10,000) mutated objects of the corpus are loaded into a simulated kernel with a state file
// instead; fails where a load throws anything else, takes over 2 s, or leaves a state file that does not open.
import { drive } from './fuzz-bytes/drive.ts';
import { loadMutants } from './fuzz-bytes/load.ts';

const words = process.argv.slice(2);
const fromAt = words.indexOf('--from');
const first = fromAt < 0 ? 0 : Number(words.splice(fromAt, 2)[1]);
const load = words.includes('--load');
const [count, seed = 1] = words.filter((word) => word !== '--load').map(Number);
process.exitCode = load ? await loadMutants(count ?? 10_000, seed) : await drive(first, count ?? 100_000, seed);
