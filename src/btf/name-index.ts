// From a name to the types that bear it: a chained hash table in typed arrays over the bytes of the names.

const hashStep = (hash: number, byte: number): number => Math.imul(hash ^ byte, 0x01000193);
const HASH_START = 0x811c9dc5 | 0;

export interface NamedTypes {
  count: number;
  /** The bytes that hold the name of type number `i`, and its offset there; negative when it has none. */
  strings(i: number): Uint8Array;
  nameOffset(i: number): number;
}

/** Index over `types`; `lookup` gives the first number whose name equals, `after` goes on. Both give -1 at the end. */
export class NameIndex {
  private readonly types: NamedTypes;
  private readonly heads: Int32Array;
  private readonly next: Int32Array;
  private readonly mask: number;

  constructor(types: NamedTypes) {
    this.types = types;
    let size = 16;
    while (size < types.count) size *= 2;
    this.mask = size - 1;
    this.heads = new Int32Array(size).fill(-1);
    this.next = new Int32Array(types.count);
    // From the last to the first, so that chains run in ascending order.
    for (let i = types.count - 1; i >= 0; i--) {
      let p = types.nameOffset(i);
      if (p < 0) continue;
      const strings = types.strings(i);
      let hash = HASH_START;
      for (; strings[p] !== 0; p++) hash = hashStep(hash, strings[p]);
      const bucket = hash & this.mask;
      this.next[i] = this.heads[bucket];
      this.heads[bucket] = i;
    }
  }

  private matches(i: number, name: Uint8Array): boolean {
    const strings = this.types.strings(i);
    const start = this.types.nameOffset(i);
    for (let k = 0; k < name.length; k++) if (strings[start + k] !== name[k]) return false;
    return strings[start + name.length] === 0;
  }

  lookup(name: Uint8Array): number {
    let hash = HASH_START;
    for (const byte of name) hash = hashStep(hash, byte);
    let i = this.heads[hash & this.mask];
    while (i >= 0 && !this.matches(i, name)) i = this.next[i];
    return i;
  }

  after(i: number, name: Uint8Array): number {
    let n = this.next[i];
    while (n >= 0 && !this.matches(n, name)) n = this.next[n];
    return n;
  }
}
