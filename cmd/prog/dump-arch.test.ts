import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { objectPath } from '../../scripts/corpus.ts';
import { openSimulatedKernel } from '../../src/kernel/index.ts';
import { Database } from '../../src/kernel/store/database.ts';
import type { Kernel } from '../../src/syscall.ts';
import { runKept } from '../test-run.ts';

let folder: string;
let state: string;

const bpftool = (words: string[], open?: () => Kernel): ReturnType<typeof runKept> =>
  runKept(words, open ?? (() => openSimulatedKernel({ statePath: state })));

/** Output of a dump of the program's machine code. */
async function dump(name: string, ...words: string[]): Promise<string> {
  const { status, out, err } = await bpftool(['prog', 'dump', 'jited', 'name', name, ...words]);
  expect({ status, err }).toEqual({ status: 0, err: '' });
  return out;
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dump-arch-'));
  state = join(folder, 'state.db');
  for (const object of ['alu', 'subprog_static']) {
    await bpftool(['prog', 'loadall', objectPath(object), `/sys/fs/bpf/${object}`]);
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('prog dump jited … arch arm64', () => {
  it('shows the code of every function under its name, with prototypes and source lines', async () => {
    const text = await dump('alu_mix', 'arch', 'arm64');
    expect(text.split('\n').slice(0, 12)).toEqual([
      'int alu_mix():',
      'bpf_prog_c3f828bc26887e25_alu_mix:',
      expect.stringMatching(/^; /),
      '   0:\tadd\tx9, x30, #0x0',
      '   4:\tnop',
      '   8:\tpaciasp',
      '   c:\tstp\tx29, x30, [sp, #-16]!',
      '  10:\tmov\tx29, sp',
      '  14:\tstp\txzr, x26, [sp, #-16]!',
      '  18:\tmov\tx26, sp',
      '  1c:\tstp\tx19, x20, [sp, #-16]!',
      '  20:\tstp\tx21, x22, [sp, #-16]!',
    ]);
    const x86 = await dump('alu_mix');
    const commented = (lines: string): string[] => lines.split('\n').filter((line) => line.startsWith('; '));
    expect(commented(text)).toEqual(commented(x86));
  });

  it('shows bytes and places, and JSON with the pieces of the operands', async () => {
    const text = await dump('alu_mix', 'arch', 'aarch64', 'opcodes', 'linum');
    expect(text).toContain('   4:\tnop\n\t1f 20 03 d5 \n');
    expect(text).toContain('[file:./alu.bpf.c line_num:');
    const { out } = await bpftool(['-j', 'prog', 'dump', 'jited', 'name', 'alu_mix', 'opcodes', 'arch', 'arm64']);
    const [{ proto, insns }] = JSON.parse(out);
    expect(proto).toBe('int alu_mix()');
    expect(insns[1]).toEqual({
      pc: '0x4',
      operation: 'nop',
      operands: [null],
      opcodes: ['0x1f', '0x20', '0x03', '0xd5'],
    });
    expect(insns[3]).toMatchObject({
      operation: 'stp',
      operands: ['\t', 'x29', ', ', 'x30', ', ', '[', 'sp', ', ', '#-16', ']!'],
    });
  });

  it('writes the raw words to a file', async () => {
    const file = join(folder, 'code');
    expect(await dump('alu_mix', 'file', file, 'arch', 'arm64')).toBe('');
    const bytes = readFileSync(file);
    expect(bytes.length % 4).toBe(0);
    expect(bytes.subarray(0, 8).toString('hex')).toBe('c90300911f2003d5');
  });

  it('calls functions of the program directly', async () => {
    const text = await dump('calls', 'arch', 'arm64');
    expect(text).toMatch(/\tbl\t0xffffffffc000/);
    expect(text.match(/^bpf_prog_[0-9a-f]{16}_\w+:$/gm)?.length).toBeGreaterThan(1);
  });

  it('with the machine of the kernel shows what there is without', async () => {
    expect(await dump('alu_mix', 'arch', 'x86-64')).toBe(await dump('alu_mix'));
  });

  it('tells what it cannot do', async () => {
    const tell = async (...words: string[]): Promise<string> =>
      (await bpftool(['prog', 'dump', 'jited', 'name', 'alu_mix', ...words])).err;
    expect(await tell('arch')).toBe("Error: 'arch' needs at least 1 arguments, 0 found\n");
    expect(await tell('arch', 'mips')).toContain(
      "unknown architecture 'mips', known are arm64, aarch64, x86-64, x86_64",
    );
    const xlated = await bpftool(['prog', 'dump', 'xlated', 'name', 'alu_mix', 'arch', 'arm64']);
    expect(xlated.status).toBe(255);
    const live = (): Kernel => Object.assign(openSimulatedKernel({ statePath: state }), { progCode: undefined });
    const { err } = await bpftool(['prog', 'dump', 'jited', 'name', 'alu_mix', 'arch', 'arm64'], live);
    expect(err).toContain("'arch' needs the simulated kernel");
  });

  it('tells of programs that were stored without what compiling takes', async () => {
    const kernel = openSimulatedKernel({ statePath: state });
    kernel.closeAll();
    const db = new Database(state, () => undefined);
    const row = db.get("SELECT id, functions FROM prog WHERE name = 'alu_mix'");
    const functions = JSON.parse(String(row?.functions)) as { shape?: unknown }[];
    const set = (list: unknown): void =>
      db.write(() => {
        db.all('UPDATE prog SET functions = ? WHERE id = ?', JSON.stringify(list), row?.id ?? 0);
      });
    const words = ['prog', 'dump', 'jited', 'name', 'alu_mix', 'arch', 'arm64'];
    set(functions.map(({ shape: _, ...rest }) => rest));
    expect((await bpftool(words)).err).toContain('keeps too little of it');
    set(functions.map((f) => ({ ...f, shape: { length: -1, stackDepth: 'x' } })));
    expect((await bpftool(words)).err).toContain('damaged');
    set(functions);
    expect((await bpftool(words)).err).toBe('');
  });
});
