// Queues and stacks: elements without keys, ordered by when they came.
import { ERRNO, SysError } from '../../errno.ts';
import { MAP_TYPE } from '../../isa/uapi.ts';
import { countElements, dropElement, type Element, elementAfter, lastElement, putElement, tick } from './elements.ts';
import { ACCESS_MASK, accessFlagsOk, FLAG, UPDATE } from './flags.ts';
import { KMALLOC_MAX } from './hash.ts';
import type { CreateAttr, MapAccess, MapFamily } from './record.ts';

/** rule: queue_stack_map_alloc_check, 6.18 */
function check(attr: CreateAttr): number {
  const known = FLAG.NUMA_NODE | ACCESS_MASK;
  if (attr.maxEntries === 0 || attr.keySize !== 0 || attr.valueSize === 0) return ERRNO.EINVAL;
  if (attr.flags & ~known || !accessFlagsOk(attr.flags)) return ERRNO.EINVAL;
  return attr.valueSize > KMALLOC_MAX ? ERRNO.E2BIG : 0;
}

/** A number as a key that sorts by it. */
function place(number: number): Uint8Array {
  const key = new Uint8Array(8);
  new DataView(key.buffer).setBigUint64(0, BigInt(number), false);
  return key;
}

/** The element that comes out next: the oldest of a queue, the newest of a stack. */
function next(a: MapAccess): Element {
  const element = a.map.type === MAP_TYPE.queue ? elementAfter(a, undefined) : lastElement(a);
  if (!element) throw new SysError('ENOENT');
  return element;
}

function drop(a: MapAccess, stored: Uint8Array): void {
  if (dropElement(a, stored)) countElements(a, -1);
}

export const queueStack: MapFamily = {
  check,
  memlock: ({ map, sizeOf }) => sizeOf('bpf_queue_stack') + (map.maxEntries + 1) * map.valueSize,
  lookup: (a) => next(a).value,
  update(a, _key, value, flags) {
    // EXIST means: when full, the oldest element makes room.
    if ((flags & UPDATE.NOEXIST) !== 0n || flags > UPDATE.EXIST) throw new SysError('EINVAL');
    if (a.map.count >= a.map.maxEntries) {
      if (flags !== UPDATE.EXIST) throw new SysError('E2BIG');
      const oldest = elementAfter(a, undefined);
      if (oldest) drop(a, oldest.key);
    }
    putElement(a, place(tick(a)), value);
    countElements(a, 1);
  },
  lookupAndDelete(a, _key, flags) {
    if (flags !== 0n) throw new SysError('EINVAL');
    const { key, value } = next(a);
    drop(a, key);
    return value;
  },
  missing: { remove: ERRNO.EINVAL, nextKey: ERRNO.EINVAL },
};
