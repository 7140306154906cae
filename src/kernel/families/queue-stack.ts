// Queues and stacks: elements without keys, ordered by when they came.
import { ERRNO, SysError } from '../../errno.ts';
import { MAP_TYPE } from '../../isa/uapi.ts';
import { ACCESS_MASK, accessFlagsOk, FLAG, UPDATE } from './flags.ts';
import { bytesOf, type CreateAttr, type MapAccess, type MapFamily } from './record.ts';

/** sizeof(struct bpf_queue_stack) */
const QUEUE = 312;
const KMALLOC_MAX = 1 << 22;

/** rule: queue_stack_map_alloc_check, 6.18 */
function check(attr: CreateAttr): number {
  const known = FLAG.NUMA_NODE | ACCESS_MASK;
  if (attr.maxEntries === 0 || attr.keySize !== 0 || attr.valueSize === 0) return ERRNO.EINVAL;
  if (attr.flags & ~known || !accessFlagsOk(attr.flags)) return ERRNO.EINVAL;
  return attr.valueSize > KMALLOC_MAX ? ERRNO.E2BIG : 0;
}

/** The element's place as a key that sorts by number. */
function place(number: bigint): Uint8Array {
  const key = new Uint8Array(8);
  new DataView(key.buffer).setBigUint64(0, number, false);
  return key;
}

/** The element that comes out next: the oldest of a queue, the newest of a stack. */
function next(a: MapAccess): { key: Uint8Array; value: Uint8Array } {
  const order = a.map.type === MAP_TYPE.queue ? 'ASC' : 'DESC';
  const row = a.db.get(`SELECT key, value FROM elem WHERE map = ? ORDER BY key ${order} LIMIT 1`, a.map.id);
  if (!row) throw new SysError('ENOENT');
  return { key: bytesOf(row.key), value: Uint8Array.from(bytesOf(row.value)) };
}

function drop(a: MapAccess, key: Uint8Array): void {
  a.db.run('DELETE FROM elem WHERE map = ? AND key = ?', a.map.id, key);
  a.db.run('UPDATE map SET count = count - 1 WHERE id = ?', a.map.id);
}

export const queueStack: MapFamily = {
  check,
  memlock: ({ map }) => QUEUE + (map.maxEntries + 1) * map.valueSize,
  lookup: (a) => next(a).value,
  update(a, _key, value, flags) {
    // EXIST means: when full, the oldest element makes room.
    if ((flags & UPDATE.NOEXIST) !== 0n || flags > UPDATE.EXIST) throw new SysError('EINVAL');
    if (a.map.count >= a.map.maxEntries) {
      if (flags !== UPDATE.EXIST) throw new SysError('E2BIG');
      const oldest = a.db.get('SELECT key FROM elem WHERE map = ? ORDER BY key LIMIT 1', a.map.id);
      if (oldest) drop(a, bytesOf(oldest.key));
    }
    const number = a.db.next(`queue:${a.map.id}`);
    a.db.run('INSERT INTO elem VALUES (?, ?, ?, NULL)', a.map.id, place(BigInt(number)), value);
    a.db.run('UPDATE map SET count = count + 1 WHERE id = ?', a.map.id);
  },
  lookupAndDelete(a) {
    const { key, value } = next(a);
    drop(a, key);
    return value;
  },
  missing: { remove: ERRNO.EINVAL, nextKey: ERRNO.EINVAL },
};
