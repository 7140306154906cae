// Tells types of equal rank and names apart by what they consist of.
import { BtfError } from '../btf-error.ts';
import type { FlatTypes } from '../flat-types.ts';
import { BTF_KIND, isComposite, isEnum } from '../kinds.ts';
import { target } from './rank.ts';

const MAX_DEPTH = 1000;
const TWO_32 = 0x1_0000_0000;

/** Two halves of an unsigned 64-bit number that grows by `hash = hash * 31 + value`. */
export class Hash {
  high = 0;
  low = 0;

  mix(valueHigh: number, valueLow: number): void {
    const low = this.low * 31 + valueLow;
    this.high = (Math.imul(this.high, 31) + valueHigh + Math.floor(low / TWO_32)) >>> 0;
    this.low = low % TWO_32;
  }
}

/** Hashes of types. Rule: bpftool 7.8, btf.c. */
export class ContentHash {
  private readonly types: FlatTypes;

  constructor(types: FlatTypes) {
    this.types = types;
  }

  private mixName(hash: Hash, offset: number): void {
    if (offset === 0) return;
    const { bytes } = this.types.strings;
    const text = new Hash();
    for (let p = offset; bytes[p] !== 0; p++) {
      // Characters are signed.
      if (bytes[p] < 128) text.mix(0, bytes[p]);
      else text.mix(0xffffffff, TWO_32 - 256 + bytes[p]);
    }
    hash.mix(text.high, text.low);
  }

  /** With the names and types of members, or without. Throws BtfError for types that refer to themselves. */
  of(id: number, withMembers: boolean, depth = 0): Hash {
    if (depth > MAX_DEPTH) throw new BtfError(`type id ${id} refers to itself`);
    const { types } = this;
    const { words } = types;
    const hash = new Hash();
    this.mixName(hash, types.nameOffset(id));
    const kind = types.kind(id);
    const next = target(types, id);
    if (next >= 0) {
      if (kind === BTF_KIND.ARRAY) hash.mix(0, types.arrayLength(id));
      const inner = this.of(next, withMembers, depth + 1);
      hash.mix(inner.high, inner.low);
    } else if (isEnum(kind) || (isComposite(kind) && withMembers)) {
      const step = types.layouts[kind].element;
      const from = types.rest(id);
      for (let p = from, to = from + types.vlen(id) * step; p < to; p += step) {
        this.mixName(hash, words[p]);
        if (isEnum(kind)) continue;
        const inner = this.of(words[p + 1], false, depth + 1);
        hash.mix(inner.high, inner.low);
      }
    }
    return hash;
  }
}
