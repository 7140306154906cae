import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { askMaps } from '../../../scripts/maps/scenarios.ts';
import { openSimulatedKernel } from '../index.ts';

const file = new URL('../../../testdata/kernel/maps.json', import.meta.url);
const captured: Record<string, number | string> = JSON.parse(readFileSync(file, 'utf8'));

test('maps of every type are made, read and changed with the answers that Linux 6.18 gave', () => {
  const kernel = openSimulatedKernel({ statePath: ':memory:' });
  const answers = Object.fromEntries([...askMaps(kernel)].map(({ what, answer }, i) => [`${i} ${what}`, answer]));
  kernel.closeAll();
  expect(answers).toEqual(captured);
});
