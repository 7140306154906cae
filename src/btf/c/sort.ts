// The order in which a sorted C dump visits types, so that headers of similar kernels differ little.
import { type Btf, BtfError } from '../btf.ts';
import { BTF_KIND, isComposite, isEnum } from '../kinds.ts';

const LAST_RANK = 10;
const MAX_CHAIN = 1000;

/** Types that stand for another one in rank, name and hash; -1 for those that stand for themselves. */
const target = (btf: Btf, id: number): number => {
  switch (btf.kind(id)) {
    case BTF_KIND.ARRAY:
      return btf.arrayElem(id);
    case BTF_KIND.TYPE_TAG:
    case BTF_KIND.CONST:
    case BTF_KIND.PTR:
    case BTF_KIND.VOLATILE:
    case BTF_KIND.RESTRICT:
    case BTF_KIND.TYPEDEF:
    case BTF_KIND.DECL_TAG:
      return btf.type(id);
    default:
      return -1;
  }
};

const tooLong = (id: number) => new BtfError(`type id ${id} refers to itself`);

/** Kinds of equal rank are visited together: enums, numbers, structs, functions, the rest. */
const rankOf = (btf: Btf, id: number): number => {
  let named = false;
  for (let steps = 0; steps < MAX_CHAIN; steps++) {
    named ||= btf.nameOffset(id) !== 0;
    const kind = btf.kind(id);
    if (isEnum(kind)) return named ? 1 : 0;
    if (kind === BTF_KIND.INT || kind === BTF_KIND.FLOAT) return 2;
    if (isComposite(kind)) return named ? 3 : LAST_RANK;
    if (kind === BTF_KIND.FUNC_PROTO) return named ? 4 : LAST_RANK;
    const next = target(btf, id);
    if (next < 0 || !named) return LAST_RANK;
    id = next;
  }
  throw tooLong(id);
};

/** Offset of the name to sort by: that of what is referred to, or of an anonymous enum's first value. */
const sortName = (btf: Btf, id: number): number => {
  const start = id;
  for (let steps = 0; steps < MAX_CHAIN; steps++) {
    const next = target(btf, id);
    if (next < 0) {
      const name = btf.nameOffset(id);
      const byValue = name === 0 && id === start && isEnum(btf.kind(id)) && btf.vlen(id) > 0;
      return byValue ? btf.elementNameOffset(id, 0) : name;
    }
    id = next;
  }
  throw tooLong(start);
};

const TWO_32 = 0x1_0000_0000;

/** Two halves of an unsigned 64-bit number that grows by `hash = hash * 31 + value`. */
class Hash {
  high = 0;
  low = 0;

  mix(valueHigh: number, valueLow: number): void {
    const low = this.low * 31 + valueLow;
    this.high = (Math.imul(this.high, 31) + valueHigh + Math.floor(low / TWO_32)) >>> 0;
    this.low = low % TWO_32;
  }
}

/** Tells types of equal rank and names apart by what they consist of. Rule: bpftool 7.8, btf.c. */
class ContentHash {
  private readonly btf: Btf;
  private readonly strings = new Map<number, Hash>();

  constructor(btf: Btf) {
    this.btf = btf;
  }

  private string(offset: number): Hash {
    let hash = this.strings.get(offset);
    if (hash) return hash;
    hash = new Hash();
    for (const byte of Buffer.from(this.btf.str(offset), 'utf8')) {
      // Characters are signed.
      if (byte < 128) hash.mix(0, byte);
      else hash.mix(0xffffffff, TWO_32 - 256 + byte);
    }
    this.strings.set(offset, hash);
    return hash;
  }

  private mixName(hash: Hash, offset: number): void {
    if (offset === 0) return;
    const { high, low } = this.string(offset);
    hash.mix(high, low);
  }

  of(id: number, withMembers: boolean, depth = 0): Hash {
    if (depth > MAX_CHAIN) throw tooLong(id);
    const { btf } = this;
    const hash = new Hash();
    this.mixName(hash, btf.nameOffset(id));
    const kind = btf.kind(id);
    const next = target(btf, id);
    if (next >= 0) {
      if (kind === BTF_KIND.ARRAY) hash.mix(0, btf.arrayLength(id));
      const inner = this.of(next, withMembers, depth + 1);
      hash.mix(inner.high, inner.low);
    } else if (isEnum(kind) || (isComposite(kind) && withMembers)) {
      const vlen = btf.vlen(id);
      for (let i = 0; i < vlen; i++) {
        this.mixName(hash, btf.elementNameOffset(id, i));
        if (isEnum(kind)) continue;
        const inner = this.of(btf.memberType(id, i), false, depth + 1);
        hash.mix(inner.high, inner.low);
      }
    }
    return hash;
  }
}

/** The place of each name in the order of all names used; equal names share it. */
const placesOf = (btf: Btf, offsets: Int32Array): Int32Array => {
  const byText = new Map<string, number>();
  const texts: string[] = [];
  const slots = new Int32Array(offsets.length);
  for (let i = 0; i < offsets.length; i++) {
    const text = btf.str(offsets[i] >>> 0);
    let slot = byText.get(text);
    if (slot === undefined) {
      slot = texts.length;
      byText.set(text, slot);
      texts.push(text);
    }
    slots[i] = slot;
  }
  const place = new Int32Array(texts.length);
  texts.toSorted().forEach((text, i) => {
    place[byText.get(text) as number] = i;
  });
  return slots.map((slot) => place[slot]);
};

/**
 * All ids, 0 among them, in the order of bpftool's sorted dump: rank, sort name, own name, content, id.
 * Throws BtfError for types that refer to themselves.
 */
export const sortForC = (btf: Btf): number[] => {
  const { count } = btf;
  const offsets = new Int32Array(count * 2);
  for (let id = 0; id < count; id++) {
    offsets[id] = sortName(btf, id);
    offsets[count + id] = btf.nameOffset(id);
  }
  const places = placesOf(btf, offsets);
  // Rank and both names as one number; ids with equal keys are told apart afterwards, since hashing costs more.
  const keys = new Float64Array(count);
  const distinct = places.reduce((max, place) => Math.max(max, place), 0) + 1;
  for (let id = 0; id < count; id++) {
    keys[id] = (rankOf(btf, id) * distinct + places[id]) * distinct + places[count + id];
  }
  const ids = Array.from({ length: count }, (_, id) => id);
  ids.sort((a, b) => keys[a] - keys[b] || a - b);

  const content = new ContentHash(btf);
  for (let start = 0; start < count; ) {
    let end = start + 1;
    while (end < count && keys[ids[end]] === keys[ids[start]]) end++;
    if (end - start > 1) {
      const run = ids.slice(start, end).map((id) => ({ id, hash: content.of(id, true) }));
      run.sort((a, b) => a.hash.high - b.hash.high || a.hash.low - b.hash.low || a.id - b.id);
      run.forEach(({ id }, i) => {
        ids[start + i] = id;
      });
    }
    start = end;
  }
  return ids;
};
