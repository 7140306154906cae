import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseArguments, sortBy } from './arguments.ts';
import { Budget, writeBudget } from './budget.ts';
import { columnNamed, findColumn, type Row } from './columns.ts';
import { compareRuns, differenceText, isWorse } from './compare.ts';
import { csvLine, parseCsv } from './csv.ts';
import { Filters } from './filters.ts';
import { matches, matchesProgram } from './glob.ts';
import { inputFiles } from './inputs.ts';
import { Progress } from './progress.ts';
import { readSaved } from './saved.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'verify-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const row = (over: Partial<Row> = {}): Row => ({
  file: 'a.bpf.o',
  program: 'p',
  section: 'xdp',
  type: 'xdp',
  verdict: 'success',
  errno: 0,
  insns: 100,
  total_states: 7,
  peak_states: 5,
  max_states_per_insn: 1,
  stack_depth: 16,
  xlated: 80,
  jited: 60,
  time_us: 1234,
  ...over,
});

describe('patterns', () => {
  test.each([
    ['*', '', true],
    ['a*c', 'abbc', true],
    ['a*c', 'abbd', false],
    ['a?c', 'abc', true],
    ['a?c', 'ac', false],
    ['*a*b', 'xaab', true],
    ['a.c', 'abc', false],
    ['***', 'x', true],
  ])('%s and %s: %s', (pattern, text, expected) => {
    expect(matches(pattern, text)).toBe(expected);
  });

  test('a pattern of stars is not slow', () => {
    expect(matches('*a'.repeat(40), 'a'.repeat(39).repeat(50))).toBe(true);
    expect(matches(`${'*a'.repeat(40)}b`, 'a'.repeat(2000))).toBe(false);
  });

  test('a file stands for all of its programs', () => {
    expect(matchesProgram('x*.o', 'xdp.o', 'main')).toBe(true);
    expect(matchesProgram('*/main', 'xdp.o', 'main')).toBe(true);
    expect(matchesProgram('xdp.o/other', 'xdp.o', 'main')).toBe(false);
  });
});

describe('filters', () => {
  const filters = (...expressions: string[]): Filters => {
    const f = new Filters();
    for (const e of expressions) f.add(e);
    return f;
  };

  test('names choose what is verified, a leading ! leaves out', () => {
    const f = filters('xdp*', '!*/slow');
    expect([f.wants('xdp.o', 'fast'), f.wants('xdp.o', 'slow'), f.wants('tc.o', 'fast')]).toEqual([true, false, false]);
  });

  test.each([
    ['insns>99', true],
    ['insns>100', false],
    ['insns>=100', true],
    ['insns<100', false],
    ['insns<=100', true],
    ['insns=100', true],
    ['insns!=100', false],
    ['!insns=100', false],
    ['states=7', true],
    ['verdict=succ*', true],
    ['verdict!=success', false],
    ['type=xdp', true],
  ])('%s of 100 instructions: %s', (expression, expected) => {
    expect(filters(expression).shows(row())).toBe(expected);
  });

  test.each(['nothing=1', 'insns>many', 'verdict<1', ''])('%s makes no sense', (expression) => {
    expect(() => filters(expression)).toThrow();
  });
});

test('CSV reads what it writes', () => {
  fc.assert(
    fc.property(fc.array(fc.array(fc.string(), { minLength: 2, maxLength: 4 }), { minLength: 1 }), (lines) => {
      const cells = lines.map((line) => line.map((cell) => cell.replaceAll('\r', '')));
      expect(parseCsv(cells.map(csvLine).join(''))).toEqual(cells);
    }),
  );
});

describe('saved runs', () => {
  test('JSON and CSV of this command, and the CSV of veristat', () => {
    const json = file('a.json', JSON.stringify([{ file: 'a.o', program: 'p', insns: 5, log: 'x' }]));
    const csv = file('a.csv', 'file,program,insns\na.o,p,5\n');
    const veristat = file('v.csv', 'file_name,prog_name,total_insns\na.o,p,5\n');
    for (const path of [json, csv, veristat]) {
      const { rows, columns } = readSaved(path);
      expect(rows).toEqual([{ file: 'a.o', program: 'p', insns: 5 }]);
      expect([...columns]).toEqual(['file', 'program', 'insns']);
    }
  });

  test.each([
    ['[1]', 'no array of programs'],
    ['{', 'no JSON'],
    ['{"a": 1}', 'no array of programs'],
    ['file,insns\na,1\n', 'names no programs'],
    ['program,insns\np,many\n', "'insns' is no number"],
  ])('%s: %s', (text, message) => {
    expect(() => readSaved(file('bad', text))).toThrow(message);
  });

  test('a file that is not there', () => {
    expect(() => readSaved(join(folder, 'absent'))).toThrow("can't read");
  });
});

describe('comparing', () => {
  const saved = (rows: Partial<Row>[]) => ({ rows, columns: new Set(rows.flatMap(Object.keys)) as Set<keyof Row> });
  const all = (): boolean => true;

  test('time never differs, other columns do where both have them', () => {
    const base = { file: 'a.bpf.o', program: 'p', insns: 90, time_us: 1 };
    expect(compareRuns(saved([base]), [row()], undefined, all)).toEqual([
      { file: 'a.bpf.o', program: 'p', state: 'changed', changes: [{ column: 'insns', base: 90, now: 100 }] },
    ]);
    expect(compareRuns(saved([base]), [row()], ['jited'], all)[0].state).toBe('same');
  });

  test('programs that came and went', () => {
    const base = { file: 'a.bpf.o', program: 'gone', insns: 1 };
    const states = compareRuns(saved([base]), [row()], undefined, all).map(({ program, state }) => [program, state]);
    expect(states).toEqual([
      ['p', 'added'],
      ['gone', 'removed'],
    ]);
    expect(compareRuns(saved([base]), [row()], undefined, () => false)).toHaveLength(1);
  });

  test('a saved run without files is found by program', () => {
    expect(compareRuns(saved([{ program: 'p', insns: 100 }]), [row()], undefined, all)[0].state).toBe('same');
  });

  test('more is worse, and so is a refusal', () => {
    expect(isWorse({ column: 'insns', base: 1, now: 2 })).toBe(true);
    expect(isWorse({ column: 'insns', base: 2, now: 1 })).toBe(false);
    expect(isWorse({ column: 'verdict', base: 'success', now: 'failure' })).toBe(true);
    expect(isWorse({ column: 'verdict', base: 'failure', now: 'success' })).toBe(false);
    expect(differenceText({ column: 'insns', base: 200, now: 190 })).toBe('-10, -5.0%');
    expect(differenceText({ column: 'insns', base: 0, now: 3 })).toBe('+3');
  });
});

describe('budgets', () => {
  test('exact names come before patterns, patterns in their order; a share is of the million', () => {
    const budget = new Budget(
      file('budget', '# all\n*/p 10\na.bpf.o/* 2.5%\n\na.bpf.o/p 7   # this one\na b.o/long name 8\n'),
    );
    expect(budget.of(row())).toBe(7);
    expect(budget.of(row({ file: 'b' }))).toBe(10);
    expect(budget.of(row({ program: 'q' }))).toBe(25_000);
    expect(budget.of(row({ file: 'a b.o', program: 'long name' }))).toBe(8);
    expect(budget.of(row({ file: 'b', program: 'q' }))).toBeUndefined();
  });

  test('JSON', () => {
    const budget = new Budget(file('budget.json', '{"a.bpf.o/p": 5, "*": "50%"}'));
    expect([budget.of(row()), budget.of(row({ program: 'q' }))]).toEqual([5, 500_000]);
  });

  test.each(['a/p', 'a/p many', 'a/p 1.5', '{"a": null}', '{"a": }'])('%s makes no sense', (text) => {
    expect(() => new Budget(file('bad', text))).toThrow();
  });

  test.each(['written', 'written.json'])('what is written to %s can be read; refused programs are left out', (name) => {
    const path = join(folder, name);
    writeBudget(path, [row(), row({ program: 'refused', errno: 13 }), row({ program: 'vast', insns: 999_999 })], 10);
    const budget = new Budget(path);
    expect(budget.of(row())).toBe(110);
    expect(budget.of(row({ program: 'refused' }))).toBeUndefined();
    expect(budget.of(row({ program: 'vast' }))).toBe(1_000_000);
  });
});

describe('words', () => {
  test('keywords may be abbreviated and stand between files', () => {
    const a = parseArguments(['a.o', 'prog', 'x', 'b.o', 'sort', 'insns:desc,file', 'col', 'program,states'], 'verify');
    expect(a.files).toEqual(['a.o', 'b.o']);
    expect(a.programs).toEqual(['x']);
    expect(a.columns).toEqual(['program', 'total_states']);
    expect(a.sort).toEqual([
      { column: 'insns', descending: true },
      { column: 'file', descending: false },
    ]);
  });

  test('the first word is a file whatever it is called', () => {
    expect(parseArguments(['program'], 'verify').files).toEqual(['program']);
  });

  test.each([[[]], [['a.o', 'sort']], [['a.o', 'sort', 'insns:up']], [['a.o', 'columns', 'colour']]])('%j', (words) => {
    expect(() => parseArguments(words, 'verify')).toThrow();
  });

  test('columns have the names of veristat too', () => {
    expect(columnNamed('prog_name')).toBe('program');
    expect(findColumn('duration')).toBe('time_us');
    expect(() => columnNamed('colour')).toThrow("no column 'colour': there are file, program");
  });

  test('rows that are equal stay in their order', () => {
    const rows = [row({ program: 'b', insns: 1 }), row({ program: 'a', insns: 1 }), row({ program: 'c', insns: 2 })];
    sortBy(rows, [{ column: 'insns', descending: true }], (r, c) => r[c]);
    expect(rows.map((r) => r.program)).toEqual(['c', 'b', 'a']);
  });
});

test('folders are walked, patterns expanded, and files that are called alike are told apart by their paths', () => {
  const root = join(folder, 'tree');
  mkdirSync(join(root, 'sub'), { recursive: true });
  for (const name of ['one.bpf.o', 'sub/two.bpf.o', 'sub/one.bpf.o', 'notes.txt']) writeFileSync(join(root, name), '');
  expect(inputFiles([root]).map(({ label }) => label)).toEqual(['one.bpf.o', 'sub/one.bpf.o', 'sub/two.bpf.o']);
  expect(inputFiles([join(root, '*', '*.o')]).map(({ label, named }) => [label, named])).toEqual([
    ['one.bpf.o', false],
    ['two.bpf.o', false],
  ]);
  const [first, second] = [join(root, 'one.bpf.o'), join(root, 'sub', 'one.bpf.o')];
  expect(inputFiles([first, second, first]).map(({ label }) => label)).toEqual([first, second]);
  expect(() => inputFiles([join(root, '*.elf')])).toThrow('no file matches');
});

describe('progress', () => {
  test('draws on a terminal, now and then, and clears its line', () => {
    let text = '';
    const terminal = { isTTY: true, columns: 60, write: (t: string) => (text += t) };
    const progress = new Progress(4, terminal);
    progress.clear();
    expect(text).toBe('');
    progress.show(1, 'a.o/first', 1000);
    progress.show(1, 'a.o/second', 1010);
    progress.show(2, 'x'.repeat(99), 1100);
    progress.clear();
    const [, first, second, cleared] = text.split('\r\x1b[K');
    expect(first).toBe(`[${'#'.repeat(7)}${'.'.repeat(23)}] 1/4 a.o/first`);
    expect(second).toHaveLength(59);
    expect(cleared).toBe('');
  });

  test('writes nothing elsewhere', () => {
    let text = '';
    const progress = new Progress(1, { write: (t) => (text += t) });
    progress.show(0, 'a');
    progress.clear();
    expect(text).toBe('');
  });
});
