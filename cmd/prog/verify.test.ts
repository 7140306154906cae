import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { objectPath } from '../../scripts/corpus.ts';
import { openSimulatedKernel } from '../../src/kernel/index.ts';
import { runKept } from '../test-run.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'verify-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const verify = (...words: string[]): ReturnType<typeof runKept> =>
  runKept(words, () => openSimulatedKernel({ statePath: ':memory:' }));

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

const STACK = objectPath('stack');
const ALU = objectPath('alu');

test('several files make one table, sorted and filtered', async () => {
  const words = ['columns', 'file,program,verdict,insns', 'sort', 'insns:desc', 'filter', 'insns>20'];
  const { status, out, err } = await verify('prog', 'verify', STACK, ALU, ...words);
  expect([status, err]).toEqual([0, '']);
  const cells = out.split('\n').map((line) => line.split('│').map((cell) => cell.trim()));
  expect(cells[1].slice(1, -1)).toEqual(['file', 'program', 'verdict', 'insns']);
  expect(cells[3].slice(1, -1)).toEqual(['stack.bpf.o', 'big_frame', 'success', '251']);
  const insns = cells.slice(3, -2).map((line) => Number(line[4]));
  expect(insns).toEqual(insns.toSorted((a, b) => b - a));
  expect(Math.min(...insns)).toBeGreaterThan(20);
});

test('the log of a refused program follows the table of a single file', async () => {
  const { status, out } = await verify('prog', 'verify', objectPath('reject_license'));
  expect(status).toBe(255);
  expect(out).toContain('\ngpl_only:\n\t');
  expect(out).toContain('\tcannot call GPL-restricted function from non-GPL compatible program\n');
  expect(out).not.toContain('not_gpl_but_fine:');
});

test('a saved run equals the next one, and what differs is told with status 1', async () => {
  const { out: json } = await verify('-j', 'prog', 'verify', ALU, STACK);
  const { out: csv } = await verify('--csv', 'prog', 'verify', ALU, STACK);
  for (const [name, text] of [
    ['base.json', json],
    ['base.csv', csv],
  ]) {
    const path = join(folder, name);
    writeFileSync(path, text);
    const { status, out } = await verify('--compare', path, 'prog', 'verify', ALU, STACK);
    expect(status).toBe(0);
    expect(out).toMatch(/^\d+ programs: \d+ same, 0 changed, 0 added, 0 removed\n$/);
  }
  const path = join(folder, 'other.csv');
  writeFileSync(path, csv.replace(/^(alu.bpf.o,alu_mix,success),\d+/m, '$1,30'));
  const differing = await verify('--compare', path, 'prog', 'verify', ALU, STACK);
  expect(differing.status).toBe(1);
  expect(differing.out).toContain('30 -> 37 (+7, +23.3%)');
  const only = await verify('-j', '--compare', path, 'prog', 'verify', ALU, 'program', 'alu_mix');
  expect(JSON.parse(only.out)).toEqual([
    { file: 'alu.bpf.o', program: 'alu_mix', state: 'changed', changes: { insns: { base: 30, now: 37 } } },
  ]);
});

test('a budget that was written holds; above it the status is 1', async () => {
  const path = join(folder, 'budget');
  const written = await verify('--csv', '--write-budget', path, 'prog', 'verify', STACK, ALU);
  expect(written.status).toBe(0);
  expect(readFileSync(path, 'utf8')).toContain('stack.bpf.o/big_frame 251\n');
  expect((await verify('--csv', '--budget', path, 'prog', 'verify', STACK, ALU)).status).toBe(0);

  writeFileSync(path, 'stack.bpf.o/big_frame 250\n* 10%\n');
  const over = await verify('-j', '--budget', path, 'prog', 'verify', STACK);
  expect(over.status).toBe(1);
  expect(over.err).toBe('stack.bpf.o/big_frame: 251 instructions, 1 over its budget of 250\n');
  const [frame] = JSON.parse(over.out).filter(({ program }: { program: string }) => program === 'big_frame');
  expect(frame).toMatchObject({ budget: 250, over_budget: true });
});

test('files of a folder that are no BPF objects are passed over, files that are named must be objects', async () => {
  writeFileSync(join(folder, 'other.o'), 'no ELF');
  expect((await verify('prog', 'verify', folder)).err).toContain('no program to verify');
  const { status, err, out } = await verify('--csv', 'prog', 'verify', join(folder, 'other.o'), STACK);
  expect(status).toBe(255);
  expect(err).toContain(`Error: ${join(folder, 'other.o')}: failed to open object file`);
  expect(out).toContain('stack.bpf.o,big_frame,success,251');
});

test('a whole folder, by pattern', async () => {
  const { out } = await verify('--csv', 'prog', 'verify', join(dirname(STACK), '[as]*u*.bpf.o'), 'program', 'alu_mix');
  expect(out.split('\n')[1]).toMatch(/^alu.bpf.o,alu_mix,success,37,/);
});
