// C declarations: from the chain of types behind a name to the text around that name.
import type { Btf } from '../btf.ts';
import { BTF_KIND, isModifier } from '../kinds.ts';
import type { WorkLimit } from './limits.ts';
import type { CNames } from './names.ts';
import { holeText, indent, isPacked } from './padding.ts';

const QUALIFIERS: Readonly<Record<number, string>> = {
  [BTF_KIND.VOLATILE]: 'volatile',
  [BTF_KIND.CONST]: 'const',
  [BTF_KIND.RESTRICT]: 'restrict',
};

const ENDS: ReadonlySet<number> = new Set([
  BTF_KIND.INT,
  BTF_KIND.ENUM,
  BTF_KIND.ENUM64,
  BTF_KIND.FWD,
  BTF_KIND.STRUCT,
  BTF_KIND.UNION,
  BTF_KIND.TYPEDEF,
  BTF_KIND.FLOAT,
]);

/** Types from the declared thing inwards; the last one is written first. */
type Chain = number[];

/** Bits as the C `int` that libbpf counts them in. */
const asInt = (value: number): number => value | 0;

/** Writes declarations and the bodies of structs, unions and enums. Throws BtfError on endless nesting. */
export class Declarations {
  private readonly btf: Btf;
  private readonly names: CNames;
  private readonly limit: WorkLimit;
  private readonly warn: (text: string) => void;
  private unqualified = false;

  constructor(btf: Btf, names: CNames, limit: WorkLimit, warn: (text: string) => void) {
    this.btf = btf;
    this.names = names;
    this.limit = limit;
    this.warn = warn;
  }

  /** `int (*name)(void)`: the declaration of `name` as a value of the type; without a name the type alone. */
  declare(id: number, name: string, level: number): string {
    return this.chainText(this.chainOf(id), name, level);
  }

  /** As `declare`, without any const, volatile, restrict or type tag. */
  declareUnqualified(id: number, name: string, level: number): string {
    this.unqualified = true;
    try {
      return this.declare(id, name, level);
    } finally {
      this.unqualified = false;
    }
  }

  private chainOf(id: number): Chain {
    const chain: Chain = [];
    for (;;) {
      this.limit.step();
      const kind = this.btf.kind(id);
      if (this.unqualified && isModifier(kind)) {
        id = this.btf.type(id);
        continue;
      }
      chain.push(id);
      if (id === 0 || ENDS.has(kind)) return chain;
      if (kind === BTF_KIND.ARRAY) {
        id = this.btf.arrayElem(id);
      } else if (kind === BTF_KIND.PTR || kind === BTF_KIND.FUNC_PROTO || isModifier(kind)) {
        id = this.btf.type(id);
      } else {
        this.unexpected(id);
        return chain;
      }
    }
  }

  private unexpected(id: number): void {
    this.warn(`unexpected type in decl chain, kind:${this.btf.kind(id)}, id:[${id}]`);
  }

  /** Takes the qualifiers at the end of the chain; they stand before the type that they qualify. */
  private takeQualifiers(chain: Chain): string {
    let text = '';
    while (chain.length) {
      const qualifier = QUALIFIERS[this.btf.kind(chain[chain.length - 1])];
      if (!qualifier) break;
      text += `${qualifier} `;
      chain.pop();
    }
    return text;
  }

  /** Some compilers qualify arrays and functions, which C has no place for. */
  private dropModifiers(chain: Chain): void {
    while (chain.length && isModifier(this.btf.kind(chain[chain.length - 1]))) chain.pop();
  }

  private chainText(chain: Chain, name: string, level: number): string {
    this.limit.enter(chain[0]);
    const text = this.innerText(chain, name, level);
    this.limit.leave();
    return text;
  }

  private innerText(chain: Chain, name: string, level: number): string {
    const spaced = (afterPointer: boolean): string => (name && !afterPointer ? ` ${name}` : name);
    let text = '';
    let afterPointer = true;
    for (let id = chain.pop(); id !== undefined; id = chain.pop()) {
      const kind = this.btf.kind(id);
      if (kind === BTF_KIND.PTR) {
        text += afterPointer ? '*' : ' *';
        afterPointer = true;
        continue;
      }
      if (kind === BTF_KIND.ARRAY) return text + this.arrayText(id, chain, name, level, afterPointer);
      if (kind === BTF_KIND.FUNC_PROTO) {
        this.dropModifiers(chain);
        text += chain.length ? ` (${this.chainText(chain, name, level)})` : spaced(afterPointer);
        return text + this.parameterText(id, level);
      }
      const qualifier = QUALIFIERS[kind];
      if (qualifier) {
        text += ` ${qualifier}`;
      } else if (kind === BTF_KIND.TYPE_TAG) {
        text += this.takeQualifiers(chain) + this.typeTagText(id);
      } else if (id === 0 || ENDS.has(kind)) {
        text += this.takeQualifiers(chain) + this.endText(id, kind, level);
      } else {
        this.unexpected(id);
        return text;
      }
      afterPointer = false;
    }
    return text + spaced(afterPointer);
  }

  private endText(id: number, kind: number, level: number): string {
    const anonymous = this.btf.nameOffset(id) === 0;
    switch (kind) {
      case BTF_KIND.UNKN:
        return 'void';
      case BTF_KIND.STRUCT:
      case BTF_KIND.UNION:
        return anonymous ? this.compositeBody(id, level) : this.compositeHead(id);
      case BTF_KIND.ENUM:
      case BTF_KIND.ENUM64:
        return anonymous ? this.enumBody(id, level) : `enum ${this.names.tag(id)}`;
      case BTF_KIND.FWD:
        return this.forwardHead(id);
      case BTF_KIND.TYPEDEF:
        return this.names.typedef(id);
      default:
        return this.btf.name(id);
    }
  }

  private typeTagText(id: number): string {
    const name = this.btf.name(id);
    return this.btf.kflag(id) ? ` __attribute__((${name}))` : ` __attribute__((btf_type_tag("${name}")))`;
  }

  private arrayText(id: number, chain: Chain, name: string, level: number, afterPointer: boolean): string {
    const bounds = `[${this.btf.arrayLength(id)}]`;
    this.dropModifiers(chain);
    if (!chain.length) return (name && !afterPointer ? ` ${name}` : name) + bounds;
    const nested = this.btf.kind(chain[chain.length - 1]) === BTF_KIND.ARRAY;
    const inner = this.chainText(chain, name, level);
    return (name && !afterPointer ? ' ' : '') + (nested ? inner : `(${inner})`) + bounds;
  }

  private parameterText(id: number, level: number): string {
    const vlen = this.btf.vlen(id);
    if (vlen === 0 || (vlen === 1 && this.btf.paramType(id, 0) === 0)) return '(void)';
    let text = '(';
    for (let i = 0; i < vlen; i++) {
      const type = this.btf.paramType(id, i);
      if (i > 0) text += ', ';
      text += i === vlen - 1 && type === 0 ? '...' : this.declare(type, this.btf.paramName(id, i), level);
    }
    return `${text})`;
  }

  /** `struct name`. */
  compositeHead(id: number): string {
    const word = this.btf.kind(id) === BTF_KIND.STRUCT ? 'struct' : 'union';
    const name = this.names.tag(id);
    return name ? `${word} ${name}` : word;
  }

  forwardHead(id: number): string {
    return `${this.btf.kflag(id) ? 'union' : 'struct'} ${this.names.tag(id)}`;
  }

  /** `struct name { … }` with every member. */
  compositeBody(id: number, level: number): string {
    const { btf, limit } = this;
    limit.enter(id);
    const isStruct = btf.kind(id) === BTF_KIND.STRUCT;
    const align = btf.align(id);
    const packed = isStruct && isPacked(btf, id);
    const vlen = btf.vlen(id);
    const { pointerSize } = btf;
    const inner = indent(level + 1);
    let text = `${this.compositeHead(id)} {`;
    let end = 0;
    let afterBitfield = false;
    for (let i = 0; i < vlen; i++) {
      const type = btf.memberType(id, i);
      const bits = btf.memberBitSize(id, i);
      const offset = asInt(btf.memberBitOffset(id, i));
      const nextAlign = packed ? 1 : btf.align(type);
      const inBitfield = afterBitfield && bits !== 0;
      text += holeText({ from: end, to: offset, nextAlign, inBitfield }, pointerSize, level + 1, limit);
      text += `\n${inner}${this.declare(type, btf.memberName(id, i), level + 1)}`;
      if (bits) text += `: ${bits}`;
      text += ';';
      end = asInt(offset + (bits || Math.max(0, btf.resolveSize(type)) * 8));
      afterBitfield = bits !== 0;
    }
    const size = btf.size(id);
    if (isStruct) {
      const hole = { from: end, to: asInt(size * 8), nextAlign: align, inBitfield: false };
      text += holeText(hole, pointerSize, level + 1, limit);
    }
    text += vlen || size ? `\n${indent(level)}}` : '}';
    limit.leave();
    return packed ? `${text} __attribute__((packed))` : text;
  }

  /** `enum name { … }`; without the braces when it has no values. */
  enumBody(id: number, level: number): string {
    const { btf } = this;
    const vlen = btf.vlen(id);
    const name = this.names.tag(id);
    let text = name ? `enum ${name}` : 'enum';
    if (!vlen) return text;
    const wide = btf.kind(id) === BTF_KIND.ENUM64;
    const suffix = wide ? (btf.kflag(id) ? 'LL' : 'ULL') : '';
    let needsWordMode = btf.pointerSize === 8 && btf.size(id) === 8;
    const start = `\n${indent(level + 1)}`;
    text += ' {';
    for (let i = 0; i < vlen; i++) {
      this.limit.step();
      const value = btf.enumValue(id, i);
      if (wide && BigInt.asUintN(64, value) >> 32n) needsWordMode = false;
      text += `${start}${this.names.enumerator(btf.enumName(id, i))} = ${value}${suffix},`;
    }
    text += `\n${indent(level)}}`;
    if (btf.size(id) === 1) return `${text} __attribute__((mode(byte)))`;
    return needsWordMode ? `${text} __attribute__((mode(word)))` : text;
  }
}
