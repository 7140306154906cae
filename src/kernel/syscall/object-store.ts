// Objects of the state file and what keeps them alive: pins, descriptors of processes, other objects.
import { MAP_TYPE } from '../../isa/uapi.ts';
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

/** What a row of the references leads to. */
const targetOf = (row: Row): ObjectId => ({ kind: KIND_NAMES[Number(row.target_kind)], id: Number(row.target_id) });

/** Counter of processes: it outlives even the emptying of the state, since they may. */
export const HOLDERS = 'holder';

/** Slot of references that there is one of only. */
export const NO_SLOT = new Uint8Array(0);

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
    return row && targetOf(row);
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
      const id = this.db.next(HOLDERS);
      this.db.insert('holder', { id, pid, started, space });
      this.holder = id;
    }
    return this.holder;
  }

  /** This process has a descriptor of the object. Who may not write cannot say so, and hopes that nobody removes it. */
  hold(object: ObjectId): void {
    if (this.db.readOnly) return;
    this.db.run('INSERT OR IGNORE INTO hold VALUES (?, ?, ?)', KIND[object.kind], object.id, this.self());
  }

  /** Its last descriptor is closed. */
  letGo(object: ObjectId): void {
    if (this.holder === undefined) return;
    const sql = 'DELETE FROM hold WHERE kind = ? AND id = ? AND holder = ?';
    if (this.db.run(sql, KIND[object.kind], object.id, this.holder) > 0) this.dropped(object);
  }

  /** A descriptor or a pin of an object is gone. */
  dropped(object: ObjectId): void {
    if (object.kind === 'map' && !this.isInUse(object)) this.emptyProgArray(object.id);
    this.collect(object);
  }

  /**
   * Programs and the arrays that they jump through hold each other. An array that no descriptor and no pin leads to is
   * therefore emptied, whether a program still uses it or not. rule: bpf_map_put_uref, prog_array_map_clear, 6.18
   */
  private emptyProgArray(id: number): void {
    if (Number(this.row('map', id)?.type) !== MAP_TYPE.prog_array) return;
    const where = "WHERE kind = ? AND id = ? AND role = 'element'";
    const targets = this.db.all(`SELECT target_kind, target_id FROM ref ${where}`, KIND.map, id);
    this.db.run(`DELETE FROM ref ${where}`, KIND.map, id);
    for (const row of targets) this.collect(targetOf(row));
  }

  /** Ends a holder: all that only it held goes away. */
  private endHolder(holder: number): void {
    const held = this.db.all('SELECT kind, id FROM hold WHERE holder = ?', holder);
    this.db.run('DELETE FROM hold WHERE holder = ?', holder);
    this.db.run('DELETE FROM holder WHERE id = ?', holder);
    for (const row of held) this.dropped({ kind: KIND_NAMES[Number(row.kind)], id: Number(row.id) });
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

  /** A descriptor or a pin leads to the object. */
  private isInUse({ kind, id }: ObjectId): boolean {
    const n = KIND[kind];
    return (
      this.db.get('SELECT 1 FROM hold WHERE kind = ? AND id = ? LIMIT 1', n, id) !== undefined ||
      this.db.get('SELECT 1 FROM node WHERE kind = ? AND id = ? LIMIT 1', n, id) !== undefined
    );
  }

  private isReferredTo({ kind, id }: ObjectId): boolean {
    const sql = 'SELECT 1 FROM ref WHERE target_kind = ? AND target_id = ? LIMIT 1';
    return this.db.get(sql, KIND[kind], id) !== undefined;
  }

  /** Removes an object that nothing holds, and then those that only it held. */
  collect(first: ObjectId): void {
    const queue = [first];
    for (let object = queue.pop(); object; object = queue.pop()) {
      const { kind, id } = object;
      if (this.isInUse(object) || this.isReferredTo(object) || !this.exists(kind, id)) continue;
      if (kind === 'btf' && Number(this.row('btf', id)?.kernel) !== 0) continue;
      const n = KIND[kind];
      const targets = this.db.all('SELECT target_kind, target_id FROM ref WHERE kind = ? AND id = ?', n, id);
      this.db.run('DELETE FROM ref WHERE kind = ? AND id = ?', n, id);
      this.db.run(`DELETE FROM ${kind} WHERE id = ?`, id);
      if (kind === 'map') {
        this.db.run('DELETE FROM elem WHERE map = ?', id);
        this.db.run('DELETE FROM page WHERE map = ?', id);
      }
      queue.push(...targets.map(targetOf));
    }
  }
}
