import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openSimulatedKernel } from '../../src/kernel/index.ts';
import { run } from '../run.ts';

const NO_PROGRAMS = fileURLToPath(new URL('../../testdata/btf-files/types-bpf.o', import.meta.url));
let folder: string;
let state: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pin-folders-'));
  state = join(folder, 'kernel.db');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const bpftool = async (...words: string[]): Promise<{ status: number; err: string }> => {
  let err = '';
  const print = { out: () => undefined, err: (text: string) => (err += text) };
  return { status: await run(['--state', state, ...words], print), err };
};

const pinned = (): string[] => {
  const kernel = openSimulatedKernel({ statePath: state });
  const names = kernel.treeList('/sys/fs/bpf').map(({ name }) => name);
  kernel.closeAll();
  return names;
};

test('the folder of pins comes into being with the first pin', async () => {
  expect(await bpftool('prog', 'loadall', NO_PROGRAMS, '/sys/fs/bpf/d')).toEqual({ status: 0, err: '' });
  expect(pinned()).toEqual([]);
  expect(await bpftool('prog', 'loadall', NO_PROGRAMS, '/sys/fs/bpf/d', 'pinmaps', '/sys/fs/bpf/m')).toMatchObject({
    status: 0,
  });
  expect(pinned()).toEqual(['m']);
});

test('a folder for maps below one that no program has made is refused as bpftool refuses it', async () => {
  const words = ['prog', 'loadall', NO_PROGRAMS, '/sys/fs/bpf/d', 'pinmaps', '/sys/fs/bpf/d/maps'];
  expect(await bpftool(...words)).toEqual({
    status: 255,
    err: "Error: can't create dir '/sys/fs/bpf/d/maps' to pin BPF object: parent dir '/sys/fs/bpf/d' doesn't exist\n",
  });
});
