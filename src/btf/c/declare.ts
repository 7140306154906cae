// C declarations: from the chain of types behind a name to the text around that name.
import { ByteSink, type Token, token } from '../../print/byte-sink.ts';
import type { Btf } from '../btf.ts';
import type { FlatTypes } from '../flat-types.ts';
import { BTF_KIND, isModifier } from '../kinds.ts';
import { Enumerators } from './enumerators.ts';
import type { WorkLimit } from './limits.ts';
import { type NameNumbers, writeTypeName } from './names.ts';
import { isPacked, newLine, Padding } from './padding.ts';

/** By kind; undefined for those that are no qualifiers. */
const QUALIFIERS: readonly (Token | undefined)[] = Object.values(BTF_KIND).map((kind) => {
  if (kind === BTF_KIND.VOLATILE) return token('volatile');
  if (kind === BTF_KIND.CONST) return token('const');
  return kind === BTF_KIND.RESTRICT ? token('restrict') : undefined;
});

const END_KINDS: readonly number[] = [
  BTF_KIND.INT,
  BTF_KIND.ENUM,
  BTF_KIND.ENUM64,
  BTF_KIND.FWD,
  BTF_KIND.STRUCT,
  BTF_KIND.UNION,
  BTF_KIND.TYPEDEF,
  BTF_KIND.FLOAT,
];
/** By kind: 1 for those where a chain ends. */
const ENDS = Uint8Array.from({ length: 128 }, (_, kind) => (END_KINDS.includes(kind) ? 1 : 0));

const SPACE = token(' ');
const POINTER = token('*');
const SPACE_POINTER = token(' *');
const OPEN = token('(');
const SPACE_OPEN = token(' (');
const CLOSE = token(')');
const OPEN_BRACKET = token('[');
const CLOSE_BRACKET = token(']');
const NOTHING_TAKEN = token('(void)');
const COMMA = token(', ');
const DOTS = token('...');
const VOID = token('void');
const STRUCT = token('struct');
const UNION = token('union');
const ENUM = token('enum');
const BEGIN_BODY = token(' {');
const END_BODY = token('}');
const COLON = token(': ');
const SEMICOLON = token(';');
const PACKED = token(' __attribute__((packed))');

/**
 * What is declared: the offset of its name (0 for nothing), minus the id of a typedef whose numbered name it is, or
 * GIVEN for a text of its own.
 */
export type DeclaredName = number;
const GIVEN: DeclaredName = -0x8000_0000;

/** Bits as the C `int` that libbpf counts them in. */
const asInt = (value: number): number => value | 0;

/** Bits of a number of bytes; none of what has no size. */
const bitsOf = (bytes: number): number => (bytes > 0 ? bytes * 8 : 0);

/** Where declarations go, and what they share with others. */
export interface DeclarationParts {
  types: FlatTypes;
  names: NameNumbers;
  limit: WorkLimit;
  out: ByteSink;
  warn(text: string): void;
}

/** Writes declarations and the bodies of structs, unions and enums. Throws BtfError on endless nesting. */
export class DeclarationWriter {
  private readonly types: FlatTypes;
  private readonly names: NameNumbers;
  private readonly limit: WorkLimit;
  private readonly out: ByteSink;
  private readonly warn: (text: string) => void;
  private readonly padding: Padding;
  private readonly enumerators: Enumerators;
  /** Chains of types from the declared thing inwards, those of nested declarations on top; the last is written first. */
  private readonly chain: number[] = [];
  private unqualified = false;
  private given = '';

  constructor(parts: DeclarationParts) {
    const { types, names, limit, out, warn } = parts;
    this.types = types;
    this.names = names;
    this.limit = limit;
    this.out = out;
    this.warn = warn;
    this.padding = new Padding(types.pointerSize, limit, out);
    this.enumerators = new Enumerators(parts);
  }

  /** `int (*name)(void)`: the declaration of a value of the type; without a name the type alone. */
  declare(id: number, name: DeclaredName, level: number): void {
    const { chain, types } = this;
    const text = name >= 0 ? name : name === GIVEN ? -1 : types.nameOffset(-name);
    const said = types.strings.bytes[text] === 0 ? 0 : name;
    if (this.declareSimply(id, said, level)) return;
    const base = chain.length;
    this.pushChain(id);
    this.writeChain(base, said, level);
    chain.length = base;
  }

  /** The frequent case of nothing but pointers to something; false when there is more to it. */
  private declareSimply(id: number, name: DeclaredName, level: number): boolean {
    const { types, out } = this;
    let end = id;
    let pointers = 0;
    let kind = types.kind(end);
    for (; kind === BTF_KIND.PTR; kind = types.kind(end)) {
      this.limit.step();
      end = types.type(end);
      pointers++;
    }
    if (end !== 0 && !ENDS[kind]) return false;
    this.writeEnd(end, kind, level);
    for (let i = 0; i < pointers; i++) out.put(i === 0 ? SPACE_POINTER : POINTER);
    this.writeSpaced(name, pointers > 0);
    return true;
  }

  /** As `declare` with any text for a name. */
  declareAs(id: number, name: string, level: number): void {
    this.given = name;
    this.declare(id, name ? GIVEN : 0, level);
  }

  /** As `declareAs`, without any const, volatile, restrict or type tag. */
  declareUnqualified(id: number, name: string, level: number): void {
    this.unqualified = true;
    try {
      this.declareAs(id, name, level);
    } finally {
      this.unqualified = false;
    }
  }

  private pushChain(id: number): void {
    const { types, chain, limit } = this;
    for (;;) {
      limit.step();
      const kind = types.kind(id);
      if (this.unqualified && isModifier(kind)) {
        id = types.type(id);
        continue;
      }
      chain.push(id);
      if (id === 0 || ENDS[kind]) return;
      if (kind === BTF_KIND.ARRAY) {
        id = types.arrayElem(id);
      } else if (kind === BTF_KIND.PTR || kind === BTF_KIND.FUNC_PROTO || isModifier(kind)) {
        id = types.type(id);
      } else {
        this.unexpected(id);
        return;
      }
    }
  }

  private unexpected(id: number): void {
    this.warn(`unexpected type in decl chain, kind:${this.types.kind(id)}, id:[${id}]`);
  }

  /** Kind of the last type of the chain. */
  private lastKind(): number {
    const { chain } = this;
    return this.types.kind(chain[chain.length - 1]);
  }

  /** Takes the qualifiers at the end of the chain; they stand before the type that they qualify. */
  private takeQualifiers(base: number): void {
    const { chain, out } = this;
    while (chain.length > base) {
      const qualifier = QUALIFIERS[this.lastKind()];
      if (!qualifier) return;
      out.put(qualifier);
      out.put(SPACE);
      chain.pop();
    }
  }

  /** Some compilers qualify arrays and functions, which C has no place for. */
  private dropModifiers(base: number): void {
    while (this.chain.length > base && isModifier(this.lastKind())) this.chain.pop();
  }

  private writeDeclared(name: DeclaredName): void {
    const { types, out } = this;
    if (name > 0) out.string(name);
    else if (name === GIVEN) out.text(this.given);
    else if (name < 0) writeTypeName(out, types.strings, types.nameOffset(-name), this.names.typedef(-name));
  }

  /** The name, behind a space unless a pointer is in front of it. */
  private writeSpaced(name: DeclaredName, afterPointer: boolean): void {
    if (name !== 0 && !afterPointer) this.out.put(SPACE);
    this.writeDeclared(name);
  }

  /** Takes the chain down to `base`. */
  private writeChain(base: number, name: DeclaredName, level: number): void {
    const { types, chain, out, limit } = this;
    limit.enter(chain[base]);
    let afterPointer = true;
    while (chain.length > base) {
      const id = chain.pop() as number;
      const kind = types.kind(id);
      if (kind === BTF_KIND.PTR) {
        out.put(afterPointer ? POINTER : SPACE_POINTER);
        afterPointer = true;
        continue;
      }
      if (id === 0 || ENDS[kind]) {
        this.takeQualifiers(base);
        this.writeEnd(id, kind, level);
      } else if (kind === BTF_KIND.ARRAY) {
        this.writeArray(id, base, name, level, afterPointer);
        limit.leave();
        return;
      } else if (kind === BTF_KIND.FUNC_PROTO) {
        this.writeFunction(id, base, name, level, afterPointer);
        limit.leave();
        return;
      } else if (kind === BTF_KIND.TYPE_TAG) {
        this.takeQualifiers(base);
        this.writeTypeTag(id);
      } else {
        const qualifier = QUALIFIERS[kind];
        if (!qualifier) {
          this.unexpected(id);
          limit.leave();
          return;
        }
        out.put(SPACE);
        out.put(qualifier);
      }
      afterPointer = false;
    }
    this.writeSpaced(name, afterPointer);
    limit.leave();
  }

  private writeEnd(id: number, kind: number, level: number): void {
    const { types, out } = this;
    const anonymous = types.nameOffset(id) === 0;
    switch (kind) {
      case BTF_KIND.UNKN:
        out.put(VOID);
        break;
      case BTF_KIND.STRUCT:
      case BTF_KIND.UNION:
        if (anonymous) this.compositeBody(id, level);
        else this.compositeHead(id);
        break;
      case BTF_KIND.ENUM:
      case BTF_KIND.ENUM64:
        if (anonymous) this.enumBody(id, level);
        else this.writeTagged(ENUM, id);
        break;
      case BTF_KIND.FWD:
        this.forwardHead(id);
        break;
      case BTF_KIND.TYPEDEF:
        writeTypeName(out, types.strings, types.nameOffset(id), this.names.typedef(id));
        break;
      default:
        out.string(types.nameOffset(id));
    }
  }

  private writeTypeTag(id: number): void {
    const { types, out } = this;
    out.text(types.kflag(id) ? ' __attribute__((' : ' __attribute__((btf_type_tag("');
    out.string(types.nameOffset(id));
    out.text(types.kflag(id) ? '))' : '")))');
  }

  private writeArray(id: number, base: number, name: DeclaredName, level: number, afterPointer: boolean): void {
    const { chain, out } = this;
    this.dropModifiers(base);
    if (chain.length === base) {
      this.writeSpaced(name, afterPointer);
    } else {
      if (name !== 0 && !afterPointer) out.put(SPACE);
      const nested = this.lastKind() === BTF_KIND.ARRAY;
      if (!nested) out.put(OPEN);
      this.writeChain(base, name, level);
      if (!nested) out.put(CLOSE);
    }
    out.put(OPEN_BRACKET);
    out.unsigned(this.types.words[this.types.rest(id) + 2]);
    out.put(CLOSE_BRACKET);
  }

  private writeFunction(id: number, base: number, name: DeclaredName, level: number, afterPointer: boolean): void {
    const { types, chain, out } = this;
    this.dropModifiers(base);
    if (chain.length > base) {
      out.put(SPACE_OPEN);
      this.writeChain(base, name, level);
      out.put(CLOSE);
    } else {
      this.writeSpaced(name, afterPointer);
    }
    const { words } = types;
    const from = types.rest(id);
    const to = from + types.vlen(id) * 2;
    if (from === to || (from + 2 === to && words[from + 1] === 0)) {
      out.put(NOTHING_TAKEN);
      return;
    }
    out.put(OPEN);
    for (let p = from; p < to; p += 2) {
      if (p > from) out.put(COMMA);
      if (p + 2 === to && words[p + 1] === 0) out.put(DOTS);
      else this.declare(words[p + 1], words[p], level);
    }
    out.put(CLOSE);
  }

  /** `struct name`, or the word alone. */
  private writeTagged(word: Token, id: number): void {
    const { types, out } = this;
    const name = types.nameOffset(id);
    out.put(word);
    if (name === 0) return;
    out.put(SPACE);
    writeTypeName(out, types.strings, name, this.names.tag(id));
  }

  compositeHead(id: number): void {
    this.writeTagged(this.types.kind(id) === BTF_KIND.STRUCT ? STRUCT : UNION, id);
  }

  forwardHead(id: number): void {
    const { types, out } = this;
    out.put(types.kflag(id) ? UNION : STRUCT);
    out.put(SPACE);
    writeTypeName(out, types.strings, types.nameOffset(id), this.names.tag(id));
  }

  /** `struct name { … }` with every member. */
  compositeBody(id: number, level: number): void {
    const { types, limit, out, padding } = this;
    const { words } = types;
    limit.enter(id);
    const isStruct = types.kind(id) === BTF_KIND.STRUCT;
    const unaligned = types.align(id) === 0;
    if (unaligned) this.warnUnaligned(id);
    const packed = isStruct && isPacked(types, id, unaligned ? (type) => this.warnUnaligned(type) : undefined);
    const hasBitfields = types.kflag(id);
    const size = types.size(id);
    const from = types.rest(id);
    const to = from + types.vlen(id) * 3;
    this.compositeHead(id);
    out.put(BEGIN_BODY);
    let end = 0;
    let afterBitfield = false;
    for (let p = from; p < to; p += 3) {
      const type = words[p + 1];
      const word = words[p + 2];
      const bits = hasBitfields ? word >>> 24 : 0;
      const offset = hasBitfields ? word & 0xffffff : word;
      if (unaligned && !packed) this.warnUnaligned(type);
      if (end < offset) {
        const inBitfield = afterBitfield && bits !== 0;
        padding.fill({ from: end, to: offset, nextAlign: packed ? 1 : types.align(type), inBitfield }, level + 1);
      }
      out.put(newLine(level + 1));
      this.declare(type, words[p], level + 1);
      if (bits) {
        out.put(COLON);
        out.decimal(bits);
      }
      out.put(SEMICOLON);
      end = asInt(offset + (bits || bitsOf(types.resolveSize(type))));
      afterBitfield = bits !== 0;
    }
    if (isStruct && end < asInt(size * 8)) {
      padding.fill({ from: end, to: asInt(size * 8), nextAlign: types.align(id), inBitfield: false }, level + 1);
    }
    if (to > from || size) out.put(newLine(level));
    out.put(END_BODY);
    limit.leave();
    if (packed) out.put(PACKED);
  }

  /** libbpf says so each time that it looks for an alignment which there is not. */
  private warnUnaligned(id: number): void {
    const kind = this.types.unsupportedKind(id);
    if (kind !== undefined) this.warn(`unsupported BTF_KIND:${kind}`);
  }

  /** `enum name { … }`; without the braces when it has no values. */
  enumBody(id: number, level: number): void {
    this.writeTagged(ENUM, id);
    if (this.types.vlen(id) > 0) this.enumerators.write(id, level);
  }
}

/** Declarations as texts. Methods throw BtfError on endless nesting. */
export class Declarations {
  private readonly out: ByteSink;
  private readonly writer: DeclarationWriter;
  private pieces: Buffer[] = [];

  constructor(btf: Btf, names: NameNumbers, limit: WorkLimit, warn: (text: string) => void) {
    const types = btf.flat();
    this.out = new ByteSink(types.strings, (bytes) => this.pieces.push(Buffer.from(bytes)));
    this.writer = new DeclarationWriter({ types, names, limit, out: this.out, warn });
  }

  /** What is written meanwhile. */
  private textOf(write: () => void): string {
    this.pieces = [];
    try {
      write();
    } finally {
      this.out.flush();
    }
    return Buffer.concat(this.pieces).toString('utf8');
  }

  declare(id: number, name: string, level: number): string {
    return this.textOf(() => this.writer.declareAs(id, name, level));
  }

  /** As `declare`, without any const, volatile, restrict or type tag. */
  declareUnqualified(id: number, name: string, level: number): string {
    return this.textOf(() => this.writer.declareUnqualified(id, name, level));
  }
}
