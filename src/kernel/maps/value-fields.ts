// Special fields in the bytes of values: user space neither sees nor sets what is in them.
import type { SpecialRecord } from '../objects.ts';
import { round8 } from './record.ts';

/** What a reader sees of a reference count. */
const FRESH_COUNT = 1;

/**
 * Blanks the special fields in one value, or in one for each CPU, in place and gives the bytes back. 'read' shows what
 * Linux shows of a field, 'written' keeps nothing of what the caller put there. rule: check_and_init_map_value, 6.18
 */
export function blankFields(
  record: SpecialRecord | undefined,
  valueSize: number,
  bytes: Uint8Array,
  way: 'read' | 'written',
): Uint8Array {
  if (!record) return bytes;
  for (let at = 0; at + valueSize <= bytes.length; at += round8(valueSize)) {
    for (const { kind, offset, size } of record.fields) {
      bytes.fill(0, at + offset, at + offset + size);
      if (way === 'read' && kind === 'bpf_refcount') bytes[at + offset] = FRESH_COUNT;
    }
  }
  return bytes;
}
