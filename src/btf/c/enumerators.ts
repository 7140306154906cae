// The values of enums, which take their names from the same space as typedefs.
import { type ByteSink, token } from '../../print/byte-sink.ts';
import type { FlatTypes } from '../flat-types.ts';
import { BTF_KIND } from '../kinds.ts';
import type { DeclarationParts } from './declare.ts';
import type { WorkLimit } from './limits.ts';
import { type NameNumbers, writeNumbered } from './names.ts';
import { newLine } from './padding.ts';

const BEGIN = token(' {');
const END = token('}');
const EQUALS = token(' = ');
const MINUS = token('-');
const COMMA = token(',');
const BYTE_MODE = token(' __attribute__((mode(byte)))');
const WORD_MODE = token(' __attribute__((mode(word)))');

/** Writes what stands behind `enum name`. */
export class Enumerators {
  private readonly types: FlatTypes;
  private readonly names: NameNumbers;
  private readonly limit: WorkLimit;
  private readonly out: ByteSink;

  constructor({ types, names, limit, out }: Omit<DeclarationParts, 'warn'>) {
    this.types = types;
    this.names = names;
    this.limit = limit;
    this.out = out;
  }

  /** ` { A = 1, … }`, and the attribute for a size that C would not choose. */
  write(id: number, level: number): void {
    const { types, out } = this;
    const size = types.size(id);
    out.put(BEGIN);
    const isWide = types.kind(id) === BTF_KIND.ENUM64;
    const hasLarge = isWide ? this.wide(id, level + 1) : this.narrow(id, level + 1);
    out.put(newLine(level));
    out.put(END);
    if (size === 1) out.put(BYTE_MODE);
    else if (size === 8 && types.pointerSize === 8 && !hasLarge) out.put(WORD_MODE);
  }

  private name(offset: number, level: number): void {
    this.limit.step();
    this.out.put(newLine(level));
    writeNumbered(this.out, offset, this.names.enumerator(offset));
    this.out.put(EQUALS);
  }

  /** Whether some value does not fit 32 bits: never. */
  private narrow(id: number, level: number): boolean {
    const { types, out } = this;
    const { words } = types;
    const signed = types.kflag(id);
    const from = types.rest(id);
    for (let p = from, to = from + types.vlen(id) * 2; p < to; p += 2) {
      const value = words[p + 1];
      this.name(words[p], level);
      if (signed && value < 0) out.put(MINUS);
      out.unsigned(signed && value < 0 ? -value | 0 : value);
      out.put(COMMA);
    }
    return false;
  }

  /** Whether some value does not fit 32 bits. */
  private wide(id: number, level: number): boolean {
    const { types, out } = this;
    const { words } = types;
    const signed = types.kflag(id);
    const from = types.rest(id);
    let large = false;
    for (let p = from, to = from + types.vlen(id) * 3; p < to; p += 3) {
      const bits = (BigInt(words[p + 2]) << 32n) | BigInt(words[p + 1] >>> 0);
      this.name(words[p], level);
      out.text(signed ? `${bits}LL` : `${BigInt.asUintN(64, bits)}ULL`);
      out.put(COMMA);
      large ||= words[p + 2] !== 0;
    }
    return large;
  }
}
