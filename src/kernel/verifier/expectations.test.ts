// Hooks into functions, security hooks and other programs: what the kernel's own tests expect, which no running kernel
// has to be asked for. Their objects are not of this project: SELFTESTS names the folder in which
// testdata/verifier/tracing/compile.sh has put them. hooks.test.ts has programs of our own.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { type Chain, runChain } from '../../../scripts/expectations/chains.ts';
import { runTests } from '../../../scripts/expectations/run.ts';
import { openObject } from '../../object/open.ts';
import type { ObjectSpec } from '../../object/spec.ts';

const FOLDER = process.env.SELFTESTS;
const CHAINS = fileURLToPath(new URL('../../../testdata/verifier/tracing/chains.json', import.meta.url));

const open = (name: string): ObjectSpec =>
  openObject(readFileSync(`${FOLDER}/${name}.bpf.o`), { path: `${name}.bpf.o` });
const objects = (FOLDER === undefined ? [] : readdirSync(FOLDER))
  .filter((file) => file.endsWith('.bpf.o'))
  .map((file) => file.replace('.bpf.o', ''));

describe.skipIf(FOLDER === undefined)("the kernel's own tests, if SELFTESTS names their objects", () => {
  describe.each(objects)('%s', (name) => {
    const verdicts = [...runTests(open(name))].filter((verdict) => !verdict.lacking);
    test.skipIf(verdicts.length === 0)('every program is judged as its tags expect', () => {
      expect(verdicts.filter(({ problem }) => problem !== undefined).map((v) => `${v.name}: ${v.problem}`)).toEqual([]);
    });
  });

  const chains = JSON.parse(readFileSync(CHAINS, 'utf8')) as Chain[];
  const titled = chains.map((chain) => ({
    chain,
    title: `${chain.steps.map(({ load, into }) => load + (into ? ` into ${into}` : '')).join(', ')}: ${chain.message ?? 'loads'}`,
  }));

  test.each(titled)('$title', ({ chain }) => {
    expect(runChain(chain, open)).toBeUndefined();
  });

  test.each([
    ['tracing_deny', '__rcu_read_lock', "Attaching tracing programs to function '__rcu_read_lock' is rejected."],
    ['fexit_noreturns', 'do_exit', "Attaching fexit/fmod_ret to __noreturn function 'do_exit' is rejected."],
  ])('%s: %s cannot be traced', (program, _function, message) => {
    expect(runChain({ steps: [{ load: `tracing_failure/${program}` }], message }, open)).toBeUndefined();
  });
});
