import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { everyKind } from '../../../scripts/answers/btf-load.ts';
import { type Random, randomSource } from '../../../scripts/random.ts';
import { SysError } from '../../errno.ts';
import { MAP_TYPE, PROG_TYPE } from '../../isa/uapi.ts';
import { openSimulatedKernel } from '../index.ts';
import { StateError } from '../store/state-error.ts';
import type { SimulatedKernel } from './simulated.ts';
import { TRIVIAL, u32 } from './test-victim.ts';

const folder = mkdtempSync(join(tmpdir(), 'damage-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const state = join(folder, 'kernel.db');

/** A state with something of everything. */
function fill(): Buffer {
  const kernel = openSimulatedKernel({ statePath: state });
  const table = kernel.mapCreate({ type: MAP_TYPE.hash, keySize: 4, valueSize: 4, maxEntries: 200 });
  for (let i = 0; i < 100; i++) kernel.mapUpdate(table, u32(i), u32(i));
  const array = kernel.mapCreate({ type: MAP_TYPE.array, keySize: 4, valueSize: 4000, maxEntries: 4 });
  kernel.mapUpdate(array, u32(1), new Uint8Array(4000).fill(7));
  const btfFd = kernel.btfLoad({ bytes: everyKind().bytes() });
  const types = { btfFd, btfKeyTypeId: 1, btfValueTypeId: 1 };
  const typed = kernel.mapCreate({ type: MAP_TYPE.array, keySize: 4, valueSize: 4, maxEntries: 1, ...types });
  const prog = kernel.progLoad({ type: PROG_TYPE.xdp, insns: TRIVIAL, license: 'GPL' });
  const jumps = kernel.mapCreate({ type: MAP_TYPE.prog_array, keySize: 4, valueSize: 4, maxEntries: 4 });
  kernel.mapUpdate(jumps, u32(0), u32(prog));
  kernel.treeMkdir('/sys/fs/bpf/d');
  for (const [name, fd] of Object.entries({ table, array, typed, prog, jumps })) {
    kernel.objPin(`/sys/fs/bpf/d/${name}`, fd);
  }
  kernel.closeAll();
  return readFileSync(state);
}

function damage(good: Buffer, random: Random): Buffer {
  const bytes = Buffer.from(good);
  const at = random.below(bytes.length - 64);
  switch (random.below(4)) {
    case 0:
      return bytes.subarray(0, at);
    case 1:
      bytes[at] ^= 1 << random.below(8);
      break;
    case 2:
      for (let i = 0; i < 64; i++) bytes[at + i] = random.below(256);
      break;
    default:
      bytes.fill(0, at - (at % 4096), at - (at % 4096) + 4096);
  }
  return bytes;
}

/** Looks at everything and changes a little. */
function use(kernel: SimulatedKernel, attempt: (work: () => void) => void): void {
  const look = (kind: 'map' | 'prog' | 'btf', fd: number): void => {
    attempt(() => kernel[`${kind}Info`](fd));
    if (kind !== 'map') return;
    attempt(() => {
      for (let key = kernel.mapNextKey(fd, undefined), i = 0; i < 5; i++, key = kernel.mapNextKey(fd, key)) {
        kernel.mapLookup(fd, key);
        kernel.mapUpdate(fd, key, new Uint8Array(4000));
      }
    });
    attempt(() => kernel.mapDelete(fd, u32(3)));
  };
  for (const kind of ['map', 'prog', 'btf'] as const) {
    attempt(() => {
      for (let id = 0, i = 0; i < 10; i++) {
        id = kernel.nextId(kind, id);
        const fd = kernel.fdById(kind, id);
        look(kind, fd);
        kernel.close(fd);
      }
    });
  }
  attempt(() => kernel.treeList('/sys/fs/bpf/d'));
  attempt(() => kernel.objGet('/sys/fs/bpf/d/jumps'));
  attempt(() => kernel.progLoad({ type: PROG_TYPE.xdp, insns: TRIVIAL, license: 'GPL' }));
  attempt(() => kernel.treeUnlink('/sys/fs/bpf/d/prog'));
  attempt(() => kernel.symbolAt(0xffffffffc0000008n));
}

test('a damaged state gives StateError or an errno, never another error, and stays as it is when it cannot be opened', () => {
  const good = fill();
  const random = randomSource(11);
  const seen = { refused: 0, failed: 0 };
  const attempt = (work: () => void): void => {
    try {
      work();
    } catch (e) {
      if (e instanceof StateError) seen.failed++;
      else if (!(e instanceof SysError)) throw e;
    }
  };
  for (let i = 0; i < 40; i++) {
    for (const end of ['-wal', '-shm']) rmSync(state + end, { force: true });
    const bytes = damage(good, random);
    writeFileSync(state, bytes);
    let kernel: SimulatedKernel | undefined;
    try {
      kernel = openSimulatedKernel({ statePath: state });
    } catch (e) {
      expect(e).toBeInstanceOf(StateError);
      expect(readFileSync(state)).toEqual(bytes);
      seen.refused++;
      continue;
    }
    use(kernel, attempt);
    attempt(() => kernel.closeAll());
  }
  expect(seen.refused).toBeGreaterThan(5);
  expect(seen.failed).toBeGreaterThan(2);
});
