import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { MAP_TYPE, PROG_TYPE } from '../../isa/uapi.ts';
import { openSimulatedKernel } from '../index.ts';
import { StateError } from '../store/state-error.ts';
import { errnoOf } from '../test-errno.ts';
import type { SimulatedKernel } from './simulated.ts';
import { TRIVIAL } from './test-victim.ts';

const folder = mkdtempSync(join(tmpdir(), 'simulated-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let count = 0;
let state = '';
beforeEach(() => {
  state = join(folder, `${count++}.db`);
});

const open = (): SimulatedKernel => openSimulatedKernel({ statePath: state });
const hash = { type: MAP_TYPE.hash, keySize: 4, valueSize: 4, maxEntries: 4 };
const key = Uint8Array.from([1, 0, 0, 0]);

describe('the life of objects', () => {
  test('an object without a pin goes away with its last descriptor, and its id is not given again', () => {
    const kernel = open();
    const first = kernel.mapCreate(hash);
    const { id } = kernel.mapInfo(first);
    const again = kernel.fdById('map', id);
    kernel.close(first);
    expect(kernel.mapInfo(again).id).toBe(id);
    kernel.close(again);
    expect(errnoOf(() => kernel.fdById('map', id))).toBe(2);
    expect(kernel.mapInfo(kernel.mapCreate(hash)).id).toBeGreaterThan(id);
    kernel.closeAll();
  });

  test('a pin outlives the process, with the contents of the map', () => {
    const before = open();
    const fd = before.mapCreate(hash);
    before.mapUpdate(fd, key, key);
    before.objPin('/sys/fs/bpf/m', fd);
    before.mapCreate(hash);
    before.closeAll();
    const after = open();
    expect(after.mapLookup(after.objGet('/sys/fs/bpf/m').fd, key)).toEqual(key);
    expect(after.counts()).toMatchObject({ map: 1, pins: 1 });
    after.closeAll();
  });

  test('a program keeps its maps, and lets them go when its own pin is removed', () => {
    const kernel = open();
    const map = kernel.mapCreate(hash);
    // r1 = map fd; r0 = 0; exit
    const insns = new Uint8Array(32);
    insns.set([0x18, 0x11, 0, 0, map, 0, 0, 0]);
    insns.set(TRIVIAL, 16);
    const prog = kernel.progLoad({ type: PROG_TYPE.socket_filter, insns, license: 'GPL' });
    const { id, mapIds } = kernel.progInfo(prog);
    kernel.objPin('/sys/fs/bpf/p', prog);
    kernel.close(prog);
    kernel.close(map);
    expect(kernel.mapInfo(kernel.fdById('map', mapIds[0])).id).toBe(mapIds[0]);
    kernel.closeAll();
    const later = open();
    expect(later.counts()).toMatchObject({ prog: 1, map: 1 });
    later.treeUnlink('/sys/fs/bpf/p');
    expect(errnoOf(() => later.fdById('prog', id))).toBe(2);
    expect(later.counts()).toMatchObject({ prog: 0, map: 0 });
    later.closeAll();
  });
});

describe('the tree of pins', () => {
  test('paths are checked as the bpf file system checks them', () => {
    const kernel = open();
    const fd = kernel.mapCreate(hash);
    kernel.treeMkdir('/sys/fs/bpf/d');
    kernel.objPin('/sys/fs/bpf/d/m', fd);
    const pin = (path: string): number => errnoOf(() => kernel.objPin(path, fd));
    expect(pin('/sys/fs/bpf/d/m')).toBe(17);
    expect(pin('/sys/fs/bpf/nowhere/m')).toBe(2);
    expect(pin('/sys/fs/bpf/a.b')).toBe(1);
    expect(pin('/sys/fs/bpf/d/m/x')).toBe(20);
    expect(pin('/tmp/x')).toBe(1);
    expect(errnoOf(() => kernel.objGet('/sys/fs/bpf/d'))).toBe(13);
    expect(errnoOf(() => kernel.treeUnlink('/sys/fs/bpf/d'))).toBe(39);
    expect(kernel.treeList('/sys/fs/bpf')).toEqual([{ name: 'd', kind: 'dir' }]);
    kernel.closeAll();
  });
});

describe('programs', () => {
  test('a refused program leaves its log and nothing else', () => {
    const kernel = open();
    const log: { level: number; size: number; text?: string } = { level: 1, size: 4096 };
    const insns = TRIVIAL.subarray(8);
    expect(errnoOf(() => kernel.progLoad({ type: PROG_TYPE.socket_filter, insns, license: 'GPL', log }))).toBe(13);
    expect(log.text).toContain('R0 !read_ok');
    expect(kernel.counts().prog).toBe(0);
    kernel.closeAll();
  });

  test('a log that does not fit fails even a good program', () => {
    const kernel = open();
    const log: { level: number; size: number; trueSize?: number } = { level: 2, size: 16 };
    const load = (): number => kernel.progLoad({ type: PROG_TYPE.xdp, insns: TRIVIAL, license: '', log });
    expect(errnoOf(load)).toBe(28);
    expect(log.trueSize).toBeGreaterThan(16);
    kernel.closeAll();
  });

  test('code of programs lies at addresses of their own, under their names', () => {
    const kernel = open();
    const load = (name: string): bigint =>
      kernel.progInfo(kernel.progLoad({ type: PROG_TYPE.xdp, insns: TRIVIAL, license: '', name })).jitedKsyms[0];
    const [a, b] = [load('a'), load('b')];
    expect(a).not.toBe(b);
    expect(kernel.symbolAt(b)).toMatch(/^bpf_prog_[0-9a-f]{16}_b$/);
    kernel.closeAll();
  });
});

describe('the state file', () => {
  test('a file of somebody else, and what is left of ours, are refused and stay as they are', () => {
    writeFileSync(state, 'not a state file, but long enough to be mistaken for one'.repeat(10));
    const before = readFileSync(state);
    expect(open).toThrow(StateError);
    expect(readFileSync(state)).toEqual(before);

    state = join(folder, 'cut.db');
    const kernel = open();
    kernel.objPin('/sys/fs/bpf/m', kernel.mapCreate(hash));
    kernel.closeAll();
    truncateSync(state, 5000);
    const cut = readFileSync(state);
    expect(open).toThrow(StateError);
    expect(readFileSync(state)).toEqual(cut);
  });

  test('two kernels on one file see each other', () => {
    const a = open();
    const b = open();
    const fd = a.mapCreate(hash);
    a.objPin('/sys/fs/bpf/m', fd);
    const other = b.objGet('/sys/fs/bpf/m').fd;
    b.mapUpdate(other, key, key);
    expect(a.mapLookup(fd, key)).toEqual(key);
    a.closeAll();
    expect(b.mapLookup(other, key)).toEqual(key);
    b.closeAll();
  });
});
