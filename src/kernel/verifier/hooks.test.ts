// Hooks into kernel functions and security hooks. The rules are those of the source of 6.18 and of the tags of its own
// tests: the kernel of the captures refuses such programs by a policy of its own.
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { SysError } from '../../errno.ts';
import { LoadError } from '../../object/errors.ts';
import { loadObject } from '../../object/load.ts';
import { openObject } from '../../object/open.ts';
import { openSimulatedKernel } from '../index.ts';

const path = new URL('../../../testdata/verifier/hooks/hooks.bpf.o', import.meta.url).pathname;

function load(program: string): { errno: number; log: string } {
  const kernel = openSimulatedKernel({ statePath: ':memory:' });
  try {
    loadObject(kernel, openObject(readFileSync(path), { path }), { programs: [program], logLevel: 1 });
    return { errno: 0, log: '' };
  } catch (e) {
    if (e instanceof LoadError) return { errno: e.errno, log: e.log };
    if (e instanceof SysError) return { errno: e.errno, log: '' };
    throw e;
  } finally {
    kernel.closeAll();
  }
}

it.each(['entry_reads_arguments', 'exit_reads_result', 'lsm_allows', 'lsm_sleepable', 'iterates_tasks'])(
  '%s is accepted',
  (program) => {
    expect(load(program)).toEqual({ errno: 0, log: '' });
  },
);

it.each([
  ['entry_beyond_arguments', 13, 'invalid bpf_context access off=88 size=8'],
  ['entry_misaligned', 13, 'invalid bpf_context access off=1 size=1'],
  ['entry_returns_one', 22, 'At program exit the register R0 has smin=1 smax=1 should have been in [0, 0]'],
  ['lsm_returns_seven', 22, 'At program exit the register R0 has smin=7 smax=7 should have been in [-4095, 0]'],
  ['lsm_not_sleepable', 22, 'bpf_lsm_task_kill is not sleepable'],
  ['modifies_no_error_point', 22, 'do_nanosleep() is not modifiable'],
  ['entry_not_sleepable', 22, 'do_nanosleep is not sleepable'],
  ['iterator_returns_two', 22, 'At program exit the register R0 has smin=2 smax=2 should have been in [0, 1]'],
])('%s is refused', (program, errno, line) => {
  const said = load(program);
  expect(said.errno).toBe(errno);
  expect(said.log.split('\n')).toContain(line);
});

it('a function that the kernel does not have cannot be hooked into', () => {
  expect(load('entry_of_nothing').errno).toBe(3);
});
