import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { MAP_TYPE, type MapTypeName, PROG_TYPE, type ProgTypeName } from '../../isa/uapi.ts';
import { loadImage } from '../image/load.ts';
import { openSimulatedKernel } from '../index.ts';
import { ALL_CAPABILITIES, type Capabilities } from '../objects.ts';
import { errnoOf } from '../test-errno.ts';
import { TRIVIAL } from './test-victim.ts';

const folder = mkdtempSync(join(tmpdir(), 'capabilities-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const NONE: Capabilities = { bpf: false, perfmon: false, netAdmin: false, sysAdmin: false };
const shipped = loadImage();
/** The same kernel, allowing everybody to use BPF. */
const open = Object.assign(Object.create(shipped), {
  sysctl: (path: string) => (path === 'kernel/unprivileged_bpf_disabled' ? '0' : shipped.sysctl(path)),
});

const answers = (capabilities: Capabilities, image = open): Record<string, number> => {
  const kernel = openSimulatedKernel({ statePath: ':memory:', image, capabilities });
  const map = (type: MapTypeName): number =>
    errnoOf(() => kernel.mapCreate({ type: MAP_TYPE[type], keySize: 4, valueSize: 4, maxEntries: 1 }));
  const prog = (type: ProgTypeName): number =>
    errnoOf(() => kernel.progLoad({ type: PROG_TYPE[type], insns: TRIVIAL, license: 'GPL' }));
  const out = {
    array: map('array'),
    lru: map('lru_hash'),
    devmap: map('devmap'),
    filter: prog('socket_filter'),
    xdp: prog('xdp'),
    kprobe: prog('kprobe'),
    ids: errnoOf(() => kernel.nextId('map', 0)),
  };
  kernel.closeAll();
  return out;
};

test('somebody without capabilities may do nothing where the kernel keeps BPF to the privileged', () => {
  expect(answers(NONE, shipped)).toEqual({ array: 1, lru: 1, devmap: 1, filter: 1, xdp: 1, kprobe: 1, ids: 1 });
});

test('where it does not, plain maps and socket filters are for everybody', () => {
  expect(answers(NONE)).toEqual({ array: 0, lru: 1, devmap: 1, filter: 0, xdp: 1, kprobe: 1, ids: 1 });
});

test('each capability opens its part', () => {
  expect(answers({ ...NONE, bpf: true })).toMatchObject({ lru: 0, devmap: 1, filter: 0, xdp: 1, kprobe: 1 });
  expect(answers({ ...NONE, bpf: true, netAdmin: true })).toMatchObject({ devmap: 0, xdp: 0, kprobe: 1 });
  expect(answers({ ...NONE, bpf: true, perfmon: true })).toMatchObject({ xdp: 1, kprobe: 0 });
  expect(Object.values(answers(ALL_CAPABILITIES))).toEqual([0, 0, 0, 0, 0, 0, 0]);
});

test('code is not shown to somebody without CAP_BPF', () => {
  const statePath = join(folder, 'kernel.db');
  const root = openSimulatedKernel({ statePath });
  const prog = root.progLoad({ type: PROG_TYPE.socket_filter, insns: TRIVIAL, license: 'GPL' });
  expect(root.progInfo(prog).jited.length).toBeGreaterThan(0);
  root.objPin('/sys/fs/bpf/p', prog);
  const user = openSimulatedKernel({ statePath, capabilities: NONE });
  const info = user.progInfo(user.objGet('/sys/fs/bpf/p').fd);
  expect([info.xlated.length, info.jited.length, info.jitedKsyms.length]).toEqual([0, 0, 0]);
  expect(info.tag).toEqual(root.progInfo(prog).tag);
  user.closeAll();
  root.closeAll();
});
