// Longest prefix match: a key is a number of bits and the bits.
import { ERRNO, SysError } from '../../errno.ts';
import { countElements, dropElement, findElement, nextElement, putElement } from './elements.ts';
import { ACCESS_MASK, accessFlagsOk, FLAG, UPDATE } from './flags.ts';
import { KMALLOC_MAX } from './hash.ts';
import { concatBytes, u32Bytes, u32Of } from './numbers.ts';
import type { CreateAttr, MapAccess, MapFamily, MapRecord, MemoryLayout } from './record.ts';

/** Bytes of the prefix length in a key. */
const LENGTH_BYTES = 4;
const MAX_DATA = 256;
/** Digits of a stored key, two bits each: the prefix's bits, then its end. */
const END = 3;
const DIGITS_PER_BYTE = 4;

/** rule: trie_alloc, 6.18 */
function check(attr: CreateAttr, layout: MemoryLayout): number {
  const known = FLAG.NO_PREALLOC | FLAG.NUMA_NODE | ACCESS_MASK;
  if (attr.maxEntries === 0 || !(attr.flags & FLAG.NO_PREALLOC)) return ERRNO.EINVAL;
  if (attr.flags & ~known || !accessFlagsOk(attr.flags)) return ERRNO.EINVAL;
  if (attr.keySize < LENGTH_BYTES + 1 || attr.keySize > LENGTH_BYTES + MAX_DATA) return ERRNO.EINVAL;
  const maxValue = KMALLOC_MAX - MAX_DATA - layout.sizeOf('lpm_trie_node');
  return attr.valueSize < 1 || attr.valueSize > maxValue ? ERRNO.EINVAL : 0;
}

const dataBytes = (map: MapRecord): number => map.keySize - LENGTH_BYTES;

/** The number of bits of a key; undefined when it has not so many. */
function prefixLength(map: MapRecord, key: Uint8Array): number | undefined {
  const length = u32Of(key);
  return length > dataBytes(map) * 8 ? undefined : length;
}

/**
 * The first `length` bits of a key as they sort: a prefix comes behind all that it contains, and what begins with 0
 * before what begins with 1. That is the order in which Linux walks the trie.
 */
function storedKey(key: Uint8Array, length: number): Uint8Array {
  const out = new Uint8Array(Math.ceil((length + 1) / DIGITS_PER_BYTE));
  const put = (i: number, digit: number): void => {
    out[Math.floor(i / DIGITS_PER_BYTE)] |= digit << (6 - 2 * (i % DIGITS_PER_BYTE));
  };
  for (let i = 0; i < length; i++) put(i, (key[LENGTH_BYTES + (i >> 3)] >> (7 - (i & 7))) & 1);
  put(length, END);
  return out;
}

/** Number of bits of a stored key. */
function storedLength(stored: Uint8Array): number {
  for (let i = stored.length * DIGITS_PER_BYTE - 1; i > 0; i--) {
    const digit = (stored[Math.floor(i / DIGITS_PER_BYTE)] >> (6 - 2 * (i % DIGITS_PER_BYTE))) & 3;
    if (digit === END) return i;
  }
  return 0;
}

function changedKey(a: MapAccess, key: Uint8Array): Uint8Array {
  const length = prefixLength(a.map, key);
  if (length === undefined) throw new SysError('EINVAL');
  return storedKey(key, length);
}

/** Elements hold the key's data, bits behind the prefix included, and the value. */
export const lpmTrie: MapFamily = {
  checkLate: check,
  memlock: ({ map, sizeOf }) => (sizeOf('lpm_trie_node') + dataBytes(map) + map.valueSize) * map.count,
  lookup(a, key) {
    for (let length = prefixLength(a.map, key) ?? -1; length >= 0; length--) {
      const found = findElement(a, storedKey(key, length));
      if (found) return found.subarray(dataBytes(a.map));
    }
    throw new SysError('ENOENT');
  },
  update(a, key, value, flags) {
    if (flags > UPDATE.EXIST) throw new SysError('EINVAL');
    const stored = changedKey(a, key);
    const exists = findElement(a, stored) !== undefined;
    if (exists && flags === UPDATE.NOEXIST) throw new SysError('EEXIST');
    if (!exists) {
      if (flags === UPDATE.EXIST) throw new SysError('ENOENT');
      if (a.map.count >= a.map.maxEntries) throw new SysError('ENOSPC');
      countElements(a, 1);
    }
    putElement(a, stored, concatBytes(key.subarray(LENGTH_BYTES), value));
  },
  remove(a, key) {
    if (!dropElement(a, changedKey(a, key))) throw new SysError('ENOENT');
    countElements(a, -1);
  },
  nextKey(a, key) {
    const length = key && prefixLength(a.map, key);
    const next = nextElement(a, key && length !== undefined ? storedKey(key, length) : undefined);
    return concatBytes(u32Bytes(storedLength(next.key)), next.value.subarray(0, dataBytes(a.map)));
  },
};
