// Where a member lies, by its path.
import type { Btf } from './btf.ts';
import { BtfError } from './btf-error.ts';
import { isComposite } from './kinds.ts';

/** Anonymous structs and unions that one search may look into. */
const MAX_SEARCHED = 1000;

interface Found {
  /** Bits from the beginning of the struct that was searched. */
  bits: number;
  type: number;
}

/** Depth first; `seen` holds the types that were searched, so that none is searched twice. */
const findMember = (btf: Btf, id: number, name: string, seen: Set<number>): Found | undefined => {
  if (!isComposite(btf.kind(id)) || seen.has(id) || seen.size > MAX_SEARCHED) return undefined;
  seen.add(id);
  const vlen = btf.vlen(id);
  for (let i = 0; i < vlen; i++) {
    const type = btf.memberType(id, i);
    const bits = btf.memberBitOffset(id, i);
    const memberName = btf.memberName(id, i);
    if (memberName === name) return { bits, type };
    if (memberName) continue;
    const inner = findMember(btf, btf.skipModsAndTypedefs(type), name, seen);
    if (inner) return { bits: bits + inner.bits, type: inner.type };
  }
  return undefined;
};

const pathOffset = (btf: Btf, id: number, path: string): number | undefined => {
  let bits = 0;
  for (const name of path.split('.')) {
    const found = findMember(btf, btf.skipModsAndTypedefs(id), name, new Set());
    if (!found) return undefined;
    bits += found.bits;
    id = found.type;
  }
  return bits % 8 ? undefined : bits / 8;
};

/**
 * Bytes from the beginning of the struct or union of that name to a member such as 'a.b.c'. Of several types of the
 * name the first one that has the member counts. Throws BtfError when there is none.
 */
export const memberOffset = (btf: Btf, struct: string, path: string): number => {
  const ids = btf.findAll(struct).filter((id) => isComposite(btf.kind(id)));
  if (!ids.length) throw new BtfError(`no struct or union '${struct}'`);
  for (const id of ids) {
    const offset = pathOffset(btf, id, path);
    if (offset !== undefined) return offset;
  }
  throw new BtfError(`no member '${path}' in '${struct}'`);
};
