import { afterAll, describe, expect, test } from 'vitest';
import { folderOf, ourAnswer, readCaptured } from '../scripts/light/truth.ts';
import { openSimulatedKernel } from '../src/kernel/index.ts';
import { run } from './run.ts';
import { keptOpen } from './test-run.ts';

const captured = readCaptured();

const kernel = openSimulatedKernel({ statePath: ':memory:' });
const kept = keptOpen(kernel);
afterAll(() => kernel.closeAll());

async function bpftool(words: string[]): Promise<{ out: string; err: string; status: number }> {
  const out: Buffer[] = [];
  let err = '';
  const status = await run(
    words,
    {
      out: (text) => out.push(Buffer.from(text as string)),
      err: (text) => {
        err += text;
      },
    },
    () => kept,
  );
  return { out: Buffer.concat(out).toString('latin1'), err, status };
}

/** Objects that are loaded here; `npm run parity` loads all. */
const LOADED: ReadonlySet<string> = new Set([
  'alu',
  'core_field',
  'core_kinds',
  'externs',
  'globals',
  'map_in_map',
  'map_others',
  'reject_license',
  'reject_maps',
  'slots',
  'subprog_global',
  'symbols',
  'variables',
]);

const cases = Object.entries(captured).flatMap(([name, answers]) =>
  Object.entries(answers)
    .filter(([line]) => LOADED.has(name) || !line.includes('prog load'))
    .map(([line, answer]) => ({ name, line, answer })),
);

describe('with -L and -S bpftool 7.8 is answered for', () => {
  test.each(cases)('$name: $line', async ({ name, line, answer }) => {
    expect(await ourAnswer(line, name, folderOf(name), bpftool)).toEqual(answer);
  });
});

describe('options for signing', () => {
  test.each([
    [['-S', 'prog', 'show'], '-i <identity_x509_cert> and -k <private_key> must be supplied with -S for signing'],
    [
      ['-k', 'x', 'prog', 'show'],
      '--sign (or -S) must be explicitly passed with -i <identity_x509_cert> and -k <private_key> to sign the programs',
    ],
  ])('%j end before the command', async (words, message) => {
    expect(await bpftool(words)).toEqual({ out: '', err: `Error: ${message}\n`, status: 234 });
    // The real tool leaves without ending the line.
    expect(await bpftool(['-j', ...words])).toEqual({ out: JSON.stringify({ error: message }), err: '', status: 234 });
  });

  test('have no long forms for the files', async () => {
    expect((await bpftool(['--i', 'x'])).err).toContain("unrecognized option '--i'");
  });

  test('that name no key end the command', async () => {
    const words = ['-S', '-k', '/nowhere', '-i', '/nowhere', 'prog', 'load', `${folderOf('symbols')}/symbols.bpf.o`];
    const { err, status } = await bpftool(words);
    expect(err).toBe('Error: /nowhere: No such file or directory\nError: failed to sign program\n');
    expect(status).toBe(234);
  });
});
