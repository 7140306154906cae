import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openSimulatedKernel } from '../kernel/index.ts';
import type { Skeleton, SkeletonProgram } from '../skeleton/skeleton.ts';
import type { SkeletonMap } from '../skeleton/skeleton-map.ts';
import { openObject } from './open.ts';
import { skeletonSource } from './skeleton-ts.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
// Inside the repository, so that imports and the type checker find the library.
const folder = join(root, 'dist-test', 'skeletons');
const object = (name: string): Uint8Array => readFileSync(join(root, 'testdata/corpus/obj', `${name}.bpf.o`));

const NAMES = ['globals', 'map_hash', 'map_percpu_array', 'btf_types', 'map_in_map', 'externs', 'dead_code'];
const source = (name: string): string =>
  skeletonSource(openObject(object(name), { name }), object(name), name, '../../src/index.ts');

beforeAll(() => {
  mkdirSync(folder, { recursive: true });
  for (const name of NAMES) writeFileSync(join(folder, `${name}.skel.ts`), source(name));
});
afterAll(() => rmSync(join(root, 'dist-test'), { recursive: true, force: true }));

/** What a test knows of the generated class. */
interface Opened<S extends Skeleton> {
  open(): S;
}

const load = async <S extends Skeleton>(name: string, className: string): Promise<S> => {
  const module = (await import(pathToFileURL(join(folder, `${name}.skel.ts`)).href)) as Record<string, Opened<S>>;
  return module[className].open();
};

interface Globals extends Skeleton {
  rodata: { settings: { limit: number; range: { low: number; high: number }; label: string }; mask: bigint };
  data: { hits: number };
  bss: { total: bigint };
}

describe('a generated skeleton', () => {
  test('compiles under strict against the library', () => {
    const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');
    const config = {
      extends: '../../tsconfig.json',
      compilerOptions: { noEmit: true, rootDir: '../..' },
      include: ['*.skel.ts'],
      exclude: [],
    };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
    expect(execFileSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8' })).toBe('');
  });

  test('has a property for each data section, those with names of their own included', () => {
    const bytes = readFileSync(join(root, 'testdata/object/data.bpf.o'));
    const text = skeletonSource(openObject(bytes, { name: 'data' }), bytes, 'data');
    const properties = [...text.matchAll(/readonly (\w+) = this\.section</g)].map((m) => m[1]);
    expect(properties).toEqual(['rodata', 'data', 'data_named', 'rodata_text', 'bss', 'bss_shy', 'kconfig']);
    expect(text).toContain("readonly data_named = this.section<{\n    label: string;\n  }>('.data.named');");
  });

  test('sets a constant before the load, and the loaded map and the program have it', async () => {
    const skeleton = await load<Globals>('globals', 'Globals');
    expect(skeleton.rodata.settings.label).toBe('demo');
    expect(skeleton.rodata.settings.range.high).toBe(2);
    skeleton.rodata.settings.limit = 77;
    skeleton.rodata.mask = 0xff00ff00ff00ff00n;
    skeleton.data.hits = 9;
    skeleton.load();
    expect(skeleton.rodata.settings.limit).toBe(77);
    expect(skeleton.rodata.mask).toBe(0xff00ff00ff00ff00n);
    expect(skeleton.data.hits).toBe(9);
    skeleton.close();
  });

  test('a constant that is set before the load decides which code is left', async () => {
    interface DeadCode extends Skeleton {
      progs: { dead_code: SkeletonProgram };
      rodata: { enabled: number };
    }
    const instructions = async (enabled: number): Promise<string> => {
      const skeleton = await load<DeadCode>('dead_code', 'DeadCode');
      skeleton.rodata.enabled = enabled;
      skeleton.load();
      const { xlated } = skeleton.progs.dead_code.info();
      skeleton.close();
      return Buffer.from(xlated).toString('hex');
    };
    // return 5 is in one of them only: mov w0, 5
    expect(await instructions(0)).not.toContain('b400000005000000');
    expect(await instructions(1)).toContain('b400000005000000');
  });

  test('writes variables of a loaded program, but no frozen ones', async () => {
    const skeleton = await load<Globals>('globals', 'Globals');
    skeleton.load();
    skeleton.bss.total = 12n;
    expect(skeleton.bss.total).toBe(12n);
    expect(() => {
      skeleton.rodata.mask = 1n;
    }).toThrow('Operation not permitted');
    expect(() => {
      skeleton.data.hits = 2 ** 33;
    }).toThrow('does not fit 32 bits');
    skeleton.close();
  });

  test('reads and writes maps by the types of their keys and values', async () => {
    type MapHash = Skeleton & { maps: { counts: SkeletonMap<number, bigint> } };
    const skeleton = await load<MapHash>('map_hash', 'MapHash');
    const kernel = openSimulatedKernel({ statePath: ':memory:' });
    skeleton.load(kernel);
    const { counts } = skeleton.maps;
    expect(counts.lookup(5)).toBeUndefined();
    counts.update(5, 1n << 40n);
    counts.update(0xffffffff, 2n);
    expect(counts.lookup(5)).toBe(1n << 40n);
    expect([...counts.entries()]).toEqual([
      [5, 1n << 40n],
      [0xffffffff, 2n],
    ]);
    expect(counts.delete(5)).toBe(true);
    expect(counts.delete(5)).toBe(false);
    skeleton.close();
    kernel.closeAll();
  });

  test('shows structs, unions, bitfields and text of a map value', async () => {
    interface Node {
      bits: { a: number; b: number; c: bigint };
      any: { word: bigint; lo: number; text: string };
      ok: boolean;
      real: number;
      grid: { get(i: number): { get(i: number): number } };
      in: { deep: { y: number } };
    }
    type BtfTypes = Skeleton & { maps: { types: SkeletonMap<{ word: bigint }, unknown> } };
    const skeleton = await load<BtfTypes>('btf_types', 'BtfTypes');
    skeleton.load();
    const { types } = skeleton.maps;
    const grid = [
      [1, 2, 3],
      [4, 5, 6],
    ];
    types.update(
      { word: 1n },
      { bits: { a: 5, b: -3, c: -7n }, any: { text: 'abc' }, ok: true, real: 0.5, grid, in: { deep: { y: -1 } } },
    );
    const node = types.lookup({ word: 1n }) as Node;
    expect({ ...node.bits }).toEqual({ a: 5, b: -3, c: -7n });
    expect(node.any.word).toBe(0x636261n);
    expect(node.any.text).toBe('abc');
    expect([node.ok, node.real, node.grid.get(1).get(2), node.in.deep.y]).toEqual([true, 0.5, 6, -1]);
    skeleton.close();
  });
});
