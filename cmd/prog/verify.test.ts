import { expect, test } from 'vitest';
import { objectPath } from '../../scripts/corpus.ts';
import { openSimulatedKernel } from '../../src/kernel/index.ts';
import { run } from '../run.ts';

async function verify(...words: string[]): Promise<{ status: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const status = await run(
    words,
    {
      out: (text) => {
        out += text;
      },
      err: (text) => {
        err += text;
      },
    },
    () => openSimulatedKernel({ statePath: ':memory:' }),
  );
  return { status, out, err };
}

test('each program has a verdict of its own, with what it took, and the status says that one was refused', async () => {
  const { status, out, err } = await verify('-j', 'prog', 'verify', objectPath('reject_license'));
  const [refused, accepted] = JSON.parse(out);
  expect(status).toBe(255);
  expect(err).toBe('');
  expect(refused).toMatchObject({
    program: 'gpl_only',
    section: 'kprobe/do_exit',
    verdict: 'failure',
    errno: 22,
    insns: 3,
  });
  expect(refused.log).toContain('cannot call GPL-restricted function from non-GPL compatible program');
  expect(accepted).toMatchObject({ program: 'not_gpl_but_fine', type: 'xdp', verdict: 'success', errno: 0, insns: 2 });
});

test('one program by name, all accepted: status 0', async () => {
  const { status, out } = await verify(
    '-j',
    'prog',
    'verify',
    objectPath('stack'),
    'program',
    'big_frame',
    'log_level',
    '2',
  );
  expect(status).toBe(0);
  const [verdict] = JSON.parse(out);
  expect(verdict).toMatchObject({ program: 'big_frame', verdict: 'success', stack_depth: 480 });
  expect(verdict.log).toContain('R10=fp0');
  expect(verdict.log).not.toContain('verification time');
});
