import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { Database } from './database.ts';
import { StateError, type StateProblem } from './state-error.ts';
import { MEMORY } from './state-path.ts';

const root = mkdtempSync(join(tmpdir(), 'database-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let count = 0;
let file = '';
beforeEach(() => {
  const folder = join(root, String(count++));
  mkdirSync(folder);
  file = join(folder, 'kernel.db');
});

const open = (path = file): Database => new Database(path, (db) => db.insert('setting', { name: 'made', value: 1n }));

/** What is wrong with the file; the file must be as it was. */
function problemOf(): StateProblem | undefined {
  const before = readFileSync(file);
  try {
    open().close();
  } catch (e) {
    expect(e).toBeInstanceOf(StateError);
    expect(String(e)).toContain(file);
    expect(readFileSync(file)).toEqual(before);
    return (e as StateError).problem;
  }
  return undefined;
}

describe('opening', () => {
  test('makes the file and the folders on the way, once', () => {
    const deep = join(root, 'a', 'b', 'kernel.db');
    const first = open(deep);
    expect(first.created).toBe(true);
    expect(first.get('SELECT value FROM setting')?.value).toBe(1n);
    first.close();
    const second = open(deep);
    expect(second.created).toBe(false);
    expect(second.all('SELECT * FROM setting')).toHaveLength(1);
    second.close();
  });

  test('an empty file is as good as none', () => {
    writeFileSync(file, '');
    expect(open().created).toBe(true);
  });

  test('leaves one file behind', () => {
    open().close();
    expect(readdirSync(join(file, '..'))).toEqual(['kernel.db']);
  });

  test('a state in memory needs no file', () => {
    const db = open(MEMORY);
    expect(db.next('x')).toBe(1);
    db.close();
  });

  test('two that make the same file at once agree', () => {
    const a = open();
    const b = open();
    expect([a.created, b.created]).toEqual([true, false]);
    expect([a.next('n'), b.next('n'), a.next('n')]).toEqual([1, 2, 3]);
    a.close();
    b.close();
  });
});

describe('a file that cannot be a state', () => {
  test('is refused when it is of somebody else', () => {
    writeFileSync(file, 'plain text '.repeat(100));
    expect(problemOf()).toBe('foreign');
    writeFileSync(file, 'x');
    expect(problemOf()).toBe('foreign');
  });

  test('is refused when it is a database of somebody else', () => {
    const other = new DatabaseSync(file);
    other.exec('CREATE TABLE theirs (x)');
    other.close();
    expect(problemOf()).toBe('foreign');
    const marked = new DatabaseSync(file);
    marked.exec('PRAGMA application_id = 77');
    marked.close();
    expect(problemOf()).toBe('foreign');
  });

  test('is refused when it is a folder', () => {
    mkdirSync(file);
    expect(() => open()).toThrow(StateError);
  });

  test('is refused when it was written by a later version', () => {
    open().close();
    const db = new DatabaseSync(file);
    db.exec('PRAGMA user_version = 99');
    db.close();
    expect(problemOf()).toBe('version');
  });

  test('is refused when it is cut, wherever', () => {
    open().close();
    const whole = readFileSync(file);
    for (const size of [50, 100, 512, 4096, whole.length - 4096, whole.length - 1]) {
      writeFileSync(file, whole);
      truncateSync(file, size);
      expect(problemOf(), `${size} bytes`).toMatch(/foreign|damaged/);
    }
  });

  test('is refused when its tables are gone', () => {
    open().close();
    const bytes = readFileSync(file);
    bytes.fill(0, 100, 4096);
    writeFileSync(file, bytes);
    expect(problemOf()).toBe('damaged');
  });
});

describe('transactions', () => {
  test('an error takes back all of it, and leaves the database usable', () => {
    const db = open();
    expect(() =>
      db.write(() => {
        db.next('n');
        db.write(() => db.next('n'));
        throw new Error('no');
      }),
    ).toThrow('no');
    expect(db.next('n')).toBe(1);
    db.close();
  });

  test('a reader sees one state while another process writes', () => {
    const a = open();
    const b = open();
    a.read(() => {
      expect(a.all('SELECT * FROM counter')).toHaveLength(0);
      b.next('n');
      expect(a.all('SELECT * FROM counter')).toHaveLength(0);
    });
    expect(a.all('SELECT * FROM counter')).toHaveLength(1);
    a.close();
    b.close();
  });

  test('a row that contradicts another is damage, not a crash', () => {
    const db = open();
    db.insert('counter', { name: 'n', value: 1n });
    expect(() => db.insert('counter', { name: 'n', value: 1n })).toThrow(StateError);
    db.close();
  });

  test('emptying keeps the counters that it is told to keep', () => {
    const db = open();
    db.next('kept');
    db.next('lost');
    db.empty((fresh) => fresh.insert('setting', { name: 'again', value: 2n }), ['kept', 'unknown']);
    expect([db.next('kept'), db.next('lost'), db.next('unknown')]).toEqual([2, 1, 1]);
    expect(db.all('SELECT name FROM setting').map((row) => row.name)).toEqual(['again']);
    db.close();
  });
});

test('the size is that of the file once it is closed', () => {
  const db = open();
  const size = db.size();
  db.close();
  expect(statSync(file).size).toBe(size);
});
