// A process to be killed in tests: changes the state file given to it without end and says what has been done.
import { MAP_TYPE, PROG_TYPE } from '../../isa/uapi.ts';
import { openSimulatedKernel } from '../index.ts';

/** r0 = 0; exit */
export const TRIVIAL: Uint8Array = Uint8Array.from([0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0]);

export const u32 = (n: number): Uint8Array => {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, n, true);
  return bytes;
};

/** Holds things, and then waits to be killed. */
function hold(statePath: string): void {
  const kernel = openSimulatedKernel({ statePath });
  const map = kernel.mapCreate({ type: MAP_TYPE.array, keySize: 4, valueSize: 4, maxEntries: 1, name: 'held' });
  kernel.progLoad({ type: PROG_TYPE.xdp, insns: TRIVIAL, license: 'GPL' });
  process.stdout.write(`${kernel.mapInfo(map).id}\n`);
  setInterval(() => {}, 1000);
}

/** Updates a map and pins programs, writing "u<key>" and "p<name>" after each. */
function work(statePath: string, from: number): void {
  const kernel = openSimulatedKernel({ statePath });
  const { fd } = kernel.objGet('/sys/fs/bpf/map');
  for (let n = from; ; n++) {
    kernel.mapUpdate(fd, u32(n), u32(n + 1));
    process.stdout.write(`u${n}\n`);
    if (n % 8 !== 0) continue;
    const prog = kernel.progLoad({ type: PROG_TYPE.xdp, insns: TRIVIAL, license: 'GPL', name: `n${n}` });
    // A name of this process's own: what an earlier one did not live to tell may be there.
    const name = `n${n}_${process.pid}`;
    kernel.objPin(`/sys/fs/bpf/${name}`, prog);
    process.stdout.write(`p${name}\n`);
    kernel.close(prog);
  }
}

const [mode, statePath, from] = process.argv.slice(2);
if (import.meta.main && mode === 'hold') hold(statePath);
if (import.meta.main && mode === 'work') work(statePath, Number(from));
