// What is kept of a program that hooks into another.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { loadObject } from '../../object/load.ts';
import { openObject } from '../../object/open.ts';
import { openSimulatedKernel } from '../index.ts';

const FOLDER = fileURLToPath(new URL('../../../testdata/verifier/hooks/', import.meta.url));
const kernel = openSimulatedKernel({ statePath: ':memory:' });
afterAll(() => kernel.closeAll());

/** Loads one program; `target` is the descriptor of the program whose function it hooks into. */
function load(object: string, name: string, target = 0): number {
  const path = `${object}.bpf.o`;
  const spec = openObject(readFileSync(FOLDER + path), { path });
  for (const program of spec.programs) program.attachProgFd = target;
  return loadObject(kernel, spec, { programs: [name] }).programs.get(name)?.fd ?? -1;
}

const exists = (kind: 'prog' | 'btf', id: number): boolean => {
  try {
    return kernel.nextId(kind, id - 1) === id;
  } catch {
    return false;
  }
};

test('it names the BTF and the function of the other, and keeps it alive', () => {
  const target = load('target', 'classifies');
  const { id, btfId } = kernel.progInfo(target);
  const hooked = load('hooking', 'watches', target);
  const info = kernel.progInfo(hooked);
  expect(info.attachBtfObjId).toBe(btfId);
  expect(info.attachBtfId).toBeGreaterThan(0);
  kernel.close(target);
  expect(exists('prog', id)).toBe(true);
  kernel.close(hooked);
  expect(exists('prog', id)).toBe(false);
  expect(exists('btf', btfId)).toBe(false);
});

test('a replacement has no attach type of its own', () => {
  const target = load('target', 'connects');
  const replacement = load('hooking', 'chooses_otherwise', target);
  expect(kernel.progInfo(target).expectedAttachType).toBeGreaterThan(0);
  expect(kernel.progInfo(replacement).expectedAttachType).toBe(0);
});
