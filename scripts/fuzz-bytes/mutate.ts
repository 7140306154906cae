// Changes to bytes: blind ones, and ones of fields whose places are known.
import type { Random } from '../random.ts';

/** What a field holds, which says what values are worth trying. */
export type Role = 'count' | 'id' | 'info' | 'kind' | 'name' | 'offset' | 'size' | 'word';

/** A field of a seed. */
export interface Field {
  at: number;
  bytes: 1 | 2 | 4 | 8;
  role: Role;
}

/** Well-formed bytes to change, with the places of their fields. */
export interface Seed {
  name: string;
  bytes: Uint8Array;
  littleEndian: boolean;
  fields: readonly Field[];
  /** Number of types, sections …: ids below it exist. */
  ids: number;
}

const EDGES = [
  0, 1, 2, 3, 4, 7, 8, 16, 63, 64, 255, 256, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff,
];
const BTF_KINDS = 21;

const newValue = (role: Role, old: number, seed: Seed, random: Random): number => {
  const edge = (): number => EDGES[random.below(EDGES.length)];
  const near = (): number => old + random.below(17) - 8;
  switch (role) {
    case 'id':
      return random.below(8) === 0 ? edge() : random.below(seed.ids + 2);
    case 'info': {
      // A kind, a number of elements, a flag: one of them changed, or all.
      const kind = random.below(2) ? (old >>> 24) & 0x7f : random.below(BTF_KINDS);
      const count = random.below(2) ? old & 0xffffff : random.below(6);
      const flag = random.below(3) ? old >>> 31 : random.below(2);
      return flag * 0x80000000 + (kind << 24) + count;
    }
    case 'kind':
      return random.below(4) === 0 ? edge() : random.below(12);
    case 'count':
      return random.below(2) ? near() : edge();
    case 'name':
    case 'offset':
    case 'size':
      return [near(), edge(), random.below(seed.bytes.length), old * 8][random.below(4)];
    default:
      return [near(), edge(), random.below(256), old ^ (1 << random.below(31))][random.below(4)];
  }
};

const changeField = (bytes: Uint8Array, seed: Seed, random: Random): void => {
  const field = seed.fields[random.below(seed.fields.length)];
  if (field === undefined || field.at + field.bytes > bytes.length) return;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const { at, littleEndian } = { ...field, ...seed };
  switch (field.bytes) {
    case 1:
      bytes[at] = newValue(field.role, bytes[at], seed, random);
      break;
    case 2:
      view.setUint16(at, newValue(field.role, view.getUint16(at, littleEndian), seed, random), littleEndian);
      break;
    case 4:
      view.setUint32(at, newValue(field.role, view.getUint32(at, littleEndian), seed, random), littleEndian);
      break;
    default: {
      const old = Number(view.getBigUint64(at, littleEndian) & 0x1fffffffffffffn);
      const value = BigInt(newValue(field.role, old, seed, random));
      view.setBigUint64(
        at,
        random.below(32) === 0 ? BigInt.asUintN(64, -value) : BigInt.asUintN(64, value),
        littleEndian,
      );
    }
  }
};

/** A changed copy of `bytes`. */
type Blind = (bytes: Uint8Array, random: Random) => Uint8Array;

const place = (bytes: Uint8Array, random: Random): number => random.below(bytes.length);

const BLIND: readonly Blind[] = [
  (bytes, random) => {
    bytes[place(bytes, random)] ^= 1 << random.below(8);
    return bytes;
  },
  (bytes, random) => {
    bytes[place(bytes, random)] = random.below(256);
    return bytes;
  },
  (bytes, random) => {
    const from = place(bytes, random);
    bytes.copyWithin(place(bytes, random), from, from + random.below(64));
    return bytes;
  },
  (bytes, random) => bytes.slice(0, place(bytes, random)),
  (bytes, random) => {
    // Four bytes more or less shift all that follows.
    const at = place(bytes, random) & ~3;
    if (random.below(2)) return Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(at + 4)]);
    return Uint8Array.from([...bytes.subarray(0, at + 4), ...bytes.subarray(at)]);
  },
];
/** Cuts and shifts say less: what they spoil is found at once. */
const GENTLE = 3;

/** One to eight changes of a seed, most of them of fields. */
export const mutate = (seed: Seed, random: Random): Uint8Array => {
  let bytes: Uint8Array = Uint8Array.from(seed.bytes);
  for (let left = 1 + random.below(8); left > 0 && bytes.length > 0; left--) {
    if (random.below(4) > 0) changeField(bytes, seed, random);
    else bytes = BLIND[random.below(30) === 0 ? GENTLE + random.below(2) : random.below(GENTLE)](bytes, random);
  }
  return bytes;
};
