// SQLite as the store uses it: statements kept prepared, transactions that nest, errors about the file as StateError.
import { existsSync, mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { inspectFile } from './inspect-file.ts';
import { APPLICATION_ID, SCHEMA, SCHEMA_VERSION } from './schema.ts';
import { StateError, toStateError } from './state-error.ts';
import { MEMORY } from './state-path.ts';

/** Milliseconds to wait for another process that is writing. */
const BUSY_TIMEOUT_MS = 20_000;

export type Value = SQLInputValue;
export type Row = Record<string, SQLOutputValue>;

export class Database {
  readonly path: string;
  /** Opened without the right to write. */
  readonly readOnly: boolean;
  /** Made by this opening. */
  readonly created: boolean;
  private readonly db: DatabaseSync;
  private readonly statements = new Map<string, StatementSync>();
  private depth = 0;

  /**
   * Opens or makes the state file; folders on the way to it are made. `fill` puts the first rows into a new one.
   * Throws StateError when the file cannot be used; it is then unchanged.
   */
  constructor(path: string, fill: (database: Database) => void) {
    this.path = path === MEMORY ? MEMORY : resolve(path);
    const present = path !== MEMORY && inspectFile(this.path) === 'present';
    let created = false;
    let db: DatabaseSync | undefined;
    try {
      if (path !== MEMORY && !present) makeFolder(this.path);
      const opened = openFile(this.path);
      db = opened.db;
      this.db = db;
      this.readOnly = opened.readOnly;
      db.exec('PRAGMA synchronous = NORMAL');
      if (this.pragma('application_id') !== APPLICATION_ID) {
        this.refuseForeign();
        db.exec('PRAGMA journal_mode = WAL');
        this.write(() => {
          if (this.pragma('application_id') === APPLICATION_ID) return;
          this.refuseForeign();
          this.make();
          fill(this);
          created = true;
        });
      }
      const version = this.pragma('user_version');
      if (version !== SCHEMA_VERSION) {
        throw new StateError(
          'version',
          this.path,
          `it has version ${version}, this program knows ${SCHEMA_VERSION} ('kernel reset' makes a new one)`,
        );
      }
    } catch (error) {
      db?.close();
      throw toStateError(error, this.path);
    }
    this.created = created;
  }

  private pragma(name: string): number {
    return Number(Object.values(this.db.prepare(`PRAGMA ${name}`).get() ?? {})[0]);
  }

  /** A database without our mark must be empty. */
  private refuseForeign(): void {
    const tables = this.db.prepare('SELECT count(*) AS n FROM sqlite_schema').get();
    const marked = this.pragma('application_id') !== 0 || this.pragma('user_version') !== 0;
    if (Number(tables?.n) > 0 || marked) throw new StateError('foreign', this.path, 'it is not a bpftool state file');
  }

  private make(): void {
    this.db.exec(SCHEMA);
    this.db.exec(`PRAGMA user_version = ${SCHEMA_VERSION}; PRAGMA application_id = ${APPLICATION_ID}`);
  }

  private statement(sql: string): StatementSync {
    let statement = this.statements.get(sql);
    if (!statement) {
      statement = this.db.prepare(sql);
      statement.setReadBigInts(true);
      this.statements.set(sql, statement);
    }
    return statement;
  }

  private guarded<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw toStateError(error, this.path);
    }
  }

  /** First row of a query, integers as bigint; undefined when there is none. */
  get(sql: string, ...values: Value[]): Row | undefined {
    return this.guarded(() => this.statement(sql).get(...values));
  }

  /** All rows of a query, integers as bigint. */
  all(sql: string, ...values: Value[]): Row[] {
    return this.guarded(() => this.statement(sql).all(...values));
  }

  /** Runs a changing statement and gives the number of rows changed. */
  run(sql: string, ...values: Value[]): number {
    return this.guarded(() => Number(this.statement(sql).run(...values).changes));
  }

  /** Adds one row; the names are columns, and not from outside. */
  insert(table: string, row: Readonly<Record<string, Value>>): void {
    const names = Object.keys(row);
    this.run(
      `INSERT INTO ${table} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`,
      ...Object.values(row),
    );
  }

  /** Runs `work` in a transaction that may write: all of it is kept, or on an error nothing. Calls may nest. */
  write<T>(work: () => T): T {
    return this.transaction('BEGIN IMMEDIATE', work);
  }

  /** Runs `work` on one unchanging view of the data. */
  read<T>(work: () => T): T {
    return this.transaction('BEGIN', work);
  }

  private transaction<T>(begin: string, work: () => T): T {
    if (this.depth > 0) return work();
    this.guarded(() => this.db.exec(begin));
    this.depth++;
    try {
      const result = work();
      this.guarded(() => this.db.exec('COMMIT'));
      return result;
    } catch (error) {
      if (this.db.isTransaction) this.guarded(() => this.db.exec('ROLLBACK'));
      throw error;
    } finally {
      this.depth--;
    }
  }

  /** The next number of a counter: 1 at first, never the same again. */
  next(counter: string): number {
    const sql = `INSERT INTO counter VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value`;
    return Number(this.get(sql, counter)?.value);
  }

  /** Removes all rows and puts the first ones in again; counters named in `keep` go on. */
  empty(fill: (database: Database) => void, keep: readonly string[]): void {
    this.write(() => {
      const kept = keep.map(
        (name) => [name, this.get('SELECT value FROM counter WHERE name = ?', name)?.value ?? 0] as const,
      );
      for (const { name } of this.all("SELECT name FROM sqlite_schema WHERE type = 'table'"))
        this.run(`DELETE FROM ${name}`);
      for (const [name, value] of kept) this.insert('counter', { name, value });
      fill(this);
    });
  }

  /** Bytes of the database, what lies in its log included. */
  size(): number {
    return this.pragma('page_count') * this.pragma('page_size');
  }

  close(): void {
    this.statements.clear();
    if (this.db.isOpen) this.guarded(() => this.db.close());
  }
}

function makeFolder(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new StateError('access', path, `its folder cannot be made (${(error as NodeJS.ErrnoException).code})`);
  }
}

function openFile(path: string): { db: DatabaseSync; readOnly: boolean } {
  const options = { timeout: BUSY_TIMEOUT_MS, enableForeignKeyConstraints: false };
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(path, options);
    // SQLite opens a write-protected file without complaint and only fails at the first change.
    db.exec('BEGIN IMMEDIATE; ROLLBACK');
    return { db, readOnly: false };
  } catch (error) {
    db?.close();
    const failure = toStateError(error, path);
    if (!(failure instanceof StateError) || failure.problem !== 'access') throw failure;
    // Reading beside a writer needs a file of its own next to the state; without one, nobody may be writing.
    if (existsSync(`${path}-wal`)) throw failure;
    const url = pathToFileURL(path);
    url.searchParams.set('immutable', '1');
    return { db: new DatabaseSync(url, { ...options, readOnly: true }), readOnly: true };
  }
}
