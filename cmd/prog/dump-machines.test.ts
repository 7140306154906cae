import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { objectPath } from '../../scripts/corpus.ts';
import { findImageFolder, folderSource, MANIFEST_FILE } from '../../src/kernel/image/data-source.ts';
import type { CpuSettings } from '../../src/kernel/image/image.ts';
import { loadImage } from '../../src/kernel/image/load.ts';
import type { ImageManifest } from '../../src/kernel/image/manifest.ts';
import { openSimulatedKernel } from '../../src/kernel/index.ts';
import { runKept } from '../test-run.ts';

const folder = mkdtempSync(join(tmpdir(), 'machines-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The object `alu` with a shift by a register instead of one by a constant. */
const withShift = join(folder, 'shift.bpf.o');
const constantShift = Buffer.from('6708000005000000', 'hex');
const alu = readFileSync(objectPath('alu'));
alu.set(Buffer.from('6f78000000000000', 'hex'), alu.indexOf(constantShift));
writeFileSync(withShift, alu);

const files = folderSource(findImageFolder() ?? '');

/** The image with other settings in its image.json. */
function imageOf(cpu: Partial<CpuSettings>, sysctls: Record<string, string>): ReturnType<typeof loadImage> {
  const manifest = JSON.parse(Buffer.from(files(MANIFEST_FILE) ?? []).toString()) as ImageManifest;
  const changed = { ...manifest, cpu: { ...manifest.cpu, ...cpu }, sysctls: { ...manifest.sysctls, ...sysctls } };
  return loadImage((file) => (file === MANIFEST_FILE ? Buffer.from(JSON.stringify(changed)) : files(file)));
}

let machines = 0;

/** What `prog dump jited` prints of a program of the corpus on such a machine, without addresses of the code itself. */
async function listing(
  object: string,
  name: string,
  cpu: Partial<CpuSettings> = {},
  sysctls: Record<string, string> = {},
): Promise<string[]> {
  const image = imageOf(cpu, sysctls);
  const statePath = join(folder, `${++machines}.db`);
  const open = () => openSimulatedKernel({ statePath, image });
  const file = object.includes('/') ? object : objectPath(object);
  const load = await runKept(['prog', 'loadall', file, '/sys/fs/bpf/all'], open);
  expect(load.status, load.err).toBe(0);
  const { status, out, err } = await runKept(['prog', 'dump', 'jited', 'name', name], open);
  expect(status, err).toBe(0);
  return out.split('\n').flatMap((line) => /^ *[0-9a-f]+:\t(.*)$/.exec(line)?.[1] ?? []);
}

const addressOf = (name: string): string => `0x${loadImage().symbolAddress(name)?.toString(16)}`;

describe('prog dump jited on another machine', () => {
  const returns: [how: string, cpu: Partial<CpuSettings>, end: string[]][] = [
    ['without a thunk', { returnThunk: undefined }, ['leave', 'ret']],
    ['without a thunk, and stops behind it', { returnThunk: undefined, sls: true }, ['leave', 'ret', 'int3']],
  ];
  for (const name of ['retbleed', 'srso', 'srso_alias', 'its', 'call_depth']) {
    const returnThunk = `${name}_return_thunk`;
    returns.push([`through ${returnThunk}`, { returnThunk, sls: true }, ['leave', `jmp    ${addressOf(returnThunk)}`]]);
  }

  it.each(returns)('returns %s', async (_, cpu, end) => {
    expect((await listing('tail_call', 'by_queue', cpu)).slice(-end.length)).toEqual(end);
  });

  it('begins with endbr64 where indirect branches are tracked, and lets tail calls enter behind it', async () => {
    const plain = await listing('tail_call', 'by_queue');
    const tracked = await listing('tail_call', 'by_queue', { ibt: true });
    expect(tracked.slice(0, 6)).toEqual(['endbr64', ...plain.slice(0, 4), 'endbr64']);
    expect(plain).toContain('add    $0xc,%rcx');
    expect(tracked).toContain('add    $0x10,%rcx');
    expect(tracked).not.toContain('add    $0xc,%rcx');
  });

  it.each([
    ['plain', { retpoline: 'none' }, ['jmp    *%rcx', 'int3']],
    ['with lfence', { retpoline: 'amd' }, ['lfence', 'jmp    *%rcx']],
    ['through a thunk', { retpoline: 'generic' }, [`jmp    ${addressOf('__x86_indirect_thunk_rcx')}`]],
    [
      'through a thunk that counts',
      { retpoline: 'generic', callDepthTracking: true },
      [`jmp    ${addressOf('__x86_indirect_jump_thunk_rcx')}`],
    ],
    [
      'through the thunk against indirect target selection',
      { retpoline: 'amd', its: true },
      [`jmp    ${addressOf('__x86_indirect_its_thunk_rcx')}`],
    ],
  ] as const)('jumps %s', async (_, cpu, jump) => {
    const lines = await listing('tail_call', 'by_queue', cpu);
    const at = lines.indexOf('add    $0xc,%rcx') + 1;
    expect(lines.slice(at, at + jump.length)).toEqual(jump);
  });

  it('counts calls where call depth is tracked', async () => {
    const plain = await listing('subprog_static', 'calls');
    const counted = await listing('subprog_static', 'calls', { callDepthTracking: true });
    const isCall = (line: string): boolean => line.startsWith('call ');
    expect(counted.filter(isCall)).toHaveLength(plain.filter(isCall).length);
    expect(plain.filter(isCall).length).toBeGreaterThan(0);
    counted.forEach((line, i) => {
      if (isCall(line)) {
        expect(counted[i - 1]).toMatch(/^sarq +\$0x5,%gs:-?0x[0-9a-f]+\(%rip\) +# /);
        expect(counted[i - 1].endsWith(addressOf('__x86_call_depth'))).toBe(true);
      }
    });
    expect(counted.filter((line) => line.startsWith('sarq '))).toHaveLength(plain.filter(isCall).length);
  });

  it('shifts through cl where there are no three-operand shifts', async () => {
    const modern = await listing(withShift, 'alu_mix');
    const old = await listing(withShift, 'alu_mix', { bmi2: false });
    const ofThree = (lines: string[]): number => lines.filter((line) => /^(shl|shr|sar)x /.test(line)).length;
    const throughCl = (lines: string[]): number => lines.filter((line) => /^(shl|shr|sar) +%cl,/.test(line)).length;
    expect(ofThree(modern)).toBeGreaterThan(0);
    expect(ofThree(old)).toBe(0);
    expect(throughCl(old)).toBe(throughCl(modern) + ofThree(modern));
  });

  it('hides constants where the JIT is hardened, but not counts of shifts', async () => {
    const shown = (lines: string[]): string[] => lines.filter((line) => /^and +\$0xff,|^imul +\$0x3,/.test(line));
    // r10 is the hidden register.
    const shifts = (lines: string[]): string[] => lines.filter((line) => /^(shl|shr|sar) +\$0x.*(?<!%r10)$/.test(line));
    const plain = await listing('alu', 'alu_mix');
    const hardened = await listing('alu', 'alu_mix', {}, { 'net/core/bpf_jit_harden': '2' });
    expect(shown(plain)).toHaveLength(2);
    expect(shown(hardened)).toEqual([]);
    expect(shifts(hardened)).toEqual(shifts(plain));
    // Each constant is the other half of a key, and then the key.
    const keys = hardened.flatMap((line, i) => (/^mov +\$0x[0-9a-f]+,%r10/.test(line) ? [hardened[i + 1]] : []));
    expect(keys.length).toBeGreaterThan(2);
    for (const key of keys) expect(key).toMatch(/^xor +\$0x[0-9a-f]+,%r10/);
  });
});
