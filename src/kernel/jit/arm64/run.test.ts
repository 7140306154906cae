import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { testProgram } from '../../run/test-programs.ts';
import {
  compileTestProgram,
  MACHINES,
  type MachineName,
  type RunRow,
  rowOf,
  runCompiled,
  runInterpreted,
} from './testing/run-program.ts';

const FILE = new URL('../../../../testdata/jit/arm64/runs.json', import.meta.url);
const rows = JSON.parse(readFileSync(FILE, 'utf8')) as RunRow[];
const names = Object.keys(MACHINES) as MachineName[];

describe('generated programs as arm64 machine code', () => {
  it('leave on the test processor what they left on an arm64 processor', () => {
    const ours = rows.map(([seed, machine]) => {
      const program = testProgram(seed, 0);
      return rowOf(seed, machine, runCompiled(program, compileTestProgram(program, MACHINES[machine])));
    });
    expect(ours).toEqual(rows);
  });

  it.each(names)('leave what the interpreter leaves, with %s atomics', (machine) => {
    for (let seed = 1000; seed < 1300; seed++) {
      const program = testProgram(seed, 0);
      const compiled = runCompiled(program, compileTestProgram(program, MACHINES[machine]));
      expect({ seed, ...compiled }).toEqual({ seed, ...runInterpreted(program) });
    }
  });
});
