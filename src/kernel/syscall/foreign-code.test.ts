import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { objectPath } from '../../../scripts/corpus.ts';
import { LoadError } from '../../object/errors.ts';
import { loadObject } from '../../object/load.ts';
import { openObject } from '../../object/open.ts';
import { entryPrograms } from '../../object/spec.ts';
import { disassembleArm64 } from '../../print/arm64/disassembler.ts';
import type { ProgCode } from '../../syscall.ts';
import { openSimulatedKernel } from '../index.ts';

const kernel = openSimulatedKernel({ statePath: ':memory:' });
afterAll(() => kernel.closeAll());

function accepted<T>(load: () => T): T | undefined {
  try {
    return load();
  } catch (error) {
    if (error instanceof LoadError) return undefined;
    throw error;
  }
}

/** Accepted programs of an object with their code for arm64, and their own for comparison. */
function programs(object: string): { name: string; code: ProgCode; own: ProgCode; lines: number }[] {
  const path = objectPath(object);
  const open = (): ReturnType<typeof openObject> => openObject(readFileSync(path), { path });
  return entryPrograms(open()).flatMap(({ name }) => {
    const loaded = accepted(() => loadObject(kernel, open(), { programs: [name] }));
    if (!loaded) return [];
    const { fd } = loaded.programs.get(name) ?? { fd: -1 };
    const lines = kernel.progInfo(fd).jitedLineInfo.length;
    return [{ name, lines, code: kernel.progCode(fd, 'arm64'), own: kernel.progCode(fd, 'x86-64') }];
  });
}

/** Functions of the code as text, each with its address. */
function texts(code: ProgCode): { address: bigint; end: bigint; lines: string[] }[] {
  let at = 0;
  return code.jitedFuncLens.map((length, i) => {
    const bytes = code.jited.subarray(at, at + length);
    at += length;
    const address = code.jitedKsyms[i];
    const lines = [...disassembleArm64(bytes, address)].map(({ pieces }) => pieces.join(''));
    return { address, end: address + BigInt(length), lines };
  });
}

const OBJECTS = [
  'exceptions',
  'atomics',
  'map_percpu_array',
  'tail_call_subprog',
  'subprog_global',
  'timer',
  'core_field',
];

describe.each(OBJECTS)('programs of %s for arm64', (object) => {
  const all = programs(object);

  it('are made of known instructions, and jump within themselves', () => {
    expect(all.length).toBeGreaterThan(0);
    for (const { code } of all) {
      const functions = texts(code);
      expect(functions.reduce((sum, f) => sum + f.lines.length, 0) * 4).toBe(code.jited.length);
      for (const { address, end, lines } of functions) {
        expect(lines.filter((line) => line.startsWith('.'))).toEqual([]);
        for (const line of lines) {
          const target = /^(?:b|b\.\w\w|cbn?z)\t.*?(0x[0-9a-f]{16})/.exec(line)?.[1];
          if (target) expect(BigInt(target) >= address && BigInt(target) < end).toBe(true);
        }
        expect(lines.slice(-1)).toEqual(['br\tx10']);
      }
    }
  });

  it('have the same functions and source lines as for the machine of the kernel', () => {
    for (const { code, own, lines } of all) {
      expect(code.names).toEqual(own.names);
      expect(code.jitedKsyms).toHaveLength(own.jitedKsyms.length);
      expect(code.jitedLineInfo).toHaveLength(lines);
      const inFunction = (of: ProgCode): number[] => {
        const functions = texts(of);
        return of.jitedLineInfo.map((line) => functions.findIndex(({ address, end }) => line >= address && line < end));
      };
      expect(inFunction(code)).toEqual(inFunction(own));
    }
  });
});

describe('code for arm64', () => {
  it('is the same each time', () => {
    const [{ code }] = programs('alu');
    const [{ code: again }] = programs('alu');
    expect(again.jited.length).toBe(code.jited.length);
    expect(again.jitedKsyms).toEqual(code.jitedKsyms);
  });

  it('guards loads through kernel pointers, and reads the task from its register', () => {
    const lines = programs('tasks').flatMap(({ code }) => texts(code).flatMap((f) => f.lines));
    expect(lines).toContain('cmp\tx9, #0x10, lsl #12');
    expect(lines.some((line) => /^mrs\tx7, sp_el0$/.test(line))).toBe(true);
  });
});
