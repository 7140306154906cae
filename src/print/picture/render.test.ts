import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { encodeInsns, insn } from '../../isa/insn.ts';
import type { ProgInfo } from '../../syscall.ts';
import type { XlatedProgram } from '../xlated.ts';
import { RenderError, renderPicture } from './render.ts';

const folder = mkdtempSync(join(tmpdir(), 'picture-'));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => vi.unstubAllEnvs());

/** `r1 = 5; loop: r1 -= 1; if r1 != 0 goto loop; if r2 < r3 …; exit` and a function that it calls. */
const insns = [
  insn(0xb7, 1, 0, 0, 5),
  insn(0x17, 1, 0, 0, 1),
  insn(0x55, 1, 0, -2),
  insn(0x85, 0, 1, 1),
  insn(0x95),
  insn(0x95),
];
const program: XlatedProgram = {
  info: { xlated: encodeInsns(insns), jitedKsyms: [] as bigint[] } as ProgInfo,
  btf: undefined,
  lines: undefined,
  symbols: { callBase: 0n, nameAt: () => 'a<b>"c"&d' },
};
const PLAIN = { opcodes: false, linum: false };

async function picture(name: string): Promise<string> {
  const path = join(folder, name);
  await renderPicture(program, PLAIN, path);
  return readFileSync(path, 'utf8');
}

describe('renderPicture', () => {
  it('draws SVG with the WebAssembly build where no Graphviz is installed', async () => {
    vi.stubEnv('PATH', folder);
    const svg = await picture('without.svg');
    expect(svg).toContain('<svg');
    expect(svg).toContain('function&#160;at 5'.replace('&#160;', ' '));
    expect(svg).toMatch(/1:(?:&#160;| |\u00a0)\(17\)/);
    expect(svg).toContain('loop');
  });

  it('says what is missing for other formats', async () => {
    vi.stubEnv('PATH', folder);
    await expect(picture('without.pdf')).rejects.toThrow(/Graphviz is not installed/);
  });

  it.each(['picture', 'picture.', 'picture.gif', 'picture.constructor'])(
    'refuses %s, whose format it cannot tell',
    async (name) => {
      await expect(picture(name)).rejects.toThrow(RenderError);
    },
  );

  it('names a folder that is not there', async () => {
    vi.stubEnv('PATH', folder);
    await expect(picture('nowhere/x.svg')).rejects.toThrow(/nowhere/);
  });
});
