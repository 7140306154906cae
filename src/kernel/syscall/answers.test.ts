import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ANSWER_SETS, answersOf } from '../../../scripts/answers/sets.ts';
import { openSimulatedKernel } from '../index.ts';

const captured = (name: string): Record<string, number | string> =>
  JSON.parse(readFileSync(new URL(`../../../testdata/kernel/${name}.json`, import.meta.url), 'utf8'));

test.each(Object.keys(ANSWER_SETS))('%s: every question has the answer that Linux 6.18 gave', (name) => {
  const kernel = openSimulatedKernel({ statePath: ':memory:' });
  const answers = answersOf(name, kernel);
  kernel.closeAll();
  expect(answers).toEqual(captured(name));
});
