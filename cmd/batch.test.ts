import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { runKept } from './test-run.ts';

const folder = mkdtempSync(join(tmpdir(), 'batch-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a batch file over a state file of its own, as one process does. */
async function batch(name: string, text: string, ...options: string[]): Promise<{ status: number; out: string }> {
  const file = join(folder, `${name}.txt`);
  writeFileSync(file, text);
  const state = join(folder, `${name}.db`);
  const { status, out, err } = await runKept([...options, '--state', state, 'batch', 'file', file]);
  return { status, out: out + err };
}

const MAKE = 'map create /sys/fs/bpf/m type array key 4 value 4 entries 1 name m\n';

test('commands see what earlier ones left in the state file', async () => {
  const text = `${MAKE}map update pinned /sys/fs/bpf/m key 0 0 0 0 \\\n value 7 0 0 0 # continued\n\nmap dump pinned /sys/fs/bpf/m\n`;
  expect(await batch('good', text)).toEqual({
    status: 0,
    out: 'key: 00 00 00 00  value: 07 00 00 00\nFound 1 element\nprocessed 3 commands\n',
  });
});

test('the descriptors of a command end with it: what it did not pin is gone', async () => {
  const text = `${MAKE}map create /sys/fs/bpf/no/m type array key 4 value 4 entries 1 name n\n`;
  await batch('ends', text);
  const { out } = await batch('ends', 'map show\n');
  expect([out.includes('name m'), out.includes('name n')]).toEqual([true, false]);
});

test('one failure ends the run with its status and closes the JSON', async () => {
  const { status, out } = await batch('fails', 'map show pinned /sys/fs/bpf/nothing\nversion\n', '-j');
  expect(status).toBe(255);
  expect(JSON.parse(out)).toEqual([
    {
      command: ['map', 'show', 'pinned', '/sys/fs/bpf/nothing'],
      output: { error: expect.stringContaining('nothing') },
    },
  ]);
});
