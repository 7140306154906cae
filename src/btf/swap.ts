// BTF data in the other byte order, for machines of that order.
import { type Btf, BtfError } from './btf.ts';
import { readSections } from './header.ts';
import { KIND_LAYOUTS } from './kinds.ts';

/** Bytes of the header whose meaning is known: magic, version and flags, then 32-bit words. */
const KNOWN_HEADER = 32;
const LAYOUT_BYTES = 4;

/**
 * The bytes of `btf` in the byte order that is asked for: types, strings and their offsets stay as they are.
 * Throws BtfError for kinds that are known only from a kind layout, whose words cannot be told from bytes.
 * The result equals that of libbpf 1.8 (btf__set_endianness, btf__raw_data).
 */
export const swapBtf = (btf: Btf, littleEndian: boolean): Uint8Array => {
  const out = btf.bytes.slice();
  const sections = readSections(btf.bytes, btf.base !== undefined);
  if (sections.littleEndian === littleEndian) return out;
  for (let id = btf.firstId; id < btf.count; id++) {
    if (btf.kind(id) >= KIND_LAYOUTS.length) throw new BtfError(`Unsupported BTF_KIND:${btf.kind(id)}`);
  }
  const view = new DataView(out.buffer, out.byteOffset, out.length);
  const swapWords = (start: number, end: number): void => {
    for (let at = start; at + 4 <= end; at += 4) {
      view.setUint32(at, view.getUint32(at, sections.littleEndian), littleEndian);
    }
  };
  const headerLength = view.getUint32(4, sections.littleEndian);
  view.setUint16(0, view.getUint16(0, true), false);
  swapWords(4, Math.min(headerLength, KNOWN_HEADER));
  swapWords(sections.types.start, sections.types.start + sections.types.length);
  // Each entry ends in 16 bits of flags.
  for (let at = sections.layout.start; at < sections.layout.start + sections.layout.length; at += LAYOUT_BYTES) {
    view.setUint16(at + 2, view.getUint16(at + 2, true), false);
  }
  return out;
};
