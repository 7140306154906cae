// Longest prefix match: a key is a number of bits and the bits.
import { ERRNO, SysError } from '../../errno.ts';
import { ACCESS_MASK, accessFlagsOk, FLAG, UPDATE } from './flags.ts';
import { nextByteOrder } from './hash.ts';
import { bytesOf, type CreateAttr, type MapAccess, type MapFamily } from './record.ts';

/** sizeof(struct lpm_trie_node); bytes of the prefix length in a key. */
const NODE = 24;
const LENGTH_BYTES = 4;
const MAX_DATA = 256;
const KMALLOC_MAX = 1 << 22;

/** rule: trie_alloc, 6.18 */
function check(attr: CreateAttr): number {
  const known = FLAG.NO_PREALLOC | FLAG.NUMA_NODE | ACCESS_MASK;
  if (attr.maxEntries === 0 || !(attr.flags & FLAG.NO_PREALLOC)) return ERRNO.EINVAL;
  if (attr.flags & ~known || !accessFlagsOk(attr.flags)) return ERRNO.EINVAL;
  if (attr.keySize < LENGTH_BYTES + 1 || attr.keySize > LENGTH_BYTES + MAX_DATA) return ERRNO.EINVAL;
  if (attr.valueSize < 1 || attr.valueSize > KMALLOC_MAX - MAX_DATA - NODE) return ERRNO.EINVAL;
  return 0;
}

const prefixLength = (key: Uint8Array): number => new DataView(key.buffer, key.byteOffset, 4).getUint32(0, true);

/** The length must fit the data. */
function checkLength(a: MapAccess, key: Uint8Array): number {
  const length = prefixLength(key);
  if (length > (a.map.keySize - LENGTH_BYTES) * 8) throw new SysError('EINVAL');
  return length;
}

/** The key with all bits behind the prefix cleared: how it is stored. */
function canonical(key: Uint8Array, length: number): Uint8Array {
  const out = new Uint8Array(key.length);
  new DataView(out.buffer).setUint32(0, length, true);
  const whole = length >> 3;
  out.set(key.subarray(LENGTH_BYTES, LENGTH_BYTES + whole), LENGTH_BYTES);
  if (length & 7) out[LENGTH_BYTES + whole] = key[LENGTH_BYTES + whole] & (0xff00 >> (length & 7));
  return out;
}

const exact = (a: MapAccess, key: Uint8Array): Uint8Array | undefined => {
  const row = a.db.get('SELECT value FROM elem WHERE map = ? AND key = ?', a.map.id, key);
  return row && bytesOf(row.value);
};

export const lpmTrie: MapFamily = {
  check,
  memlock: ({ map }) => (NODE + map.keySize - LENGTH_BYTES + map.valueSize) * map.count,
  lookup(a, key) {
    if (prefixLength(key) > (a.map.keySize - LENGTH_BYTES) * 8) throw new SysError('ENOENT');
    for (let length = prefixLength(key); length >= 0; length--) {
      const value = exact(a, canonical(key, length));
      if (value) return Uint8Array.from(value);
    }
    throw new SysError('ENOENT');
  },
  update(a, key, value, flags) {
    if (flags > UPDATE.EXIST) throw new SysError('EINVAL');
    const stored = canonical(key, checkLength(a, key));
    const exists = exact(a, stored) !== undefined;
    if (exists && flags === UPDATE.NOEXIST) throw new SysError('EEXIST');
    if (!exists && flags === UPDATE.EXIST) throw new SysError('ENOENT');
    if (!exists) {
      if (a.map.count >= a.map.maxEntries) throw new SysError('ENOSPC');
      a.db.run('UPDATE map SET count = count + 1 WHERE id = ?', a.map.id);
    }
    a.db.run('INSERT OR REPLACE INTO elem VALUES (?, ?, ?, NULL)', a.map.id, stored, value);
  },
  remove(a, key) {
    const stored = canonical(key, checkLength(a, key));
    if (a.db.run('DELETE FROM elem WHERE map = ? AND key = ?', a.map.id, stored) === 0) throw new SysError('ENOENT');
    a.db.run('UPDATE map SET count = count - 1 WHERE id = ?', a.map.id);
  },
  nextKey: (a, key) => nextByteOrder(a, key && canonical(key, prefixLength(key))),
};
