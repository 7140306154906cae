import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { LoadError } from '../../object/errors.ts';
import { loadObject } from '../../object/load.ts';
import { openObject } from '../../object/open.ts';
import { openSimulatedKernel } from '../index.ts';

function logOf(name: string): string {
  const path = new URL(`../../../testdata/verifier/deliberate/${name}.bpf.o`, import.meta.url).pathname;
  const kernel = openSimulatedKernel({ statePath: ':memory:' });
  try {
    loadObject(kernel, openObject(readFileSync(path), { path }), { logLevel: 1 });
    return 'accepted';
  } catch (e) {
    if (e instanceof LoadError) return `${e.errno}\n${e.log}`;
    throw e;
  } finally {
    kernel.closeAll();
  }
}

describe('where the real kernel dies', () => {
  it('a work queue handed over with a map without special fields is refused as that of another map', () => {
    const [errno, ...log] = logOf('work_of_plain_map').split('\n');
    expect(errno).toBe('22');
    expect(log).toContain("workqueue pointer in R1 map_uid=0 doesn't match map pointer in R2 map_uid=0");
  });
});
