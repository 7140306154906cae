// Objects of the state file and what keeps them alive: pins, descriptors of processes, other objects.
import type { ObjectKind } from '../../syscall.ts';
import type { Database, Row } from '../store/database.ts';
import { mayBeAlive, ownIdentity } from '../store/process-identity.ts';
import { KIND } from '../store/schema.ts';

/** Kinds by number, for rows that name one. */
const KIND_NAMES = Object.fromEntries(Object.entries(KIND).map(([name, n]) => [n, name])) as Record<number, ObjectKind>;

export interface ObjectId {
  kind: ObjectKind;
  id: number;
}

const NO_SLOT = new Uint8Array(0);

/** Each call that changes something must stand in a transaction of the database. */
export class ObjectStore {
  readonly db: Database;
  private holder: number | undefined;

  constructor(db: Database) {
    this.db = db;
  }

  row(kind: ObjectKind, id: number): Row | undefined {
    return this.db.get(`SELECT * FROM ${kind} WHERE id = ?`, id);
  }

  exists(kind: ObjectKind, id: number): boolean {
    return this.db.get(`SELECT 1 FROM ${kind} WHERE id = ?`, id) !== undefined;
  }

  /** The smallest id above `id`; undefined when there is none. */
  nextId(kind: ObjectKind, id: number): number | undefined {
    const row = this.db.get(`SELECT id FROM ${kind} WHERE id > ? ORDER BY id LIMIT 1`, id);
    return row && Number(row.id);
  }

  /** `from` keeps `to` alive; `role` and `slot` tell several such references apart. */
  refer(from: ObjectId, role: string, slot: Uint8Array, to: ObjectId): void {
    const sql = 'INSERT OR REPLACE INTO ref VALUES (?, ?, ?, ?, ?, ?)';
    this.db.run(sql, KIND[from.kind], from.id, role, slot, KIND[to.kind], to.id);
  }

  referOnce(from: ObjectId, role: string, to: ObjectId): void {
    this.refer(from, role, NO_SLOT, to);
  }

  /** What a slot of `from` refers to. */
  reference(from: ObjectId, role: string, slot: Uint8Array): ObjectId | undefined {
    const sql = 'SELECT target_kind, target_id FROM ref WHERE kind = ? AND id = ? AND role = ? AND slot = ?';
    const row = this.db.get(sql, KIND[from.kind], from.id, role, slot);
    return row && { kind: KIND_NAMES[Number(row.target_kind)], id: Number(row.target_id) };
  }

  /** Ends one reference; what nobody holds any more goes away. */
  unrefer(from: ObjectId, role: string, slot: Uint8Array): void {
    const target = this.reference(from, role, slot);
    if (!target) return;
    this.db.run(
      'DELETE FROM ref WHERE kind = ? AND id = ? AND role = ? AND slot = ?',
      KIND[from.kind],
      from.id,
      role,
      slot,
    );
    this.collect(target);
  }

  /** This process, as the table of holders knows it. */
  private self(): number {
    if (this.holder === undefined) {
      const { pid, started, space } = ownIdentity();
      const sql = 'INSERT INTO holder (pid, started, space) VALUES (?, ?, ?) RETURNING id';
      this.holder = Number(this.db.get(sql, pid, started, space)?.id);
    }
    return this.holder;
  }

  /** This process has a descriptor of the object. */
  hold(object: ObjectId): void {
    this.db.run('INSERT OR IGNORE INTO hold VALUES (?, ?, ?)', KIND[object.kind], object.id, this.self());
  }

  /** Its last descriptor is closed. */
  letGo(object: ObjectId): void {
    if (this.holder === undefined) return;
    const sql = 'DELETE FROM hold WHERE kind = ? AND id = ? AND holder = ?';
    if (this.db.run(sql, KIND[object.kind], object.id, this.holder) > 0) this.collect(object);
  }

  /** Ends a holder: all that only it held goes away. */
  private endHolder(holder: number): void {
    const held = this.db.all('SELECT kind, id FROM hold WHERE holder = ?', holder);
    this.db.run('DELETE FROM hold WHERE holder = ?', holder);
    this.db.run('DELETE FROM holder WHERE id = ?', holder);
    for (const row of held) this.collect({ kind: KIND_NAMES[Number(row.kind)], id: Number(row.id) });
  }

  /** The end of this process. */
  end(): void {
    if (this.holder === undefined) return;
    this.endHolder(this.holder);
    this.holder = undefined;
  }

  /** True where a process that is no more still stands in the table. */
  hasStaleHolders(): boolean {
    return this.staleHolders().length > 0;
  }

  private staleHolders(): number[] {
    return this.db
      .all('SELECT id, pid, started, space FROM holder')
      .filter((row) => !mayBeAlive({ pid: Number(row.pid), started: String(row.started), space: String(row.space) }))
      .map((row) => Number(row.id));
  }

  endStaleHolders(): void {
    for (const id of this.staleHolders()) this.endHolder(id);
  }

  private isHeld({ kind, id }: ObjectId): boolean {
    const n = KIND[kind];
    return (
      this.db.get('SELECT 1 FROM node WHERE kind = ? AND id = ? LIMIT 1', n, id) !== undefined ||
      this.db.get('SELECT 1 FROM ref WHERE target_kind = ? AND target_id = ? LIMIT 1', n, id) !== undefined ||
      this.db.get('SELECT 1 FROM hold WHERE kind = ? AND id = ? LIMIT 1', n, id) !== undefined
    );
  }

  /** Removes an object that nothing holds, and then those that only it held. */
  collect(first: ObjectId): void {
    const queue = [first];
    for (let object = queue.pop(); object; object = queue.pop()) {
      const { kind, id } = object;
      if (this.isHeld(object) || !this.exists(kind, id)) continue;
      if (kind === 'btf' && Number(this.row('btf', id)?.kernel) !== 0) continue;
      const n = KIND[kind];
      const targets = this.db.all('SELECT target_kind, target_id FROM ref WHERE kind = ? AND id = ?', n, id);
      this.db.run('DELETE FROM ref WHERE kind = ? AND id = ?', n, id);
      this.db.run(`DELETE FROM ${kind} WHERE id = ?`, id);
      if (kind === 'map') {
        this.db.run('DELETE FROM elem WHERE map = ?', id);
        this.db.run('DELETE FROM page WHERE map = ?', id);
      }
      for (const row of targets) queue.push({ kind: KIND_NAMES[Number(row.target_kind)], id: Number(row.target_id) });
    }
  }
}
