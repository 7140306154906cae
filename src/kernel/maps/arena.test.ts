import { expect, test } from 'vitest';
import { arenaStart } from './arena.ts';

test('an arena lies where it wants to be', () => {
  expect(arenaStart({ id: 7, extra: 0x10000000n })).toBe(0x10000000n);
});

test('arenas that do not say where have places of their own, 4 GiB apart', () => {
  const starts = Array.from({ length: 300 }, (_, id) => arenaStart({ id, extra: 0n })).sort((a, b) => (a < b ? -1 : 1));
  for (let i = 1; i < starts.length; i++) expect(starts[i] - starts[i - 1]).toBeGreaterThanOrEqual(2n ** 32n);
  for (const start of starts) expect(start & 0xffffffffn).toBe(0n);
});
