// How many bytes values take, and how they are aligned.
import type { Btf } from './btf.ts';
import { BtfError } from './btf-error.ts';
import { BTF_KIND, isComposite, isEnum, isModifier } from './kinds.ts';

/** Steps that a size may be followed through modifiers and arrays. Rule: libbpf 1.8. */
const MAX_RESOLVE_DEPTH = 32;
/** Depth of nesting beyond which types are taken for a loop. */
const MAX_DEPTH = 500;
const MAX_U32 = 0xffffffff;

/** What sizes are found from. */
export type SizedTypes = Pick<Btf, 'kind' | 'size' | 'type' | 'arrayLength' | 'arrayElem' | 'pointerSize'>;

/** Bytes of a value; -1 when it has none. Rule: libbpf 1.8, btf__resolve_size. */
export const sizeOf = (btf: SizedTypes, id: number): number => {
  let elements = 1;
  for (let i = 0; i < MAX_RESOLVE_DEPTH; i++) {
    let size = -1;
    switch (btf.kind(id)) {
      case BTF_KIND.INT:
      case BTF_KIND.STRUCT:
      case BTF_KIND.UNION:
      case BTF_KIND.ENUM:
      case BTF_KIND.ENUM64:
      case BTF_KIND.DATASEC:
      case BTF_KIND.FLOAT:
        size = btf.size(id);
        break;
      case BTF_KIND.PTR:
        size = btf.pointerSize;
        break;
      case BTF_KIND.TYPEDEF:
      case BTF_KIND.VOLATILE:
      case BTF_KIND.CONST:
      case BTF_KIND.RESTRICT:
      case BTF_KIND.VAR:
      case BTF_KIND.DECL_TAG:
      case BTF_KIND.TYPE_TAG:
        id = btf.type(id);
        continue;
      case BTF_KIND.ARRAY:
        elements *= btf.arrayLength(id);
        if (elements > MAX_U32) return -1;
        id = btf.arrayElem(id);
        continue;
      default:
        return -1;
    }
    return size * elements > MAX_U32 ? -1 : size * elements;
  }
  return -1;
};

/** What alignments are found from. */
export type AlignedTypes = Pick<
  Btf,
  | 'count'
  | 'kind'
  | 'size'
  | 'type'
  | 'arrayElem'
  | 'pointerSize'
  | 'vlen'
  | 'memberType'
  | 'memberBitOffset'
  | 'memberBitSize'
>;

/** Alignments of types, each found once: types that share parts would otherwise cost twice at every level. */
export class Alignments {
  private readonly btf: AlignedTypes;
  /** Alignment + 1; 0 while unknown. */
  private readonly known: Uint8Array;

  constructor(btf: AlignedTypes) {
    this.btf = btf;
    this.known = new Uint8Array(btf.count);
  }

  /** Bytes; 0 for what has no alignment. Throws BtfError when a type holds itself. */
  of(id: number): number {
    return this.at(id, 0);
  }

  /**
   * The kind because of which a type without alignment has none, the first that is met: nothing of it can be stored.
   * Undefined where an alignment is found, or is 0 for another reason. Rule: libbpf 1.8, btf__align_of.
   */
  unsupportedKind(id: number): number | undefined {
    const { btf } = this;
    for (let at = id; this.of(at) === 0; ) {
      const kind = btf.kind(at);
      if (isModifier(kind) || kind === BTF_KIND.TYPEDEF) at = btf.type(at);
      else if (kind === BTF_KIND.ARRAY) at = btf.arrayElem(at);
      else if (isComposite(kind)) at = this.firstUnaligned(at);
      else return kind === BTF_KIND.INT || kind === BTF_KIND.FLOAT || isEnum(kind) ? undefined : kind;
    }
    return undefined;
  }

  private firstUnaligned(id: number): number {
    for (let i = 0; ; i++) {
      const type = this.btf.memberType(id, i);
      if (this.of(type) === 0) return type;
    }
  }

  private at(id: number, depth: number): number {
    if (depth > MAX_DEPTH) throw new BtfError(`types are nested too deeply at id ${id}`);
    const known = this.known[id];
    if (known) return known - 1;
    const align = this.compute(id, depth + 1);
    this.known[id] = align + 1;
    return align;
  }

  private compute(id: number, depth: number): number {
    const { btf } = this;
    switch (btf.kind(id)) {
      case BTF_KIND.INT:
      case BTF_KIND.ENUM:
      case BTF_KIND.ENUM64:
      case BTF_KIND.FLOAT:
        return Math.min(btf.pointerSize, btf.size(id));
      case BTF_KIND.PTR:
        return btf.pointerSize;
      case BTF_KIND.TYPEDEF:
      case BTF_KIND.VOLATILE:
      case BTF_KIND.CONST:
      case BTF_KIND.RESTRICT:
      case BTF_KIND.TYPE_TAG:
        return this.at(btf.type(id), depth);
      case BTF_KIND.ARRAY:
        return this.at(btf.arrayElem(id), depth);
      case BTF_KIND.STRUCT:
      case BTF_KIND.UNION:
        return this.composite(id, depth);
      default:
        return 0;
    }
  }

  private composite(id: number, depth: number): number {
    const { btf } = this;
    let greatest = 1;
    const vlen = btf.vlen(id);
    for (let i = 0; i < vlen; i++) {
      const align = this.at(btf.memberType(id, i), depth);
      if (align <= 0) return 0;
      greatest = Math.max(greatest, align);
      if (btf.memberBitSize(id, i) === 0 && btf.memberBitOffset(id, i) % (8 * align) !== 0) return 1;
    }
    return btf.size(id) % greatest ? 1 : greatest;
  }
}
