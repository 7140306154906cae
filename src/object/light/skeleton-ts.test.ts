import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openSimulatedKernel } from '../../kernel/index.ts';
import type { LightProgram, LightSkeleton } from '../../skeleton/light-skeleton.ts';
import type { SkeletonMap } from '../../skeleton/skeleton-map.ts';
import { openObject } from '../open.ts';
import { generateLoader } from './generate.ts';
import { LoaderError } from './run.ts';
import { lightSkeletonSource } from './skeleton-ts.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
// Inside the repository, so that imports and the type checker find the library.
const folder = join(root, 'dist-test', 'light-skeletons');
const kernel = openSimulatedKernel({ statePath: ':memory:' });

const OBJECTS = {
  globals: 'testdata/corpus/obj/globals.bpf.o',
  map_in_map: 'testdata/corpus/obj/map_in_map.bpf.o',
  reject_maps: 'testdata/corpus/obj/reject_maps.bpf.o',
  symbols: 'testdata/light/symbols.bpf.o',
};

beforeAll(() => {
  mkdirSync(folder, { recursive: true });
  for (const [name, path] of Object.entries(OBJECTS)) {
    const object = openObject(readFileSync(join(root, path)), { name });
    const loader = generateLoader(object, { kernel: () => kernel });
    writeFileSync(join(folder, `${name}.lskel.ts`), lightSkeletonSource(object, name, loader, '../../src/index.ts'));
  }
});
afterAll(() => {
  kernel.closeAll();
  rmSync(folder, { recursive: true, force: true });
});

const load = async <S extends LightSkeleton>(name: string, className: string): Promise<S> => {
  const module = (await import(pathToFileURL(join(folder, `${name}.lskel.ts`)).href)) as Record<string, { open(): S }>;
  return module[className].open();
};

interface Globals extends LightSkeleton {
  progs: { uses_globals: LightProgram };
  rodata: { settings: { limit: number; label: string }; mask: bigint };
  data: { hits: number };
  bss: { total: bigint };
}
interface Symbols extends LightSkeleton {
  maps: { counts: SkeletonMap<number, bigint> };
  progs: { references: LightProgram; not_loaded: LightProgram };
}

describe('a generated light skeleton', () => {
  test('compiles under strict against the library', () => {
    const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');
    const config = {
      extends: '../../tsconfig.json',
      compilerOptions: { noEmit: true, rootDir: '../..' },
      include: ['*.lskel.ts'],
      exclude: [],
    };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
    expect(execFileSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8' })).toBe('');
  });

  test('holds neither the object file nor a way to read one', () => {
    const source = readFileSync(join(folder, 'globals.lskel.ts'), 'utf8');
    expect(source).not.toContain(Buffer.from('\x7fELF').toString('base64').slice(0, 4));
  });

  test('brings the variables along that were set before the load', async () => {
    const skeleton = await load<Globals>('globals', 'Globals');
    expect([skeleton.rodata.settings.label, skeleton.rodata.mask, skeleton.data.hits]).toEqual(['demo', 255n, 5]);
    skeleton.rodata.mask = 77n;
    skeleton.data.hits = 9;
    skeleton.load(kernel);
    expect([skeleton.rodata.mask, skeleton.data.hits]).toEqual([77n, 9]);
    skeleton.bss.total = 12n;
    expect(skeleton.bss.total).toBe(12n);
    expect(() => {
      skeleton.rodata.mask = 1n;
    }).toThrow('Operation not permitted');
    expect(skeleton.progs.uses_globals.info().name).toBe('uses_globals');
    skeleton.close();
  });

  test('loads into a kernel of its own, and asks the kernel for symbols when it runs', async () => {
    const skeleton = await load<Symbols>('symbols', 'Symbols');
    expect(() => skeleton.progs.references.fd).toThrow('program references is not loaded');
    skeleton.load();
    expect(skeleton.progs.references.info().mapIds.length).toBeGreaterThan(2);
    expect(() => skeleton.progs.not_loaded.fd).toThrow('program not_loaded is not loaded');
    expect(() => skeleton.load()).toThrow('the object is loaded already');
    skeleton.close();
    skeleton.close();
  });

  test('makes maps of another size, and leaves no descriptor behind', async () => {
    const before = kernel.counts();
    const skeleton = await load<Symbols>('symbols', 'Symbols');
    skeleton.load(kernel, { maxEntries: { counts: 5 } });
    expect(kernel.mapInfo(skeleton.maps.counts.fd).maxEntries).toBe(5);
    for (let i = 0; i < 5; i++) skeleton.maps.counts.update(i, 1n);
    expect(() => skeleton.maps.counts.update(5, 1n)).toThrow('Argument list too long');
    skeleton.close();
    expect(kernel.counts()).toEqual(before);
  });

  test('that is refused says so with the log, and leaves nothing behind', async () => {
    const before = kernel.counts();
    const skeleton = await load('reject_maps', 'RejectMaps');
    expect(() => skeleton.load(kernel, { logLevel: 1, logSize: 1 << 16 })).toThrow(LoaderError);
    expect(skeleton.log).toMatch(/invalid|R\d/);
    expect(kernel.counts()).toEqual(before);
  });
});
