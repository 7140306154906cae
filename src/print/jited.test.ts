import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { JitedOptions, JitedProgram } from './jited.ts';
import { printJited, writeJited } from './jited.ts';
import type { DumpCase } from './jited-fixture.ts';
import { JsonWriter } from './json.ts';
import { bytes, recordedProgram } from './recorded-program.ts';

const cases = JSON.parse(readFileSync(new URL('../../testdata/jit/dumps.json', import.meta.url), 'utf8')) as DumpCase[];

/** The fields that a dump of machine code asks for. */
const programOf = (item: DumpCase): JitedProgram =>
  recordedProgram(
    item,
    { jited: bytes(item.jited) },
    { callBase: 0n, nameAt: (address) => item.names[item.ksyms.indexOf(String(address))] || undefined },
  );

async function plain(program: JitedProgram, options: JitedOptions): Promise<string> {
  let out = '';
  await printJited(program, options, (text) => {
    out += text;
  });
  return out;
}

async function json(program: JitedProgram, options: JitedOptions, pretty: boolean): Promise<string> {
  let out = '';
  const writer = new JsonWriter((text) => {
    out += text;
  }, pretty);
  await writeJited(program, options, writer);
  writer.finish();
  return out;
}

const NOTHING = { opcodes: false, linum: false };

describe.each(cases)('machine code of $name', (item) => {
  it('prints as plain text', async () => {
    expect(await plain(programOf(item), NOTHING)).toBe(item.plain);
  });

  it('prints with bytes and line numbers', async () => {
    expect(await plain(programOf(item), { opcodes: true, linum: true })).toBe(item.full);
  });

  it('prints as JSON, compact and pretty', async () => {
    expect(await json(programOf(item), { opcodes: false, linum: true }, false)).toBe(item.json);
    expect(await json(programOf(item), { opcodes: true, linum: false }, true)).toBe(item.pretty);
  });
});

describe('what the kernel hides', () => {
  const [item] = cases;

  it('a function without symbol is named by its address', async () => {
    const program = { ...programOf(item), symbols: { callBase: 0n, nameAt: () => undefined } };
    const addresses = item.ksyms.map((address) => `0x${BigInt(address).toString(16)}:`);
    expect(await plain(program, NOTHING)).toBe(
      item.plain.replaceAll(/^bpf_prog_.*:$/gm, () => addresses.shift() ?? ''),
    );
  });

  it('functions of unknown address have no name and no source lines, and targets count from their start', async () => {
    const program = programOf({ ...item, ksyms: [] });
    const text = await plain({ ...program, lines: undefined }, NOTHING);
    expect(text.split('\n')[1]).toBe('unknown:');
    expect(text).not.toContain('; ');
  });

  it('without functions there is one list of instructions', async () => {
    const program = programOf({ ...item, ksyms: [], lens: [], jited: '0f1f00c3' });
    expect(await plain(program, { opcodes: true, linum: false })).toBe(
      '   0:\tnopl   (%rax)\n\t0f 1f 00 \n   3:\tret\n\tc3 \n',
    );
    expect(await json(program, NOTHING, false)).toBe(
      '[{"pc":"0x0","operation":"nopl","operands":["","(","%rax",")"]},{"pc":"0x3","operation":"ret","operands":[null]}]\n',
    );
  });

  it('lengths beyond the code end with the code', async () => {
    const program = programOf({ ...item, jited: '90c3', lens: [1, 500], ksyms: ['0', '1'], lineInfo: '', btf: '' });
    expect(await plain(program, NOTHING)).toMatch(/:\n {3}0:\tnop\n\n.*:\n {3}0:\tret\n\n$/);
  });
});
