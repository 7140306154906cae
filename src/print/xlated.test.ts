import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { encodeInsns, insn } from '../isa/insn.ts';
import { JsonWriter } from './json.ts';
import { XLATED_FORMS, type XlatedCase, xlatedProgram } from './xlated/fixture.ts';
import { printXlatedGraph } from './xlated/graph.ts';
import { ProgramLines } from './xlated/program-lines.ts';
import { printXlated, writeXlated, type XlatedProgram } from './xlated.ts';

const file = new URL('../../testdata/rewrite/print/dumps.json', import.meta.url);
const cases = JSON.parse(readFileSync(file, 'utf8')) as XlatedCase[];

/** What a dump with these words prints. */
function dump(program: XlatedProgram, form: string): string {
  const words = form.split(' ');
  const options = { opcodes: words.includes('opcodes'), linum: words.includes('linum') };
  let out = '';
  const write = (text: string): void => {
    out += text;
  };
  if (words.includes('visual')) {
    printXlatedGraph(program, options, write);
  } else if (words.includes('-j') || words.includes('-p')) {
    const json = new JsonWriter(write, words.includes('-p'));
    writeXlated(program, options, json);
    json.finish();
  } else {
    printXlated(program, options, write);
  }
  return out;
}

describe.each(cases)('$name', (item) => {
  it.each(XLATED_FORMS)('prog dump xlated PROG %s', (form) => {
    expect(dump(xlatedProgram(item), form)).toBe(item.texts[form]);
  });

  it('its line records are taken or refused as libbpf does', () => {
    expect(ProgramLines.of(xlatedProgram(item).info) === 'bad').toBe(item.badLines);
  });
});

/** A program of these instructions that nobody knows more of. */
const bare = (...insns: ReturnType<typeof insn>[]): XlatedProgram =>
  xlatedProgram({
    name: 'bare',
    xlated: Buffer.from(encodeInsns(insns)).toString('hex'),
    ksyms: [],
    lens: [],
    btf: '',
    funcInfo: '',
    lineInfo: '',
    jitedLineInfo: [],
    callBase: '0',
    symbols: {},
    badLines: false,
    texts: {},
  });

describe('a program without machine code, and a kernel that hides its symbols', () => {
  it('calls show the distance, or the bare number as an address', () => {
    const program = bare(insn(0x85, 0, 1, 3, 1), insn(0x85, 0, 0, 0, 4096), insn(0x85, 0, 0, 0, -16), insn(0x95));
    expect(dump(program, '').split('\n')).toEqual([
      '   0: (85) call pc+3',
      '   1: (85) call 0x1000#4096',
      '   2: (85) call 0xfffffffffffffff0#-16',
      '   3: (95) exit',
      '',
    ]);
  });

  it('the halves of a 64-bit immediate are one row, which opcodes show in full', () => {
    const program = bare(
      insn(0x18, 1, 0, 0, 1),
      insn(0, 0, 0, 0, 2),
      insn(0x18, 1, 6, 0, 3),
      insn(0, 0, 0, 0, 4),
      insn(0x95),
    );
    expect(dump(program, 'opcodes').split('\n')).toEqual([
      '   0: (18) r1 = 0x200000001',
      '       18 01 00 00 01 00 00 00 00 00 00 00 02 00 00 00',
      '   2: (18) r1 = map[idx:3]+4',
      '       18 61 00 00 03 00 00 00 00 00 00 00 04 00 00 00',
      '   4: (95) exit',
      '       95 00 00 00 00 00 00 00',
      '',
    ]);
  });
});

describe('hostile programs', () => {
  it.each([
    ['nothing at all', bare()],
    ['half of a 64-bit immediate at the end', bare(insn(0x95), insn(0x18, 1, 0, 0, 1))],
    [
      'jumps and calls out of the program',
      bare(insn(0x05, 0, 0, -9), insn(0x15, 1, 0, 99), insn(0x85, 0, 1, -7), insn(0x85, 0, 1, 900)),
    ],
  ])('%s is printed in every form', (_, program) => {
    for (const form of XLATED_FORMS) expect(typeof dump(program, form)).toBe('string');
  });
});
