// Values in memory as objects whose properties are those of a C type: the types come from BTF, the bytes from a map or
// from an object that is not loaded yet.
import { BTF_KIND, type Btf } from '../btf/btf.ts';

/** Bytes that views read and write. Each access loads them anew, each change stores them. */
export interface Memory {
  load(): Uint8Array;
  store(bytes: Uint8Array): void;
}

/** A fixed array in memory. */
export interface ArrayView<T> extends Iterable<T> {
  readonly length: number;
  /** Throws RangeError outside the array. */
  get(index: number): T;
  set(index: number, value: T): void;
}

/** A value that does not fit its type, or a type that has no view. */
export class ViewError extends Error {}

/** How one type is read and written at a byte offset. */
interface Codec {
  readonly bytes: number;
  get(memory: Memory, at: number): unknown;
  set(memory: Memory, at: number, value: unknown): void;
}

const INT_SIGNED = 1;
const INT_BOOL = 4;

const dataView = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Little-endian bits from `bit` of the bytes; 1 to 128 of them. */
function readBits(bytes: Uint8Array, bit: number, size: number, signed: boolean): bigint {
  let value = 0n;
  const first = bit >> 3;
  const last = (bit + size - 1) >> 3;
  for (let i = last; i >= first; i--) value = (value << 8n) | BigInt(bytes[i] ?? 0);
  value >>= BigInt(bit & 7);
  return signed ? BigInt.asIntN(size, value) : BigInt.asUintN(size, value);
}

function writeBits(bytes: Uint8Array, bit: number, size: number, value: bigint): void {
  for (let i = 0; i < size; i++) {
    const at = bit + i;
    const mask = 1 << (at & 7);
    if ((value >> BigInt(i)) & 1n) bytes[at >> 3] |= mask;
    else bytes[at >> 3] &= ~mask;
  }
}

/** A whole number as the view takes it: number or bigint, within the range of the type. */
function toBits(value: unknown, size: number, signed: boolean, what: string): bigint {
  if (typeof value === 'boolean') return value ? 1n : 0n;
  if (typeof value !== 'bigint' && !Number.isInteger(value))
    throw new ViewError(`${what}: ${String(value)} is no integer`);
  const n = BigInt(value as number | bigint);
  const cut = signed ? BigInt.asIntN(size, n) : BigInt.asUintN(size, n);
  if (cut !== n) throw new ViewError(`${what}: ${n} does not fit ${size} bits`);
  return cut;
}

/** Integers of up to 32 bits are numbers, wider ones are bigint. */
const integerCodec = (
  bit: number,
  size: number,
  signed: boolean,
  bool: boolean,
  bytes: number,
  what: string,
): Codec => ({
  bytes,
  get(memory, at) {
    const value = readBits(memory.load(), at * 8 + bit, size, signed);
    return bool ? value !== 0n : size <= 32 ? Number(value) : value;
  },
  set(memory, at, value) {
    const all = memory.load();
    writeBits(all, at * 8 + bit, size, toBits(value, size, signed, what));
    memory.store(all);
  },
});

const floatCodec = (bytes: number): Codec => ({
  bytes,
  get: (memory, at) => {
    const view = dataView(memory.load());
    return bytes === 4 ? view.getFloat32(at, true) : view.getFloat64(at, true);
  },
  set(memory, at, value) {
    const all = memory.load();
    if (bytes === 4) dataView(all).setFloat32(at, Number(value), true);
    else dataView(all).setFloat64(at, Number(value), true);
    memory.store(all);
  },
});

/** char[N]: text up to the first NUL. */
const textCodec = (bytes: number, what: string): Codec => ({
  bytes,
  get(memory, at) {
    const text = memory.load().subarray(at, at + bytes);
    const end = text.indexOf(0);
    return Buffer.from(end < 0 ? text : text.subarray(0, end)).toString('utf8');
  },
  set(memory, at, value) {
    const text = Buffer.from(String(value), 'utf8');
    if (text.length > bytes) throw new ViewError(`${what}: the text is longer than ${bytes} bytes`);
    const all = memory.load();
    all.fill(0, at, at + bytes);
    all.set(text, at);
    memory.store(all);
  },
});

function arrayCodec(element: Codec, length: number): Codec {
  const check = (index: number): void => {
    if (!Number.isInteger(index) || index < 0 || index >= length)
      throw new RangeError(`no element ${index} of ${length}`);
  };
  return {
    bytes: element.bytes * length,
    get(memory, at): ArrayView<unknown> {
      return {
        length,
        get(index) {
          check(index);
          return element.get(memory, at + index * element.bytes);
        },
        set(index, value) {
          check(index);
          element.set(memory, at + index * element.bytes, value);
        },
        *[Symbol.iterator]() {
          for (let i = 0; i < length; i++) yield element.get(memory, at + i * element.bytes);
        },
      };
    },
    set(memory, at, value) {
      const values = [...(value as Iterable<unknown>)];
      if (values.length > length) throw new ViewError(`${values.length} elements for an array of ${length}`);
      values.forEach((v, i) => {
        element.set(memory, at + i * element.bytes, v);
      });
    },
  };
}

/** A member of a struct: where it is and how it is read. */
interface Field {
  name: string;
  offset: number;
  codec: Codec;
}

function structCodec(fields: readonly Field[], bytes: number): Codec {
  return {
    bytes,
    get(memory, at) {
      const view = {};
      for (const { name, offset, codec } of fields) {
        Object.defineProperty(view, name, {
          enumerable: true,
          get: () => codec.get(memory, at + offset),
          set: (value: unknown) => codec.set(memory, at + offset, value),
        });
      }
      return view;
    },
    set(memory, at, value) {
      for (const { name, offset, codec } of fields) {
        const given = (value as Record<string, unknown>)[name];
        if (given !== undefined) codec.set(memory, at + offset, given);
      }
    },
  };
}

/** Makes codecs from the types of one BTF. */
class CodecMaker {
  private readonly btf: Btf;
  private readonly made = new Map<number, Codec>();

  constructor(btf: Btf) {
    this.btf = btf;
  }

  of(id: number): Codec {
    const type = this.btf.skipModsAndTypedefs(id);
    let codec = this.made.get(type);
    if (!codec) {
      codec = this.make(type);
      this.made.set(type, codec);
    }
    return codec;
  }

  private make(type: number): Codec {
    const { btf } = this;
    const what = btf.name(type);
    switch (btf.kind(type)) {
      case BTF_KIND.INT: {
        const encoding = btf.intEncoding(type);
        const signed = (encoding & INT_SIGNED) !== 0;
        return integerCodec(0, btf.size(type) * 8, signed, (encoding & INT_BOOL) !== 0, btf.size(type), what);
      }
      case BTF_KIND.ENUM:
      case BTF_KIND.ENUM64:
        return integerCodec(0, btf.size(type) * 8, btf.kflag(type), false, btf.size(type), what);
      case BTF_KIND.PTR:
        return integerCodec(0, 64, false, false, 8, 'pointer');
      case BTF_KIND.FLOAT:
        return floatCodec(btf.size(type));
      case BTF_KIND.ARRAY: {
        const length = btf.arrayLength(type);
        if (isChar(btf, btf.arrayElem(type))) return textCodec(length, 'text');
        return arrayCodec(this.of(btf.arrayElem(type)), length);
      }
      case BTF_KIND.STRUCT:
      case BTF_KIND.UNION:
        return structCodec([...this.fields(type, 0)], btf.size(type));
      case BTF_KIND.DATASEC:
        return structCodec([...this.variables(type)], btf.size(type));
      default:
        throw new ViewError(`type ${what || type} has no view`);
    }
  }

  /** Members; those of anonymous structs and unions stand beside the others. */
  private *fields(type: number, base: number): Generator<Field> {
    const { btf } = this;
    for (let i = 0; i < btf.vlen(type); i++) {
      const name = btf.memberName(type, i);
      const member = btf.memberType(type, i);
      const bit = btf.memberBitOffset(type, i);
      const size = btf.memberBitSize(type, i);
      const inner = btf.skipModsAndTypedefs(member);
      if (size !== 0) {
        if (name === '') continue;
        const signed = btf.kind(inner) === BTF_KIND.INT && (btf.intEncoding(inner) & INT_SIGNED) !== 0;
        yield { name, offset: base, codec: integerCodec(bit, size, signed, false, 0, name) };
      } else if (name === '') yield* this.fields(inner, base + bit / 8);
      else yield { name, offset: base + bit / 8, codec: this.of(member) };
    }
  }

  private *variables(section: number): Generator<Field> {
    const { btf } = this;
    for (let i = 0; i < btf.vlen(section); i++) {
      const variable = btf.secType(section, i);
      if (btf.kind(variable) !== BTF_KIND.VAR) continue;
      yield { name: btf.name(variable), offset: btf.secOffset(section, i), codec: this.of(btf.type(variable)) };
    }
  }
}

/** True of `char`, whose arrays are text; typedefs such as __u8 are numbers. */
export function isChar(btf: Btf, id: number): boolean {
  const type = btf.skipMods(id);
  return btf.kind(type) === BTF_KIND.INT && btf.size(type) === 1 && btf.name(type) === 'char';
}

const makers = new WeakMap<Btf, CodecMaker>();

function makerOf(btf: Btf): CodecMaker {
  let maker = makers.get(btf);
  if (!maker) {
    maker = new CodecMaker(btf);
    makers.set(btf, maker);
  }
  return maker;
}

/** The value of a type at the start of the memory: an object with properties, an array view, or a plain value. */
export const viewOf = <T>(btf: Btf, typeId: number, memory: Memory): T => makerOf(btf).of(typeId).get(memory, 0) as T;

/** Bytes of a value: fields that are not given are zero. Throws ViewError for what does not fit. */
export function encodeValue(btf: Btf, typeId: number, size: number, value: unknown): Uint8Array {
  const bytes = new Uint8Array(size);
  makerOf(btf)
    .of(typeId)
    .set({ load: () => bytes, store: () => undefined }, 0, value);
  return bytes;
}

/** A value read from bytes of its own. */
export const decodeValue = <T>(btf: Btf, typeId: number, bytes: Uint8Array): T =>
  viewOf<T>(btf, typeId, { load: () => bytes, store: () => undefined });
