// What resolving has found out of each type: where it leads to behind modifiers, and its size.
import { BTF_KIND } from '../../../btf/btf.ts';
import type { RawBtf } from './raw-btf.ts';

const POINTER_BYTES = 8;

export class Resolved {
  /** Types that modifiers, pointers, variables, functions, tags and arrays lead to. */
  readonly ids: Uint32Array;
  /** Sizes of arrays. */
  readonly sizes: Uint32Array;
  private readonly btf: RawBtf;

  constructor(btf: RawBtf) {
    this.btf = btf;
    this.ids = new Uint32Array(btf.count);
    this.sizes = new Uint32Array(btf.count);
  }

  private sizeOf(id: number): number | undefined {
    const { btf } = this;
    if (btf.hasSize(id)) return btf.third(id);
    if (btf.is(id, BTF_KIND.ARRAY)) return this.sizes[id];
    return btf.is(id, BTF_KIND.PTR) ? POINTER_BYTES : undefined;
  }

  /** The type behind modifiers or a variable, with its size; undefined where it has none. rule: btf_type_id_size, 6.18 */
  sized(id: number): { id: number; size: number } | undefined {
    if (this.btf.isSizeless(id)) return undefined;
    const size = this.sizeOf(id);
    if (size !== undefined) return { id, size };
    const target = this.ids[id];
    const targetSize = this.btf.isSizeless(target) ? undefined : this.sizeOf(target);
    return targetSize === undefined ? undefined : { id: target, size: targetSize };
  }
}
