// Elements of keyed maps in the state file. A map iterates in the order of the stored keys, which each family makes
// from its keys such that the order comes out as it wants.
import { SysError } from '../../errno.ts';
import { bytesOf, type MapAccess } from './record.ts';

export function findElement(a: MapAccess, stored: Uint8Array): Uint8Array | undefined {
  const row = a.db.get('SELECT value FROM elem WHERE map = ? AND key = ?', a.map.id, stored);
  return row && Uint8Array.from(bytesOf(row.value));
}

/** Adds or replaces; `stamp` only in maps that evict. */
export function putElement(a: MapAccess, stored: Uint8Array, value: Uint8Array, stamp: number | null = null): void {
  a.db.run('INSERT OR REPLACE INTO elem VALUES (?, ?, ?, ?)', a.map.id, stored, value, stamp);
}

/** False when there was none. */
export const dropElement = (a: MapAccess, stored: Uint8Array): boolean =>
  a.db.run('DELETE FROM elem WHERE map = ? AND key = ?', a.map.id, stored) > 0;

/** Adds to the number of elements that the map remembers. */
export function countElements(a: MapAccess, change: number): void {
  a.db.run('UPDATE map SET count = count + ? WHERE id = ?', change, a.map.id);
}

/** A number of this map that grows each time. */
export const tick = (a: MapAccess): number =>
  Number(a.db.get('UPDATE map SET tail = tail + 1 WHERE id = ? RETURNING tail', a.map.id)?.tail);

export interface Element {
  key: Uint8Array;
  value: Uint8Array;
}

/** The element behind `stored`, the first one after undefined; undefined at the end. */
export function elementAfter(a: MapAccess, stored: Uint8Array | undefined): Element | undefined {
  const row = stored
    ? a.db.get('SELECT key, value FROM elem WHERE map = ? AND key > ? ORDER BY key LIMIT 1', a.map.id, stored)
    : a.db.get('SELECT key, value FROM elem WHERE map = ? ORDER BY key LIMIT 1', a.map.id);
  return row && { key: Uint8Array.from(bytesOf(row.key)), value: Uint8Array.from(bytesOf(row.value)) };
}

/** The last element. */
export function lastElement(a: MapAccess): Element | undefined {
  const row = a.db.get('SELECT key, value FROM elem WHERE map = ? ORDER BY key DESC LIMIT 1', a.map.id);
  return row && { key: Uint8Array.from(bytesOf(row.key)), value: Uint8Array.from(bytesOf(row.value)) };
}

/** Next key as all keyed maps give it: a key that is not there starts again. */
export function nextElement(a: MapAccess, stored: Uint8Array | undefined): Element {
  const from = stored && findElement(a, stored) ? stored : undefined;
  const next = elementAfter(a, from);
  if (!next) throw new SysError('ENOENT');
  return next;
}
