// Values through BTF: what `map dump` and its like print for a key, a value or a data section.
import { type Btf, BtfError } from '../btf/btf.ts';
import { BTF_KIND, INT_ENCODING, isModifier } from '../btf/kinds.ts';
import type { JsonWriter } from './json.ts';
import { prototypeText } from './prototype.ts';

export { typeOnlyText } from './prototype.ts';

const MAX_DEPTH = 100;
/** Types that one value may be made of. */
const MAX_STEPS = 10_000_000;
/** Steps through modifiers and typedefs. Rule: libbpf 1.8. */
const MAX_RESOLVE_DEPTH = 32;
/** Elements of an array whose elements take no bytes, and so bound nothing. */
const MAX_EMPTY_ELEMENTS = 1 << 16;
const MAX_BITS = 128;
const U32 = 0xffffffffn;

export interface ValueOptions {
  /** For people: pointers and odd-sized numbers in hexadecimal; otherwise everything is valid JSON. */
  plain?: boolean;
  /** Pointers to functions hold ids of programs (struct_ops): the name of a program, undefined if it is not known. */
  programName?: (id: number) => string | undefined;
}

/** Printable in the C locale. */
const isPrintable = (byte: number): boolean => byte >= 0x20 && byte < 0x7f;

const hexText = (value: bigint, plain: boolean): string => {
  const text = `0x${value.toString(16)}`;
  return plain ? text : `"${text}"`;
};

/** Walks a type along the bytes of one value. Methods give false where bpftool gives up on the rest. */
class ValuePrinter {
  private readonly json: JsonWriter;
  private readonly btf: Btf;
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private readonly options: ValueOptions;
  private readonly plain: boolean;
  private steps = 0;

  constructor(json: JsonWriter, btf: Btf, bytes: Uint8Array, options: ValueOptions) {
    this.json = json;
    this.btf = btf;
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.options = options;
    this.plain = options.plain ?? false;
  }

  /** The number of `size` bytes at `at`; two's complement if `signed`. */
  private number(at: number, size: number, signed: boolean): bigint {
    if (at + size > this.bytes.length) throw new BtfError('value is shorter than its type');
    const { view } = this;
    switch (size) {
      case 1:
        return BigInt(signed ? view.getInt8(at) : view.getUint8(at));
      case 2:
        return BigInt(signed ? view.getInt16(at, true) : view.getUint16(at, true));
      case 4:
        return BigInt(signed ? view.getInt32(at, true) : view.getUint32(at, true));
      default:
        return signed ? view.getBigInt64(at, true) : view.getBigUint64(at, true);
    }
  }

  /** `bit` is the offset of the first bit within the byte at `at`. */
  print(id: number, at: number, bit: number, depth: number): boolean {
    if (depth > MAX_DEPTH || ++this.steps > MAX_STEPS) throw new BtfError(`types are nested too deeply at id ${id}`);
    const { btf, json } = this;
    switch (btf.kind(id)) {
      case BTF_KIND.INT:
        return this.int(id, at, bit);
      case BTF_KIND.STRUCT:
      case BTF_KIND.UNION:
        return this.composite(id, at, depth);
      case BTF_KIND.ARRAY:
        return this.array(id, at, depth);
      case BTF_KIND.ENUM:
        return this.enumerator(id, at, btf.size(id));
      case BTF_KIND.ENUM64:
        return this.enumerator(id, at, 8);
      case BTF_KIND.PTR:
        this.pointer(id, at);
        return true;
      case BTF_KIND.UNKN:
        json.raw('(unknown)');
        return true;
      case BTF_KIND.FWD:
        json.raw('(fwd-kind-invalid)');
        return false;
      case BTF_KIND.TYPEDEF:
      case BTF_KIND.VOLATILE:
      case BTF_KIND.CONST:
      case BTF_KIND.RESTRICT: {
        const actual = this.resolve(id);
        return actual !== 0 && this.print(actual, at, bit, depth + 1);
      }
      case BTF_KIND.VAR: {
        json.startObject().name(btf.name(id));
        const done = this.print(btf.type(id), at, bit, depth + 1);
        json.endObject();
        return done;
      }
      case BTF_KIND.DATASEC:
        return this.section(id, at, depth);
      default:
        json.raw('(unsupported-kind)');
        return false;
    }
  }

  /** Through modifiers, typedefs and variables; 0 when nothing with a value is behind them. */
  private resolve(id: number): number {
    for (let steps = 0; steps < MAX_RESOLVE_DEPTH; steps++) {
      const kind = this.btf.kind(id);
      if (kind === BTF_KIND.UNKN || kind === BTF_KIND.FWD) return 0;
      if (kind !== BTF_KIND.TYPEDEF && kind !== BTF_KIND.VAR && !isModifier(kind)) return id;
      id = this.btf.type(id);
    }
    return 0;
  }

  private int(id: number, at: number, bit: number): boolean {
    const { btf, json, plain } = this;
    const bits = btf.intBits(id);
    const offset = btf.intOffset(id);
    const encoding = btf.intEncoding(id);
    if (bit || offset || bits % 8) return this.bitfield(bits, at, bit + offset);
    if (bits === MAX_BITS) {
      json.raw(hexText((this.number(at + 8, 8, false) << 64n) | this.number(at, 8, false), plain));
      return true;
    }
    switch (encoding) {
      case 0:
      case INT_ENCODING.SIGNED:
        if (bits !== 8 && bits !== 16 && bits !== 32 && bits !== 64) return this.bitfield(bits, at, 0);
        json.value(this.number(at, bits / 8, encoding === INT_ENCODING.SIGNED));
        return true;
      case INT_ENCODING.CHAR: {
        const byte = Number(this.number(at, 1, false));
        const hex = byte.toString(16);
        if (isPrintable(byte)) json.raw(`"${String.fromCharCode(byte)}"`);
        else json.raw(plain ? `0x${hex}` : `"\\u00${hex.padStart(2, '0')}"`);
        return true;
      }
      case INT_ENCODING.BOOL:
        json.value(this.number(at, 1, false) !== 0n);
        return true;
      default:
        return false;
    }
  }

  private bitfield(bits: number, at: number, bit: number): boolean {
    at += bit >> 3;
    bit &= 7;
    if (bit + bits > MAX_BITS) throw new BtfError(`bitfield of ${bits} bits`);
    const end = at + Math.ceil((bit + bits) / 8);
    let value = 0n;
    for (let i = end - 1; i >= at; i--) value = (value << 8n) | this.number(i, 1, false);
    this.json.raw(hexText(BigInt.asUintN(bits, value >> BigInt(bit)), this.plain));
    return true;
  }

  private enumerator(id: number, at: number, size: number): boolean {
    const { btf, json } = this;
    if (size !== 1 && size !== 2 && size !== 4 && size !== 8) return false;
    const value = this.number(at, size, true);
    const width = btf.kind(id) === BTF_KIND.ENUM ? 32 : 64;
    const vlen = btf.vlen(id);
    for (let i = 0; i < vlen; i++) {
      if (BigInt.asIntN(width, btf.enumValue(id, i)) !== value) continue;
      json.value(btf.enumName(id, i));
      return true;
    }
    json.value(value);
    return true;
  }

  private pointer(id: number, at: number): void {
    const value = this.number(at, 8, false);
    const text = value <= U32 ? this.programText(id, Number(value)) : undefined;
    if (text !== undefined) this.json.value(text);
    else if (this.plain) this.json.raw(value === 0n ? '"(nil)"' : `"0x${value.toString(16)}"`);
    else this.json.value(value);
  }

  private programText(id: number, program: number): string | undefined {
    const { programName } = this.options;
    if (!programName) return undefined;
    const proto = this.resolve(this.btf.type(id));
    if (this.btf.kind(proto) !== BTF_KIND.FUNC_PROTO) return undefined;
    const text = prototypeText(this.btf, proto);
    if (text === undefined) return undefined;
    if (program === 0) return `${text} 0`;
    return `${text} ${programName(program) ?? '<unknown_prog_name>'}/prog_id:${program}`;
  }

  /** A NUL-terminated string of printable characters, if the array is one of characters and holds one. */
  private string(id: number, at: number): string | undefined {
    const { btf } = this;
    const element = btf.skipMods(btf.arrayElem(id));
    if (btf.kind(element) !== BTF_KIND.INT || btf.size(element) !== 1) return undefined;
    if (btf.intEncoding(element) !== INT_ENCODING.CHAR && btf.name(element) !== 'char') return undefined;
    const end = Math.min(at + btf.arrayLength(id), this.bytes.length);
    for (let i = at; i < end; i++) {
      if (this.bytes[i] === 0) return Buffer.from(this.bytes.subarray(at, i)).toString('latin1');
      if (!isPrintable(this.bytes[i])) return undefined;
    }
    return undefined;
  }

  private array(id: number, at: number, depth: number): boolean {
    const { btf, json } = this;
    const text = this.string(id, at);
    if (text !== undefined) {
      json.value(text);
      return true;
    }
    const element = btf.arrayElem(id);
    const size = btf.resolveSize(element);
    if (size < 0) return false;
    const length = btf.arrayLength(id);
    const fits = size === 0 ? length <= MAX_EMPTY_ELEMENTS : at + length * size <= this.bytes.length;
    if (!fits) throw new BtfError('value is shorter than its type');
    json.startArray();
    let done = true;
    for (let i = 0; i < length && done; i++) done = this.print(element, at + i * size, 0, depth + 1);
    json.endArray();
    return done;
  }

  private composite(id: number, at: number, depth: number): boolean {
    const { btf, json } = this;
    const vlen = btf.vlen(id);
    json.startObject();
    let done = true;
    for (let i = 0; i < vlen && done; i++) {
      const offset = btf.memberBitOffset(id, i);
      const bits = btf.memberBitSize(id, i);
      const start = at + Math.floor(offset / 8);
      json.name(btf.memberName(id, i));
      if (bits) done = this.bitfield(bits, start, offset % 8);
      else done = this.print(btf.memberType(id, i), start, offset % 8, depth + 1);
    }
    json.endObject();
    return done;
  }

  private section(id: number, at: number, depth: number): boolean {
    const { btf, json } = this;
    const vlen = btf.vlen(id);
    json.startObject().name(btf.name(id)).startArray();
    let done = true;
    for (let i = 0; i < vlen && done; i++)
      done = this.print(btf.secType(id, i), at + btf.secOffset(id, i), 0, depth + 1);
    json.endArray().endObject();
    return done;
  }
}

/**
 * Prints `bytes` as a value of a type (a VAR or DATASEC included). Gives false when bpftool stops there because of a
 * kind that it cannot print; what was begun is closed. Throws BtfError when the value is shorter than its type.
 * Rule: bpftool 7.8, btf_dumper.c.
 */
export const dumpValue = (
  json: JsonWriter,
  btf: Btf,
  typeId: number,
  bytes: Uint8Array,
  options: ValueOptions = {},
): boolean => new ValuePrinter(json, btf, bytes, options).print(typeId, 0, 0, 0);
